"""`--fail-if "latency > +5%"`: what is read from it, and on which side of it a change lies."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from pocketbench.checked.errors import InputError
from pocketbench.harness.comparing.change import LatencyChange, QualityChange, SizeChange

__all__ = ["Limit", "Metric", "Outcome", "Span", "outcome", "parse_limit", "span_of", "threshold"]

Metric = Literal["latency", "size", "quality"]
Outcome = Literal["fails", "holds", "cannot say"]
_LIMIT = re.compile(r"(latency|size|quality) *([<>]) *([+-]\d{1,4}(?:\.\d{1,6})?) ?(%?)", re.ASCII)
# Metrics that are shares and shown in percentage points, as in reports/digits.py.
_POINTS = re.compile(r"top-[1-9][0-9]*", re.ASCII)
_EXAMPLES = "'latency > +5%', 'size > +1%' or 'quality < -0.5%'"


@dataclass(frozen=True, slots=True)
class Limit:
    """`amount` in percent of A's value, or of quality without `%` in percentage points (top-k) or the metric's unit.

    Quality counts as more where it is better, also of a metric of which less is better.
    """

    metric: Metric
    is_above: bool
    amount: float
    is_percent: bool

    def __str__(self) -> str:
        unit = "%" if self.is_percent else ""
        return f"{self.metric} {'>' if self.is_above else '<'} {self.amount:+g}{unit}"


@dataclass(frozen=True, slots=True)
class Span:
    """A change and its interval on a scale where changes add up: logarithms of latency and size, quality as it is.

    `noise` is what a difference must be larger than whatever the interval says; None where it is not known.
    """

    value: float
    low: float | None
    high: float | None
    noise: float | None


def parse_limit(text: str) -> Limit:
    """InputError where it is not exactly of this form, or where nothing at all that changed would fail."""
    match = _LIMIT.fullmatch(text.strip())
    if match is None:
        raise InputError(
            f"--fail-if: expected a metric (latency, size, quality), < or >, and a change with its sign, such as "
            f"{_EXAMPLES}, got {text!r}."
        )
    metric: Metric = "latency" if match[1] == "latency" else "size" if match[1] == "size" else "quality"
    limit = Limit(metric, match[2] == ">", float(match[3]), match[4] == "%")
    if metric != "quality" and not limit.is_percent:
        raise InputError(f"--fail-if: expected a change in percent of {metric}, such as {_EXAMPLES}, got {text!r}.")
    if metric != "quality" and limit.amount <= -100:
        raise InputError(f"--fail-if: expected a change of {metric} above -100%, got {text!r}.")
    is_better = limit.is_above == (metric == "quality")
    if is_better and limit.amount * (1 if limit.is_above else -1) < 0:
        raise InputError(
            f"--fail-if: expected a change for the worse, such as {_EXAMPLES}, got {text!r}, which fails where nothing "
            "has changed and holds where it is worse."
        )
    return limit


def span_of(change: LatencyChange | SizeChange | QualityChange) -> Span:
    """The change on the scale that limits are compared on."""
    if isinstance(change, SizeChange):
        # A file of no bytes is smaller than any limit says.
        log = math.log(change.ratio) if change.after_bytes else -math.inf
        return Span(log, log, log, 0.0)
    if isinstance(change, QualityChange):
        return Span(change.gain.value, change.gain.low, change.gain.high, 0.0)
    ratio = change.ratio
    low, high = (None if bound is None else math.log(bound) for bound in (ratio.low, ratio.high))
    return Span(math.log(ratio.value), low, high, change.noise)


def threshold(limit: Limit, change: LatencyChange | SizeChange | QualityChange) -> float | None:
    """Where the limit lies on that scale; None for percent of a quality of 0."""
    if not isinstance(change, QualityChange):
        return math.log1p(limit.amount / 100)
    if limit.is_percent:
        base = abs(change.before.interval.value)
        return limit.amount / 100 * base if base else None
    return limit.amount / 100 if _POINTS.fullmatch(change.after.metric) else limit.amount


def outcome(limit: Limit, span: Span, at: float) -> Outcome:
    """Fails or holds only where the whole interval lies on one side of `at`, by more than the noise."""
    if span.low is None or span.high is None or span.noise is None:
        return "cannot say"
    sign = 1 if limit.is_above else -1
    near, far = sorted((sign * (span.low - at), sign * (span.high - at)))
    distance = sign * (span.value - at)
    if near > 0 and distance > span.noise:
        return "fails"
    return "holds" if far <= 0 and -distance >= span.noise else "cannot say"
