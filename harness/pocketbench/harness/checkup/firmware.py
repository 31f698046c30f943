"""What the firmware of a Raspberry Pi says, asked once for several questions."""

from __future__ import annotations

from dataclasses import dataclass

from pocketbench.harness.checkup.visit import Visit, decode, reason
from pocketbench.harness.sensors.vcgencmd import Throttled, parse_temperature, parse_throttled

__all__ = ["VIDEO_GROUP", "Firmware", "ask_firmware"]

# /dev/vcio belongs to root:video, mode 0660.
VIDEO_GROUP = "on the device: sudo usermod -aG video $USER, then log in again"
# As a shell says it: not executable, not found.
_NO_PROGRAM = (126, 127)


@dataclass(frozen=True, slots=True)
class Firmware:
    """What the firmware of a Raspberry Pi says; `problem` where vcgencmd is there and fails."""

    temperature_celsius: float | None = None
    throttled: Throttled | None = None
    problem: str | None = None


def ask_firmware(visit: Visit) -> Firmware | None:
    """None where there is no vcgencmd."""
    answer = visit.run("vcgencmd", "get_throttled")
    if answer.exit_code in _NO_PROGRAM:
        return None
    throttled = parse_throttled(decode(answer.stdout))
    if throttled is None:
        return Firmware(problem=reason(answer))
    return Firmware(parse_temperature(visit.text("vcgencmd", "measure_temp") or ""), throttled)
