"""A device is prepared for the length of a `with`, and put back after it, whatever happens in between.

    with prepared(transport, place_on(device), wanted, platform=profile.platform, holder=this_holder(home)) as hold:
        for launch in launches:
            hold.renew(lease_s=launch.time_limit_s + MARGIN_S)
            ...
    store(hold.record)

On the device a guardian puts everything back when it has not been renewed in time: pocketbench was killed, the cable
was pulled. What a guardian that died leaves is put back by `recover`, at the next connection.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from pocketbench.checked.errors import DeviceError
from pocketbench.harness.deploy.device_scripts import describe
from pocketbench.harness.preparation.answers import Answer, parse_changes, parse_found
from pocketbench.harness.preparation.device_scripts import (
    HELD,
    LEFT,
    LOST,
    Place,
    failure,
    guardian_text,
    run_script,
)
from pocketbench.harness.preparation.holder import Holder
from pocketbench.harness.preparation.planning import Plan, make_plan
from pocketbench.harness.preparation.record import Change, PreparationRecord, Restoration, Setting
from pocketbench.harness.preparation.recovery import held_by_another, recover
from pocketbench.harness.preparation.restoration import parse_restoration
from pocketbench.harness.preparation.rights import ROOT, USER, Platform, Rights, find_rights, remedy
from pocketbench.harness.preparation.survey import Survey, survey
from pocketbench.harness.preparation.wanted import Wanted
from pocketbench.harness.transports.base import Transport

__all__ = ["LEASE_S", "MARGIN_S", "Preparation", "prepared"]

_log = logging.getLogger(__name__)
# What a device waits for a word from us before it puts everything back. Three times what it takes to plug a cable in
# again; a launch that takes longer asks for its own time and this.
LEASE_S = 180
MARGIN_S = LEASE_S
# How often the guardian looks at its deadline: a process of one file read and one sleep.
_POLL_S = 10
_FLOCK_REMEDY = "install util-linux or busybox there"


class Preparation:
    """One device from before to after. The caller holds it (store.hold.hold_device), so no sibling prepares it too."""

    def __init__(
        self,
        transport: Transport,
        place: Place,
        wanted: Wanted,
        *,
        platform: Platform,
        holder: Holder,
        lease_s: int = LEASE_S,
        poll_s: int = _POLL_S,
    ) -> None:
        self._transport = transport
        self._place = place
        self._wanted = wanted
        self._platform: Platform = platform
        self._holder = holder
        self._lease_s = lease_s
        self._poll_s = poll_s
        self._longest_s = lease_s
        self._rights = USER
        self._token = ""
        self._names: dict[str, str] = {}
        self._is_standing = False
        self._prepared_at: str | None = None
        self._settings: tuple[Setting, ...] = ()
        self._changes: list[Change] = []
        self._restoration: Restoration | None = None
        self._problem: str | None = None

    @property
    def record(self) -> PreparationRecord:
        """What has been done so far."""
        return PreparationRecord(
            address=self._transport.address,
            token=self._token,
            holder=self._holder.text,
            rights=self._rights.kind,
            prepared_at=self._prepared_at,
            settings=self._settings,
            changes=tuple(self._changes),
            restoration=self._restoration,
            problem=self._problem,
        )

    def prepare(self) -> None:
        """Set what is wanted and can be; the record says what could not.

        Raises InputError where another host has prepared the device, DeviceError where it could not be put back.
        """
        left = recover(self._transport, self._place, platform=self._platform, holder=self._holder)
        if left is not None and left.failed:
            raise DeviceError(
                f"{self._transport.address}: expected the device as it was before an earlier preparation, got "
                f"{left.failed[0].found} for {left.failed[0].node}, which was {left.failed[0].before}: restart the "
                "device, which puts it back."
            )
        found = survey(self._transport, self._place, self._platform)
        plan = make_plan(found, self._wanted, self._platform)
        self._rights = self._rights_for(plan, found)
        self._names = {step.node: step.name for step in plan.steps}
        plan.settle(found, self._apply(plan) if plan.steps else {})
        self._settings = tuple(plan.settings)
        self._prepared_at = _now()

    def renew(self, *, lease_s: int | None = None) -> tuple[Change, ...]:
        """Say that we live, and that the next word comes within `lease_s` seconds; set again what was changed.

        Returns what was not as it should be: what was measured since the last call was measured otherwise. Where the
        device has put everything back meanwhile, or restarted, it is prepared anew and the change says so.
        """
        if not self._is_standing:
            return ()
        mark = _mark()
        self._longest_s = self._lease_s if lease_s is None else lease_s
        arguments = (mark, self._token, str(self._longest_s), str(self._poll_s), guardian_text(self._token))
        completed = run_script(self._transport, "renew", self._place, *arguments, rights=self._rights)
        if completed.exit_code == LOST:
            changes = self._prepare_again()
        elif completed.exit_code != 0:
            raise failure(self._transport, completed, "keep the device prepared")
        else:
            changes = parse_changes(completed.stdout, mark, self._names, _now())
        self._changes += changes
        return tuple(changes)

    def restore(self) -> None:
        """Put everything back. Where that cannot be done now the record says why, and the guardian does it in time."""
        if not self._is_standing:
            return
        place, rights, by = self._place, self._rights, f"{self._holder.text}\n".encode()
        try:
            completed = run_script(self._transport, "restore", place, self._token, rights=rights, stdin=by)
            if completed.exit_code in (0, LOST):
                self._is_standing = False  # where it is another's by now, ours was put back before
                last = parse_restoration(completed.stdout)
                self._restoration = last if last is not None and last.token == self._token else None
                self._problem = _problem(self._restoration)
            else:
                self._problem = f"exit code {completed.exit_code}: {describe(completed)}"
                run_script(self._transport, "release", self._place, self._token)
        except DeviceError as error:
            self._problem = str(error)
        if self._problem is not None:
            _log.warning(
                "%s is not yet as it was before it was prepared: %s. It puts itself back within %d s, or when it "
                "restarts, or at the next `pocketbench device check`.",
                self._transport.address,
                self._problem,
                self._longest_s + self._poll_s,
            )

    def _rights_for(self, plan: Plan, found: Survey) -> Rights:
        """What is needed for `plan`, from which is left out what nobody lets us do."""
        if not found.has_flock:
            nodes = {step.node for step in plan.steps}
            plan.leave_out(nodes, found, "no `flock` there, so two hosts could prepare it at once", _FLOCK_REMEDY)
        if found.is_root:
            return ROOT
        if not (barred := plan.barred(found)):
            return USER
        rights = find_rights(self._transport, self._platform)
        if rights is None:
            plan.leave_out(barred, found, "this user may not write to it", remedy(self._platform))
        return rights or USER

    def _apply(self, plan: Plan) -> dict[str, Answer]:
        self._token = secrets.token_hex(16)
        mark = _mark()
        times = (str(self._lease_s), str(self._poll_s))
        arguments = (mark, self._token, *times, guardian_text(self._token))
        self._is_standing = True  # from here on something may be changed, whatever comes back
        rights, stdin = self._rights, plan.text(self._holder, _now())
        completed = run_script(self._transport, "apply", self._place, *arguments, rights=rights, stdin=stdin)
        if completed.exit_code == 0:
            return parse_found(completed.stdout, mark)
        if completed.exit_code in (HELD, LEFT):
            self._is_standing = False
            other = Holder.parse(completed.stdout.decode(errors="replace").strip())
            raise held_by_another(self._transport, other)
        raise failure(self._transport, completed, "prepare the device")

    def _prepare_again(self) -> list[Change]:
        self._is_standing = False
        last = survey(self._transport, self._place, "left").last
        was_ours = last is not None and last.token == self._token
        reason = f"put back by {last.by} at {last.at}" if last is not None and was_ours else "gone"
        self.prepare()
        return [Change(_now(), "preparation", None, None, f"{reason}; prepared again")]


@contextmanager
def prepared(
    transport: Transport, place: Place, wanted: Wanted, *, platform: Platform, holder: Holder
) -> Iterator[Preparation]:
    """Prepare a device, and put it back afterwards; see Preparation."""
    preparation = Preparation(transport, place, wanted, platform=platform, holder=holder)
    try:
        preparation.prepare()
        yield preparation
    finally:
        preparation.restore()


def _problem(restoration: Restoration | None) -> str | None:
    """What is not as it was, None where all is."""
    if restoration is None:
        return None
    said = [f"{item.node} says {item.found}, not {item.before}" for item in restoration.failed]
    return "; ".join(said) or None


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _mark() -> str:
    return f"pocketbench-{secrets.token_hex(8)}"
