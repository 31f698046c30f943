"""The ratio of two ratios: turned around, without spread, and with a known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import stdtrit

from pocketbench.harness.comparing.combined import ratio_of_ratios
from pocketbench.harness.measure.looks import LOOKS, LOOKS_CONFIDENCE
from pocketbench.harness.measure.statistics import CONFIDENCE, Estimate, geometric_mean_interval

# The share of those that hold is known to ±0.7 points.
EXPERIMENTS = 4000
BEFORE, AFTER = 0.5, 0.55
TRUTH = 1.1


def estimate(values: np.ndarray, confidence: float = CONFIDENCE) -> Estimate:
    found = geometric_mean_interval(values.tolist(), confidence=confidence)
    assert found is not None
    return found


def ratios(seed: int, rounds: int, deviation: float = 0.01) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).normal(0, deviation, rounds))


def test_half_widths_add_up_as_squares_do():
    before, after = estimate(ratios(1, 8)), estimate(1.3 * ratios(2, 12, 0.02))
    assert before.half_width is not None
    assert after.half_width is not None

    found = ratio_of_ratios(before, after)

    assert found.value == pytest.approx(after.value / before.value)
    assert found.half_width == pytest.approx(math.hypot(before.half_width, after.half_width))
    assert found.count == 8


def test_b_against_a_is_a_against_b_turned_around():
    before, after = estimate(ratios(4, 6)), estimate(1.3 * ratios(5, 9))
    there, back = ratio_of_ratios(before, after), ratio_of_ratios(after, before)

    assert back.value == pytest.approx(1 / there.value)
    assert there.low is not None
    assert back.high == pytest.approx(1 / there.low)


def test_one_round_gives_no_interval():
    found = ratio_of_ratios(estimate(ratios(6, 1)), estimate(ratios(7, 5)))

    assert (found.low, found.high, found.count) == (None, None, 1)


def test_campaigns_without_any_spread_are_exact():
    found = ratio_of_ratios(estimate(np.full(3, 0.5)), estimate(np.full(4, 0.75)))

    assert (found.value, found.low, found.high) == pytest.approx((1.5, 1.5, 1.5))


def test_the_confidence_is_that_of_the_campaign_that_added_rounds():
    assert ratio_of_ratios(estimate(ratios(8, 5)), estimate(ratios(9, 5), LOOKS_CONFIDENCE)).confidence == 0.9675


@pytest.mark.parametrize(
    ("rounds_before", "rounds_after", "after_deviation"), [(5, 5, 0.01), (3, 10, 0.03), (8, 5, 1.0), (2, 30, 0.01)]
)
def test_interval_holds_the_truth(rounds_before: int, rounds_after: int, after_deviation: float):
    random = np.random.default_rng(rounds_before)
    before = np.exp(random.normal(math.log(BEFORE), 0.01, (EXPERIMENTS, rounds_before)))
    after = np.exp(random.normal(math.log(AFTER), after_deviation, (EXPERIMENTS, rounds_after)))

    held = share_that_hold([(estimate(own), estimate(other)) for own, other in zip(before, after, strict=True)])

    # From 95 % where one campaign has all the noise to 98 % where both have as much in few rounds.
    assert 0.943 <= held <= 0.99


def test_the_usual_interval_would_not_where_one_campaign_had_two_rounds():
    random = np.random.default_rng(2)
    rows = zip(
        np.exp(random.normal(math.log(BEFORE), 0.01, (EXPERIMENTS, 2))),
        np.exp(random.normal(math.log(AFTER), 0.01, (EXPERIMENTS, 30))),
        strict=True,
    )

    assert np.mean([welch_holds(estimate(before), estimate(after)) for before, after in rows]) < 0.9


def test_interval_holds_the_truth_where_rounds_were_added_until_they_sufficed():
    """Each campaign ends at the first look at which its own interval is ±1 %: where its spread was found too small."""
    random = np.random.default_rng(11)
    pairs = [(until_precise(random, BEFORE), until_precise(random, AFTER)) for _ in range(EXPERIMENTS)]

    assert {before.count for before, _ in pairs} == set(LOOKS)
    assert 0.943 <= share_that_hold(pairs) <= 0.97
    assert np.mean([welch_holds(before, after) for before, after in pairs]) < 0.943


def until_precise(random: np.random.Generator, ratio: float) -> Estimate:
    # The noise at which stopping costs most coverage.
    values = ratio * np.exp(random.normal(0, 0.015, LOOKS[-1]))
    for look in LOOKS:
        found = estimate(values[:look], LOOKS_CONFIDENCE)
        if found.half_width is not None and found.half_width <= 0.01:
            break
    return found


def share_that_hold(pairs: list[tuple[Estimate, Estimate]]) -> float:
    found = [ratio_of_ratios(before, after) for before, after in pairs]
    return sum(one.low is not None and one.high is not None and one.low <= TRUTH <= one.high for one in found) / len(
        pairs
    )


def welch_holds(before: Estimate, after: Estimate) -> bool:
    """What is usually done: one t interval from both variances."""
    variances, freedoms = [], []
    for one in (before, after):
        assert one.half_width is not None
        freedoms.append(one.count - 1)
        variances.append((one.half_width / float(stdtrit(one.count - 1, (1 + one.confidence) / 2))) ** 2)
    variance = sum(variances)
    freedom = variance**2 / sum(own**2 / degrees for own, degrees in zip(variances, freedoms, strict=True))
    half_width = float(stdtrit(freedom, (1 + before.confidence) / 2)) * math.sqrt(variance)
    return abs(math.log(after.value / before.value / TRUTH)) <= half_width
