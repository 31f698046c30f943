"""What became of one figure of a job from A to B: latency against the reference, size, quality."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pocketbench.harness.comparing.combined import ratio_of_ratios
from pocketbench.harness.comparing.facts import Measured
from pocketbench.harness.measure.comparison import Comparison, NoiseFloor, compare
from pocketbench.harness.measure.statistics import Estimate
from pocketbench.reports.campaign import Interval, Job, Quality
from pocketbench.reports.digits import significant
from pocketbench.reports.noise import noise_floor
from pocketbench.reports.quality import Judgement, judge

__all__ = [
    "LatencyChange",
    "NotCompared",
    "QualityChange",
    "SizeChange",
    "latency_change",
    "quality_change",
    "size_change",
]


@dataclass(frozen=True, slots=True)
class NotCompared:
    """A sentence without its end says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class LatencyChange:
    """`ratio` is that of the ratios to the reference, B over A: above 1 is slower. `before` and `after` are those.

    `noise` is how much of a difference the A/A copies of both campaigns have together, as a logarithm; None where one
    has no copy. `rounds` are those that were compared in A and in B.
    """

    before: Interval
    after: Interval
    ratio: Estimate
    noise: float | None
    comparison: Comparison
    rounds: tuple[int, int]


@dataclass(frozen=True, slots=True)
class SizeChange:
    """Of the file, in bytes; exact."""

    before_bytes: int
    after_bytes: int

    @property
    def ratio(self) -> float:
        """B over A."""
        return self.after_bytes / self.before_bytes


@dataclass(frozen=True, slots=True)
class QualityChange:
    """`gain` is how much better B is, in the metric's unit; None for its interval where the metric has none.

    The same evaluation data is judged twice, and mostly alike, so that the interval of B alone is wide enough
    (reports/quality.py). Of the same file on the same engine build that got the same value there is nothing unsure.
    """

    before: Quality
    after: Quality
    gain: Interval
    judgement: Judgement


def latency_change(before: Measured, own: Job, after: Measured, other: Job) -> LatencyChange | NotCompared:
    """Of two jobs that may be compared."""
    if own.is_reference and other.is_reference:
        return NotCompared("it is the reference, which the others are compared by")
    for name, job in (("A", own), ("B", other)):
        if not job.usable:
            return NotCompared(f"no launch of it could be used in {name}" + (f": {job.reason}" if job.reason else ""))
        if job.ratio is None:
            return NotCompared(f"{name} has no round in which both it and its reference were measured")
    assert own.ratio is not None  # both were just looked at
    assert other.ratio is not None
    first = _estimate(own.ratio, own.rounds_compared, before.campaign.confidence)
    second = _estimate(other.ratio, other.rounds_compared, after.campaign.confidence)
    ratio, noise = ratio_of_ratios(first, second), _noise(before, own, after, other)
    rounds = (own.rounds_compared, other.rounds_compared)
    return LatencyChange(own.ratio, other.ratio, ratio, noise, _comparison(ratio, noise), rounds)


def size_change(own: Job, other: Job) -> SizeChange | NotCompared:
    """Of two jobs' files."""
    before, after = own.variant.size_bytes, other.variant.size_bytes
    if not before or after is None:
        return NotCompared("the size is not known in both")
    return SizeChange(before, after)


def quality_change(own: Job, other: Job, *, same_outputs: bool) -> QualityChange | NotCompared:
    """Of two jobs that were evaluated on the same data with the same metric.

    `same_outputs`: file, engine build and accelerator are the same, so that the outputs must be.
    """
    before, after = own.quality, other.quality
    if before is None or after is None:
        return NotCompared("quality was not measured in " + ("A" if after else "B" if before else "A and B"))
    if same_outputs and before.interval.value == after.interval.value:
        return QualityChange(before, after, Interval(0.0, 0.0, 0.0), "not told apart")
    sign = 1 if after.higher_is_better else -1
    figures = (after.interval.value, after.interval.low, after.interval.high)
    gains = [None if figure is None else sign * (figure - before.interval.value) for figure in figures]
    value, low, high = gains if sign == 1 else (gains[0], gains[2], gains[1])
    assert value is not None
    return QualityChange(before, after, Interval(value, low, high), judge(other, own))


def _estimate(ratio: Interval, rounds: int, confidence: float) -> Estimate:
    return Estimate(ratio.value, ratio.low, ratio.high, rounds, confidence)


def _comparison(ratio: Estimate, noise: float | None) -> Comparison:
    """By the rule for two jobs of one campaign."""
    found = compare(ratio, None if noise is None else NoiseFloor(noise, copy_differs=False))
    if noise is None or found.verdict != "none found" or not ratio.excludes_1:
        return found
    return Comparison(
        "none found",
        f"It differs by {_percent(abs(math.log(ratio.value)))}, and the A/A copies of both campaigns, which are the "
        f"reference itself, by {_percent(noise)} together.",
    )


def _percent(log_ratio: float) -> str:
    return f"{significant(100 * math.expm1(log_ratio), 2)} %"


def _noise(before: Measured, own: Job, after: Measured, other: Job) -> float | None:
    """What stays in one campaign knows nothing of what stays in the other, so the two floors add up as squares do."""
    floors = (noise_floor(before.campaign, own), noise_floor(after.campaign, other))
    return None if None in floors else math.hypot(*(floor for floor in floors if floor is not None))
