"""When a launch does not count: rules that are written down before anything is measured, and nothing else.

No rule looks at whether a latency is pleasant, so that nobody can choose his result. An invalid launch is kept, shown
with its reasons, and repeated (rounds.may_repeat).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pocketbench.harness.measure.regimes import Regime
from pocketbench.harness.measure.throttle import ThrottleSigns

__all__ = ["MOST_GAP_PERIODS", "Conditions", "Reason", "invalid_reasons"]

# A sampler that skips two readings was late; after three nobody knows what happened in between.
MOST_GAP_PERIODS = 3.0

Reason = Literal[
    "charger_changed",
    "governor_changed",
    "no_steady_part",
    "sampler_gap",
    "screen_changed",
    "throttled",
    "under_voltage",
]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What happened around a launch; None for what the device cannot say, which is held against nobody.

    `frequency_is_fixed`: the governor holds the expected frequency (`performance`, or a fixed one), so that a lower one
    can only be throttling. `largest_gap_periods` is the longest time between two readings of the sampler, in periods.
    """

    under_voltage: bool | None = None
    frequency_is_fixed: bool | None = None
    governor_changed: bool | None = None
    screen_changed: bool | None = None
    charger_changed: bool | None = None
    largest_gap_periods: float | None = None


def invalid_reasons(
    conditions: Conditions, signs: ThrottleSigns, regime: Regime, steady_iterations: int
) -> tuple[Reason, ...]:
    """All reasons, in alphabetical order; none where the launch counts."""
    gap = conditions.largest_gap_periods
    broken: dict[Reason, bool] = {
        "charger_changed": bool(conditions.charger_changed),
        "governor_changed": bool(conditions.governor_changed),
        "no_steady_part": steady_iterations == 0,
        "sampler_gap": gap is not None and gap > MOST_GAP_PERIODS,
        "screen_changed": bool(conditions.screen_changed),
        "throttled": regime.throttling_is_invalid and _throttled(signs, bool(conditions.frequency_is_fixed)),
        "under_voltage": bool(conditions.under_voltage),
    }
    return tuple(reason for reason, is_broken in broken.items() if is_broken)


def _throttled(signs: ThrottleSigns, frequency_is_fixed: bool) -> bool:
    """Declared; or the frequency fell although it was fixed; or it fell and latency rose with it.

    Neither alone is enough: a governor lowers the clock of a core that waits, and latency rises for many reasons.
    """
    return bool(signs.declared or (signs.frequency and (frequency_is_fixed or signs.drift)))
