"""Is the screen on, and will it stay on?"""

from __future__ import annotations

from pocketbench.harness.checkup.rows import Row, not_known, ok, warning
from pocketbench.harness.checkup.visit import Visit
from pocketbench.harness.sensors.android_power import parse_screen

__all__ = ["screen"]

# A campaign of a few rounds.
_LONG_S = 1800.0


def screen(visit: Visit) -> list[Row]:
    """A phone whose screen goes off moves work to small cores, and may sleep."""
    seen = parse_screen(visit.text("dumpsys", "power") or "")
    if seen.wakefulness is None:
        return [not_known("screen", "`dumpsys power` does not say")]
    stay = visit.adb("svc power stayon true")
    if seen.wakefulness != "Awake":
        return [
            warning(
                "screen",
                f"{seen.wakefulness.lower()}: work may move to small cores, and without a cable the phone may sleep",
                f"{visit.adb('input keyevent KEYCODE_WAKEUP')} and {stay}",
            )
        ]
    if seen.stays_on or (seen.timeout_s is not None and seen.timeout_s >= _LONG_S):
        return [ok("screen", "on, and stays on")]
    how_long = "soon" if seen.timeout_s is None else f"after {seen.timeout_s:g} s"
    return [warning("screen", f"on, and goes off {how_long}, in the middle of what is measured", stay)]
