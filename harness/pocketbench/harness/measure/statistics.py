"""What several launches say together: 95 % intervals over launches, never over iterations.

The iterations of a launch share its memory layout, its clock frequency and its neighbours: with 2 % between launches
and 4 % within, an interval over all pooled iterations holds the truth 31 % of the time instead of 95 %
(tests/measure/test_coverage.py repeats that). So a launch counts as one value, its median.

Sources: Kalibera and Jones, Rigorous benchmarking in reasonable time, ISMM 2013 (repetition at the level that
varies); Georges, Buytaert and Eeckhout, Statistically rigorous Java performance evaluation, OOPSLA 2007 (t interval
over VM invocations). Logarithms, since speed is a matter of ratios: the interval of A against B is then the inverse of
that of B against A.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

__all__ = ["CONFIDENCE", "Estimate", "geometric_mean_interval", "paired_ratio", "t_quantile"]

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """`low` and `high` bound the interval; None where `count` is 1, which says nothing about spread.

    `confidence` is the nominal one, with which the interval was made: 0.95, or looks.LOOKS_CONFIDENCE where rounds were
    added until the interval was narrow enough.
    """

    value: float
    low: float | None
    high: float | None
    count: int
    confidence: float = CONFIDENCE

    @property
    def half_width(self) -> float | None:
        """Of the logarithm: 0.01 is an interval of about ±1 %. None where there is no interval."""
        return None if self.low is None or self.high is None else math.log(self.high / self.low) / 2

    @property
    def excludes_1(self) -> bool:
        """True where there is an interval and 1 lies outside."""
        return self.low is not None and self.high is not None and not self.low <= 1 <= self.high


def geometric_mean_interval(medians: Sequence[float], *, confidence: float = CONFIDENCE) -> Estimate | None:
    """Geometric mean of launch medians with Student's t interval of their logarithms; None for no launch."""
    return _geometric([_log(value) for value in medians], confidence)


def paired_ratio(
    medians: Mapping[int, float], reference: Mapping[int, float], *, confidence: float = CONFIDENCE
) -> Estimate | None:
    """`medians` against `reference`, both by round: geometric mean of the per-round ratios with its t interval.

    Only rounds with both count, so that what slows a whole round down cancels out; None where there is no such round.
    """
    common = sorted(medians.keys() & reference.keys())
    return _geometric([_log(medians[number]) - _log(reference[number]) for number in common], confidence)


@cache
def t_quantile(degrees_of_freedom: int, confidence: float) -> float:
    """Half the width of Student's two-sided interval, in standard errors."""
    from scipy.special import stdtrit  # 0.1 s to import; scipy.stats takes a second

    return float(stdtrit(degrees_of_freedom, (1 + confidence) / 2))


def _geometric(logs: Sequence[float], confidence: float) -> Estimate | None:
    count = len(logs)
    if count == 0:
        return None
    mean = math.fsum(logs) / count
    if count == 1:
        return Estimate(math.exp(mean), None, None, 1, confidence)
    variance = math.fsum((value - mean) ** 2 for value in logs) / (count - 1)
    spread = t_quantile(count - 1, confidence) * math.sqrt(variance / count)
    return Estimate(math.exp(mean), math.exp(mean - spread), math.exp(mean + spread), count, confidence)


def _log(latency: float) -> float:
    if not (latency > 0 and math.isfinite(latency)):
        raise ValueError(f"expected latencies above 0, got {latency!r}")
    return math.log(latency)
