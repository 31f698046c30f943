"""What was done to a device for a measurement, for the store and the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Change", "PreparationRecord", "PutBack", "Restoration", "Setting", "SettingStatus"]

SettingStatus = Literal["set", "already", "refused", "not possible"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that was asked for. `node` is the file of sysfs or the setting of Android, None where there is none.

    `set`: it was made so. `already`: it was so, and could not be set. `refused`: the device does not take it, or not
    from this user. `not possible`: the device has no such thing or value. `found` is what it said afterwards; `remedy`
    is what the user can do.
    """

    name: str
    node: str | None
    before: str | None
    wanted: str
    found: str | None
    status: SettingStatus
    reason: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was no longer as set when the host looked: between two looks it was not what the record says.

    `instead` is what it said, `found` what it said once it was set again. `at` is the host's time.
    """

    at: str
    name: str
    instead: str | None
    found: str | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PutBack:
    """One thing that is as it was, or not.

    `restored`: it says what it said before. `left`: the kernel had set it anew meanwhile, which stands. `rebooted`: a
    restart has put it back. `failed`: it says something else, and is tried again at the next connection.
    """

    node: str
    before: str
    found: str | None
    status: Literal["restored", "left", "rebooted", "failed"]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Restoration:
    """What was put back at the end of the preparation `token`, by the holder of these words or by the `guardian`.

    `at` is the device's time, which may be wrong; `uptime_s` the second since its start.
    """

    token: str
    by: str
    at: str
    uptime_s: int
    items: tuple[PutBack, ...]

    @property
    def failed(self) -> tuple[PutBack, ...]:
        """What is not as it was."""
        return tuple(item for item in self.items if item.status == "failed")


@dataclass(frozen=True, slots=True)
class PreparationRecord:
    """A preparation from its beginning to its end, as far as it has come.

    `rights` are those that it was made with. `restoration` is None until everything is put back, and `problem` says why
    it could not be then: the guardian on the device does it.
    """

    address: str
    token: str
    holder: str
    rights: Literal["user", "root", "sudo", "su"]
    prepared_at: str | None
    settings: tuple[Setting, ...]
    changes: tuple[Change, ...]
    restoration: Restoration | None
    problem: str | None
