"""The device's page cache, dropped before a launch where a plan says so and the device lets us.

Then library and model come from the disk, as for an app that is opened for the first time; else, since they were
verified and run before, from memory. https://docs.kernel.org/admin-guide/sysctl/vm.html has `drop_caches`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pocketbench.device_profiles.loader import load_profile
from pocketbench.harness.campaign.reach import Reached
from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.preparation.rights import USER, Rights, find_rights
from pocketbench.harness.transports.base import Completed

__all__ = ["PageCache"]

# What is not written yet stays in memory: `sync` first. Writing a card's worth of it takes a while.
_DROP = ("sh", "-c", "sync; echo 3 > /proc/sys/vm/drop_caches")
_TIMEOUT_S = 120.0


@dataclass(slots=True)
class PageCache:
    """Of one device; `tell` hears once why it cannot be dropped."""

    reached: Reached
    wanted: bool
    tell: Callable[[str], None]
    _rights: Rights | None = field(default=USER, init=False)
    _is_known: bool = field(default=False, init=False)

    def before_launch(self) -> Literal["dropped", "warm"]:
        """Drop it where that is wanted and permitted; what it is like now. TransportError where the device is gone."""
        if not self.wanted or self._rights is None:
            return "warm"
        completed = self._drop(self._rights)
        if completed.exit_code != 0 and not self._is_known:
            platform = load_profile(self.reached.device.profile).platform
            self._rights = find_rights(self.reached.transport, platform)
            if self._rights is not None:
                completed = self._drop(self._rights)
        self._is_known = True
        if completed.exit_code == 0:
            return "dropped"
        self._rights = None
        said = clean_text(completed.stderr.decode(errors="replace")) or f"exit code {completed.exit_code}"
        self.tell(f"the page cache of {self.reached.device.name} cannot be dropped, so launches start warm: {said}")
        return "warm"

    def _drop(self, rights: Rights) -> Completed:
        return self.reached.transport.run(rights.command(_DROP), timeout_s=_TIMEOUT_S)
