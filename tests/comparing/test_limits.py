"""What `--fail-if` accepts, and on which side of a limit a change lies."""

from __future__ import annotations

import math

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.comparing.change import QualityChange, SizeChange
from pocketbench.harness.comparing.limits import Limit, Span, outcome, parse_limit, span_of, threshold
from pocketbench.reports.campaign import Interval, Quality
from pocketbench.reports.digits import quality_change


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("latency > +5%", Limit("latency", True, 5, True)),
        (" latency>+5.25 % ", Limit("latency", True, 5.25, True)),
        ("latency > -10%", Limit("latency", True, -10, True)),
        ("latency < -20%", Limit("latency", False, -20, True)),
        ("size > +0%", Limit("size", True, 0, True)),
        ("quality < -0.5%", Limit("quality", False, -0.5, True)),
        ("quality < -0.5", Limit("quality", False, -0.5, False)),
        ("quality < +1%", Limit("quality", False, 1, True)),
    ],
)
def test_limits_are_read(text: str, limit: Limit):
    assert parse_limit(text) == limit
    assert parse_limit(str(limit)) == limit


@pytest.mark.parametrize(
    "text",
    [
        *("", "latency", "latency > 5%", "latency >= +5%", "latency = +5%", "latency > +5ms", "latency > +5"),
        *("speed > +5%", "latency > +5% and size > +1%", "latency > +1e3%", "latency > +nan%", "latency > +٥%"),
        *("quality < −0.5%", "size < -100%", "latency > +12345%", "Latency > +5%", "latency > + 5%", "size > +1"),
    ],
)
def test_everything_else_is_refused_with_an_example(text: str):
    with pytest.raises(InputError, match="--fail-if: expected "):
        parse_limit(text)


@pytest.mark.parametrize("text", ["latency < +5%", "size < +1%", "quality > -0.5%"])
def test_limits_that_hold_only_where_it_is_worse_are_refused(text: str):
    with pytest.raises(InputError, match="fails where nothing has changed"):
        parse_limit(text)


SPANS = {
    "surely beyond": (0.06, 0.055, 0.065),
    "just beyond": (0.052, 0.0501, 0.054),
    "holds the limit": (0.06, 0.04, 0.08),
    "just within": (0.048, 0.046, 0.0499),
    "surely within": (0.0, -0.01, 0.01),
}


@pytest.mark.parametrize(
    ("name", "noise", "expected"),
    [
        ("surely beyond", 0.0, "fails"),
        ("surely beyond", 0.005, "fails"),
        ("surely beyond", 0.02, "cannot say"),
        ("just beyond", 0.0, "fails"),
        ("holds the limit", 0.0, "cannot say"),
        ("just within", 0.0, "holds"),
        ("just within", 0.01, "cannot say"),
        ("surely within", 0.02, "holds"),
        ("surely beyond", None, "cannot say"),
        ("surely within", None, "cannot say"),
    ],
)
def test_only_a_whole_interval_beyond_the_noise_decides(name: str, noise: float | None, expected: str):
    value, low, high = SPANS[name]
    above, below = Limit("latency", True, 5, True), Limit("latency", False, -5, True)

    assert outcome(above, Span(value, low, high, noise), 0.05) == expected
    assert outcome(below, Span(-value, -high, -low, noise), -0.05) == expected


def test_without_an_interval_nothing_is_decided():
    assert outcome(Limit("latency", True, 5, True), Span(3.0, None, None, 0.0), 0.05) == "cannot say"


def test_a_size_that_is_exactly_at_the_limit_holds():
    change = SizeChange(1000, 1000)
    limit = parse_limit("size > +0%")
    at = threshold(limit, change)

    assert at is not None
    assert outcome(limit, span_of(change), at) == "holds"
    assert outcome(limit, span_of(SizeChange(1000, 1001)), at) == "fails"


def test_a_file_of_no_bytes_is_smaller_than_any_limit():
    change = SizeChange(1000, 0)

    assert outcome(parse_limit("size < -99%"), span_of(change), math.log(0.01)) == "fails"
    assert outcome(parse_limit("size > +1%"), span_of(change), math.log(1.01)) == "holds"


def quality(metric: str, before: float) -> QualityChange:
    figure = Quality(metric, Interval(before, None, None), True, 100)
    return QualityChange(figure, figure, Interval(0.0, None, None), "no interval")


@pytest.mark.parametrize(
    ("text", "metric", "before", "at"),
    [
        ("quality < -0.5", "top-1", 0.8, -0.005),
        ("quality < -0.5%", "top-1", 0.8, -0.004),
        ("quality < -0.5", "python:mine.score", 20.0, -0.5),
        ("quality < -0.5%", "python:mine.score", -20.0, -0.1),
        ("quality < -0.5%", "python:mine.score", 0.0, None),
    ],
)
def test_a_limit_of_quality_is_a_share_or_in_the_unit_it_is_shown_in(
    text: str, metric: str, before: float, at: float | None
):
    found = threshold(parse_limit(text), quality(metric, before))

    assert found == (None if at is None else pytest.approx(at))


@pytest.mark.parametrize("metric", ["top-1", "top-5", "top-10", "top-0", "mean-absolute-error", "my-top-1"])
def test_percentage_points_are_where_the_report_shows_them(metric: str):
    shows_points = quality_change(metric, -0.005, Interval(0.9, None, None)).endswith("points")

    at = threshold(parse_limit("quality < -0.5"), quality(metric, 0.9))

    assert at == pytest.approx(-0.005 if shows_points else -0.5)
