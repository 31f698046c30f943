"""`dumpsys power` of Android (AOSP frameworks/base, …/server/power/PowerManagerService.java, dumpInternal)."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Screen", "parse_screen"]

_TEXT_CHARACTERS = 400_000  # the list of UIDs at its end is long


@dataclass(frozen=True, slots=True)
class Screen:
    """`wakefulness` is Awake, Asleep, Dozing or Dreaming; `stays_on` while the charger that is plugged in now is.

    `timeout_s` is what is in force, which is not always the setting.
    """

    wakefulness: str | None
    stays_on: bool | None
    timeout_s: float | None


# POWER MANAGER (dumpsys power)
#
# Power Manager State:
#   mWakefulness=Awake
#   mIsPowered=true
#   mStayOn=false
# …
# Screen off timeout: 30000 ms
def parse_screen(text: str) -> Screen:
    """Read the first of each line."""
    bounded = text[:_TEXT_CHARACTERS]
    wakefulness = _first(r"^  mWakefulness=(Awake|Asleep|Dozing|Dreaming)$", bounded)
    stay = _first(r"^  mStayOn=(true|false)$", bounded)
    timeout_ms = _first(r"^Screen off timeout: (\d{1,10}) ms$", bounded)
    return Screen(
        wakefulness,
        None if stay is None else stay == "true",
        None if timeout_ms is None else int(timeout_ms) / 1000,
    )


def _first(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text, re.MULTILINE | re.ASCII)
    return match[1] if match else None
