"""Is a variant different from the reference? What may be said, from its ratio and from the A/A copy's.

The A/A copy is the reference once more, launched in every round like any variant. What it differs by is nothing but
noise, so a variant must differ by more, whatever its interval says: the interval knows only the noise that varies from
round to round, not a cause that stays (a position in the order, a file that was written first).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pocketbench.harness.measure.statistics import Estimate

__all__ = ["Comparison", "NoiseFloor", "compare", "noise_floor"]

Verdict = Literal["difference", "none found", "cannot say"]


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """`log_ratio` is what the A/A copy differs from the reference by, its sign left out: 0.01 is about 1 %.

    `copy_differs`: the copy's interval excludes 1. That happens to one campaign in 20 by chance; otherwise something in
    the campaign makes equal things differ.
    """

    log_ratio: float
    copy_differs: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """`reason` is a sentence for the report; None where the verdict is `difference`."""

    verdict: Verdict
    reason: str | None


def noise_floor(copy: Estimate | None) -> NoiseFloor | None:
    """The floor from the paired ratio of the A/A copy to the reference; None where there is no interval."""
    if copy is None or copy.half_width is None:
        return None
    return NoiseFloor(abs(math.log(copy.value)), copy.excludes_1)


def compare(ratio: Estimate | None, floor: NoiseFloor | None) -> Comparison:
    """`difference` only where the interval excludes 1 and the ratio lies beyond the noise floor."""
    if ratio is None or ratio.half_width is None:
        return Comparison("cannot say", "An interval needs two rounds in which both were measured.")
    if floor is None:
        return Comparison("cannot say", "No A/A copy of the reference was measured, so the noise floor is not known.")
    if not ratio.excludes_1:
        return Comparison("none found", f"The interval holds 1; it is {_percent(ratio.half_width)} wide on each side.")
    effect = abs(math.log(ratio.value))
    if effect <= floor.log_ratio:
        return Comparison(
            "none found",
            f"It differs by {_percent(effect)}, and the A/A copy, which is the reference itself, by "
            f"{_percent(floor.log_ratio)}.",
        )
    return Comparison("difference", None)


def _percent(log_ratio: float) -> str:
    return f"{100 * math.expm1(log_ratio):.2g} %"
