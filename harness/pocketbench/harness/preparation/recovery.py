"""What an earlier preparation left on a device, after pocketbench and the guardian there were both killed."""

from __future__ import annotations

from pocketbench.checked.errors import DeviceError, InputError
from pocketbench.harness.preparation.device_scripts import DAMAGED, LOST, Place, failure, run_script
from pocketbench.harness.preparation.holder import Holder
from pocketbench.harness.preparation.record import Restoration
from pocketbench.harness.preparation.restoration import parse_restoration
from pocketbench.harness.preparation.rights import ROOT, USER, Platform, Rights, find_rights
from pocketbench.harness.preparation.survey import Survey, survey
from pocketbench.harness.transports.base import Transport

__all__ = ["held_by_another", "recover"]


def recover(transport: Transport, place: Place, *, platform: Platform, holder: Holder) -> Restoration | None:
    """Put back what is left of a preparation that is over, and say what was put back last, by us now or by a guardian.

    None where this device was never prepared. `holder` is this process: what a sibling of it left that was killed is
    put back at once. Raises InputError while another host's preparation stands, DeviceError where what was there before
    can no longer be known.
    """
    found = survey(transport, place, "left")
    if found.left is None:
        return found.last
    before = found.left.holder
    if found.is_leased() and not (before is not None and before.is_dead_sibling_of(holder)):
        raise held_by_another(transport, before, found.left.since, found.deadline_s - found.uptime_s)
    return _put_back(transport, place, found, platform, holder)


def held_by_another(
    transport: Transport, holder: Holder | None, since: str | None = None, left_s: int | None = None
) -> InputError:
    """What to raise where somebody else's preparation stands, `since` their time, for `left_s` more seconds."""
    who = "somebody" if holder is None else f"{holder.name} (process {holder.process_id} there)"
    who += "" if since is None else f" since {since}"
    until = "" if left_s is None else f"; unless they go on, it ends in {left_s} s"
    return InputError(
        f"expected {transport.address} to be prepared by nobody, got a preparation by {who}: wait for its end{until}."
    )


def _put_back(transport: Transport, place: Place, found: Survey, platform: Platform, holder: Holder) -> Restoration:
    left = found.left
    assert left is not None
    rights = ROOT if found.is_root else USER
    if rights is USER and left.touches_kernel and left.boot == found.boot:
        rights = _root_or_user(transport, platform)
    token = left.token or "-"
    completed = run_script(transport, "restore", place, token, rights=rights, stdin=f"{holder.text}\n".encode())
    if completed.exit_code == DAMAGED:
        raise DeviceError(
            f"{transport.address}: expected what was there before an earlier preparation in {place.directory}/"
            "preparation/state, got a damaged file: restart the device, which puts back all but Android's settings."
        )
    if completed.exit_code == LOST:
        raise held_by_another(transport, None)
    restoration = parse_restoration(completed.stdout)
    if completed.exit_code != 0 or restoration is None:
        raise failure(transport, completed, "put back what an earlier preparation left")
    return restoration


def _root_or_user(transport: Transport, platform: Platform) -> Rights:
    return find_rights(transport, platform) or USER
