"""A device is prepared while a campaign measures on it; what was done is in the store at once (docs/preparation.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pocketbench.checked.errors import DeviceError, InputError
from pocketbench.device_profiles.loader import load_profile
from pocketbench.harness.campaign.lost import Retrying
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.reach import Reached
from pocketbench.harness.errors import TransportError
from pocketbench.harness.preparation.device_scripts import place_on
from pocketbench.harness.preparation.holder import Holder
from pocketbench.harness.preparation.prepared import MARGIN_S, Preparation
from pocketbench.harness.preparation.record import Change, PreparationRecord, Restoration, Setting
from pocketbench.harness.preparation.recovery import recover
from pocketbench.harness.preparation.wanted import parse_wanted
from pocketbench.harness.store.store import Store
from pocketbench.harness.transports.scripted import UnexpectedCallError

__all__ = ["Changed", "Keeping", "prepared_for"]


@dataclass(frozen=True, slots=True)
class Changed:
    """What was not kept during a launch; all None where nothing was prepared.

    `cores`: a governor or a frequency, or everything, as after a restart. The kernel sets a fan anew by itself.
    """

    cores: bool | None = None
    screen: bool | None = None
    fan: bool | None = None


@dataclass(slots=True)
class Keeping:
    """Keeps one device prepared, and the store informed. One without wishes does nothing.

    `earlier` are the records of the times before that this campaign ran.
    """

    store: Store
    campaign_id: str
    reached: Reached
    holder: Holder
    words: tuple[str, ...]
    earlier: list[dict[str, Any]] = field(default_factory=list)
    _preparation: Preparation | None = field(default=None, init=False)
    _problem: str | None = field(default=None, init=False)

    def begin(self) -> None:
        """Prepare; where that cannot be done the record says why. Once more after the device was lost meanwhile.

        Raises TransportError where it is lost, DeviceError where somebody else has prepared it.
        """
        place, platform = place_on(self.reached.device), load_profile(self.reached.device.profile).platform
        transport, holder = self.reached.transport, self.holder
        self.end()
        preparation = Preparation(transport, place, parse_wanted(self.words), platform=platform, holder=holder)
        try:
            self._complete(recover(transport, place, platform=platform, holder=holder))
            self._preparation = preparation
            preparation.prepare()
        except (TransportError, UnexpectedCallError):
            raise
        except InputError as error:
            # Somebody else measures there now: what both measured would be wrong.
            raise DeviceError(str(error)) from error
        except DeviceError as error:
            preparation.restore()  # what was set before it failed
            self._preparation, self._problem = preparation, str(error)
        self._save()

    def keep(self, seconds: float) -> None:
        """The device is to stay as it is for so long, whatever becomes of us."""
        self._renew(seconds)

    def look(self) -> Changed:
        """What was not as prepared since `keep`; it is again."""
        if not self.words:
            return Changed()
        names = [change.name for change in self._renew(0.0)]
        screens = [name for name in names if name.startswith("screen")]
        others = set(names) - set(screens) - {"fan", "guardian"}
        return Changed(cores=bool(others), screen=bool(screens) or "preparation" in names, fan="fan" in names)

    def end(self) -> None:
        """Put everything back; where the device is gone it does so itself."""
        if self._preparation is None:
            return
        with self.reached.undisturbed():
            self._preparation.restore()
        self._save()
        self.earlier.append(asdict(self._record(self._preparation)))
        self._preparation, self._problem = None, None

    @property
    def governor(self) -> str | None:
        """The governor that every policy was set to; None where that is not so, or nobody asked."""
        found = {setting.found if _stands(setting) else None for setting in self._settings("scaling_governor")}
        return found.pop() if len(found) == 1 else None

    @property
    def fixed_khz(self) -> Mapping[str, int]:
        """The fixed frequency by policy; empty where any that was asked for could not be set."""
        settings = [*self._settings("scaling_min_freq"), *self._settings("scaling_max_freq")]
        if not all(map(_stands, settings)):
            return {}
        return {setting.name.partition(" ")[0]: int(setting.found or 0) for setting in settings}

    def _settings(self, file: str) -> list[Setting]:
        if self._preparation is None:
            return []
        return [one for one in self._preparation.record.settings if (one.node or "").endswith(f"/{file}")]

    def _renew(self, seconds: float) -> tuple[Change, ...]:
        if self._preparation is None or self._problem is not None:
            return ()
        changes = self._preparation.renew(lease_s=round(seconds) + MARGIN_S)
        if changes:
            self._save()
        return changes

    def _record(self, preparation: Preparation) -> PreparationRecord:
        record = preparation.record
        return record if self._problem is None else replace(record, problem=self._problem)

    def _complete(self, last: Restoration | None) -> None:
        """What was put back after we were killed, by us now or by the device before: it stands in its own record."""
        for record in self.earlier:
            if last is not None and record["restoration"] is None and record["token"] == last.token:
                record["restoration"] = asdict(last)
                record["problem"] = record["problem"] if last.failed else None

    def _save(self) -> None:
        now = [] if self._preparation is None else [asdict(self._record(self._preparation))]
        text = json.dumps([*self.earlier, *now])
        self.store.set_device(self.campaign_id, self.reached.device.name, preparation=text)


@contextmanager
def prepared_for(
    plan: Plan, store: Store, campaign_id: str, reached: Reached, holder: Holder, retrying: Retrying
) -> Iterator[Keeping]:
    """`reached` as `plan` wants it prepared, and as it was afterwards, whatever happens in between."""
    earlier = json.loads(store.preparation(campaign_id, reached.device.name) or "[]")
    keeping = Keeping(store, campaign_id, reached, holder, plan.prepare, earlier)
    try:
        if plan.prepare:
            retrying.do(keeping.begin)
        yield keeping
    finally:
        keeping.end()


def _stands(setting: Setting) -> bool:
    return setting.status in ("set", "already")
