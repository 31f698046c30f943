"""Joules for one inference: gross, and net of what the device takes while it waits."""

from __future__ import annotations

from dataclasses import dataclass

from pocketbench.harness.sensors.energy import WindowEnergy
from pocketbench.harness.sensors.spec import Boundary

__all__ = ["IDLE_SECONDS", "InferenceEnergy", "energy_per_inference"]

# So long before and after each round, in the same state: screen, radios, process loaded but waiting.
IDLE_SECONDS = 30.0
# Two idle stretches that differ by more: the device was still cooling, or something else ran.
_IDLE_DIFFERENCE = 0.05


@dataclass(frozen=True, slots=True)
class InferenceEnergy:
    """`gross_j` is all that was taken; `net_j` leaves out what idling for that time takes.

    Net hides that a fast model lets the device sleep sooner: gross is always given too. `boundary` says what was
    metered; energies of different boundaries do not compare.
    """

    boundary: Boundary
    inferences: int
    gross_j: float | None
    net_j: float | None
    idle_w: float | None
    reason: str | None = None
    net_reason: str | None = None
    flags: tuple[str, ...] = ()


def energy_per_inference(
    boundary: Boundary, work: WindowEnergy, inferences: int, before: WindowEnergy, after: WindowEnergy
) -> InferenceEnergy:
    """From back-to-back inferences in `work`, and idle windows before and after.

    The idle power is the mean of the two. Where one of them is invalid there is no net figure, since half a baseline
    does not show whether it drifted.
    """
    if inferences < 1:
        raise ValueError(f"expected at least one inference, got {inferences}")
    idle = [window.power_w for window in (before, after)]
    idle_w = None if idle[0] is None or idle[1] is None else (idle[0] + idle[1]) / 2
    if work.energy_j is None:
        return InferenceEnergy(boundary, inferences, None, None, idle_w, work.reason, work.reason)
    gross_j = work.energy_j / inferences
    net_reason = None if idle_w is not None else f"no idle baseline: {before.reason or after.reason}"
    net_j = None if idle_w is None else (work.energy_j - idle_w * work.duration_s) / inferences
    flags = (*work.flags, *_idle_flags(before, after))
    return InferenceEnergy(boundary, inferences, gross_j, net_j, idle_w, None, net_reason, flags)


def _idle_flags(before: WindowEnergy, after: WindowEnergy) -> tuple[str, ...]:
    flags = []
    first, second = before.power_w, after.power_w
    if first is not None and second is not None and abs(first - second) > _IDLE_DIFFERENCE * max(first, second):
        flags.append("idle-differs")
    if min(before.duration_s, after.duration_s) < IDLE_SECONDS:
        flags.append("idle-short")
    return tuple(flags)
