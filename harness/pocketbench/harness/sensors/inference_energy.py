"""Energy of one inference: gross, and net of what the device takes while it waits."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["IDLE_SECONDS", "NetEnergy", "net_energy"]

# So long before and after each round, in the same state: screen, radios, process loaded but waiting.
IDLE_SECONDS = 30.0
# Two idle stretches that differ by more: the device was still cooling, or something else ran.
_IDLE_DIFFERENCE = 0.05


@dataclass(frozen=True, slots=True)
class NetEnergy:
    """`net_mj` leaves out what idling for the time of an inference takes; None where it is not known.

    Net hides that a fast model lets the device sleep sooner: gross is always given too. `flags`: `no_idle_baseline`,
    `idle_differs`.
    """

    net_mj: float | None
    idle_mw: float | None
    flags: tuple[str, ...] = ()


def net_energy(
    gross_mj: float | None, inference_s: float, before_mw: float | None, after_mw: float | None
) -> NetEnergy:
    """From the gross energy of an inference that takes `inference_s`, and the idle power before and after the round.

    The idle power is the mean of the two. Where one of them is not known there is no net figure, since half a baseline
    does not show whether it drifted.
    """
    if before_mw is None or after_mw is None:
        return NetEnergy(None, None, ("no_idle_baseline",))
    idle_mw = (before_mw + after_mw) / 2
    differs = abs(before_mw - after_mw) > _IDLE_DIFFERENCE * max(before_mw, after_mw)
    net_mj = None if gross_mj is None else gross_mj - idle_mw * inference_s
    return NetEnergy(net_mj, idle_mw, ("idle_differs",) if differs else ())
