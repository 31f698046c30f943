"""Why it cannot be said on which side of a limit a change lies, and what would make it known."""

from __future__ import annotations

import math

from pocketbench.harness.comparing.change import LatencyChange, QualityChange, SizeChange
from pocketbench.harness.comparing.limits import Span
from pocketbench.reports.digits import significant
from pocketbench.reports.names import command

__all__ = ["what_would_tell"]

# Of a plan (campaign/plan.py).
_MOST_ROUNDS = 1000
_MOST_SAMPLES = 1_000_000


def what_would_tell(change: LatencyChange | SizeChange | QualityChange, span: Span, at: float, device: str) -> str:
    """A sentence without its end; for a change whose outcome is "cannot say"."""
    if isinstance(change, QualityChange):
        return _of_quality(change, span, at)
    assert isinstance(change, LatencyChange)  # a size has no interval to be unsure about
    if span.low is None or span.high is None:
        return "an interval takes 2 rounds in A and in B: measure with --rounds 5 or more"
    if span.noise is None:
        return "without an A/A copy of the reference in A and in B the noise is not known: aa_copy: true in the plan"
    if span.low <= at <= span.high:
        return f"the interval holds the limit: {_more_rounds(change, span, at)}"
    return (
        f"the A/A copies of A and B differ by {_percent(span.noise)} together, and the change from the limit by less: "
        f"close what else runs on the device and look at `{command('pocketbench', 'device', 'check', device).text}`"
    )


def _of_quality(change: QualityChange, span: Span, at: float) -> str:
    if span.low is None or span.high is None:
        return "the metric has no interval: use one that has (top-1, top-5)"
    samples = change.after.samples
    factor = _factor(span, at)
    if samples is None or factor is None or samples * factor > _MOST_SAMPLES:
        return "the interval holds the limit, and the change is too near to it to tell: choose another limit"
    return (
        f"the interval holds the limit: about {math.ceil(samples * factor):,} samples of evaluation data instead of "
        f"{samples:,} would do (data: {{evaluation: …}} in the plan)"
    )


def _more_rounds(change: LatencyChange, span: Span, at: float) -> str:
    factor = _factor(span, at)
    wanted = [math.ceil(rounds * factor) if factor is not None else _MOST_ROUNDS + 1 for rounds in change.rounds]
    if max(wanted) > _MOST_ROUNDS:
        return f"the change is too near to it for {_MOST_ROUNDS:,} rounds to tell: choose another limit"
    first, second = wanted
    options = f"--rounds {first}" if first == second else f"--rounds {first} for A and --rounds {second} for B"
    return f"with {options} (rounds in the plan) it would be about narrow enough"


def _factor(span: Span, at: float) -> float | None:
    """How many times the launches or samples it takes for the interval to reach from the change just to the limit."""
    distance = abs(span.value - at)
    if span.low is None or span.high is None or distance == 0:
        return None
    # The side towards the limit: intervals of shares are not symmetric.
    half_width = span.value - span.low if at < span.value else span.high - span.value
    return max(1.0, (half_width / distance) ** 2)


def _percent(log_ratio: float) -> str:
    return f"{significant(100 * math.expm1(log_ratio), 2)} %"
