"""Intervals over launches, by hand-computed examples and at their edges."""

from __future__ import annotations

import math

import pytest

from pocketbench.harness.measure.statistics import Estimate, geometric_mean_interval, paired_ratio


def test_geometric_mean_and_interval_of_three_launches():
    # Logarithms 0, ln 2, ln 4: mean ln 2, sd ln 2, t(0.975, 2) = 4.302653; half-width 4.302653 * ln 2 / sqrt(3).
    estimate = geometric_mean_interval([1.0, 2.0, 4.0])

    assert estimate is not None
    half_width = 4.302652729911275 * math.log(2) / math.sqrt(3)
    assert estimate.value == pytest.approx(2.0)
    assert estimate.low == pytest.approx(2.0 * math.exp(-half_width))
    assert estimate.high == pytest.approx(2.0 * math.exp(half_width))
    assert estimate.count == 3


def test_one_launch_has_a_value_and_no_interval():
    assert geometric_mean_interval([1.0]) == Estimate(1.0, None, None, 1)


def test_no_launch_has_no_estimate():
    assert geometric_mean_interval([]) is None


def test_equal_launches_have_an_interval_of_no_width():
    estimate = geometric_mean_interval([3.0, 3.0, 3.0])

    assert estimate is not None
    assert (estimate.low, estimate.value, estimate.high) == pytest.approx((3.0, 3.0, 3.0))


@pytest.mark.parametrize("latency", [0.0, -1.0, math.nan, math.inf])
def test_what_is_no_latency_is_refused(latency: float):
    with pytest.raises(ValueError, match=r"above 0"):
        geometric_mean_interval([1.0, latency])


def test_ratio_pairs_rounds_so_that_a_slow_round_cancels_out():
    # Rounds differ by a factor of 10, the ratio within each is 1/2.
    estimate = paired_ratio({0: 1.0, 1: 10.0, 2: 100.0}, {0: 2.0, 1: 20.0, 2: 200.0})

    assert estimate is not None
    assert (estimate.low, estimate.value, estimate.high) == pytest.approx((0.5, 0.5, 0.5))


def test_ratio_of_two_rounds_by_hand():
    # Per-round ratios 1 and 4: mean of logs ln 2, sd ln 4 / sqrt(2), t(0.975, 1) = 12.706205.
    estimate = paired_ratio({0: 1.0, 1: 4.0}, {0: 1.0, 1: 1.0})

    assert estimate is not None
    half_width = 12.706204736174705 * math.log(4) / math.sqrt(2) / math.sqrt(2)
    assert estimate.value == pytest.approx(2.0)
    assert estimate.high == pytest.approx(2.0 * math.exp(half_width))


def test_rounds_that_one_side_misses_do_not_count():
    estimate = paired_ratio({0: 2.0, 1: 999.0, 3: 2.0}, {0: 1.0, 2: 999.0, 3: 1.0})

    assert estimate is not None
    assert estimate.value == pytest.approx(2.0)
    assert estimate.count == 2


def test_no_common_round_has_no_ratio():
    assert paired_ratio({0: 1.0}, {1: 1.0}) is None
    assert paired_ratio({}, {}) is None


def test_ratio_to_itself_is_exactly_one():
    medians = {0: 1.1, 1: 2.3, 2: 0.7}

    assert paired_ratio(medians, medians) == Estimate(1.0, 1.0, 1.0, 3)


def test_turning_the_ratio_around_inverts_value_and_interval():
    a, b = {0: 1.0, 1: 1.3, 2: 0.9}, {0: 2.0, 1: 2.1, 2: 2.4}
    forth, back = paired_ratio(a, b), paired_ratio(b, a)

    assert forth is not None
    assert back is not None
    assert forth.low is not None
    assert (forth.value, forth.low) == pytest.approx((1 / back.value, 1 / (back.high or 0)))


def test_a_wider_interval_at_a_higher_confidence_and_it_says_so():
    usual = geometric_mean_interval([1.0, 2.0, 4.0])
    wider = paired_ratio({0: 1.0, 1: 2.0, 2: 4.0}, dict.fromkeys(range(3), 1.0), confidence=0.99)

    assert usual is not None
    assert wider is not None
    assert (usual.confidence, wider.confidence) == (0.95, 0.99)
    # t(0.995, 2) = 9.924843 and t(0.975, 2) = 4.302653
    assert wider.half_width == pytest.approx((usual.half_width or 0) * 9.92484320 / 4.30265273)


def test_half_width_is_that_of_the_logarithm():
    assert Estimate(1.0, 1 / 1.1, 1.1, 5).half_width == pytest.approx(math.log(1.1))
    assert Estimate(1.0, None, None, 1).half_width is None


@pytest.mark.parametrize(
    ("estimate", "excludes"),
    [
        (Estimate(0.9, 0.8, 0.99, 5), True),
        (Estimate(1.2, 1.01, 1.4, 5), True),
        (Estimate(1.0, 0.9, 1.1, 5), False),
        (Estimate(1.1, 1.0, 1.2, 5), False),
        (Estimate(0.5, None, None, 1), False),
    ],
)
def test_excludes_1(estimate: Estimate, excludes: bool):
    assert estimate.excludes_1 is excludes
