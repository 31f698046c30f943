"""The protocol on devices whose truth is known: a small and fast version of benchmarks/statistics.

Seeded; the bounds are five standard deviations of a binomial share from what docs/statistics.md has, so that another
version of numpy, with other draws, passes too.
"""

from __future__ import annotations

import math

import pytest

from benchmarks.statistics_campaigns import SCENARIOS, Scenario, protocol, usual_ways
from benchmarks.statistics_looks import looks_row

CAMPAIGNS = 150


def margin(share: float, count: int = CAMPAIGNS) -> float:
    return 5 * math.sqrt(share * (1 - share) / count)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_intervals_hold_and_equal_variants_are_equal(scenario: Scenario):
    found = protocol(scenario, CAMPAIGNS, seed=1)

    assert found.coverage >= 0.945 - margin(0.945)
    assert found.false_differences <= 0.05 + margin(0.05)


def test_a_difference_of_3_percent_is_found():
    quiet = next(scenario for scenario in SCENARIOS if scenario.noise.between == 0.003)

    assert protocol(quiet, CAMPAIGNS, seed=2).found == 1.0


@pytest.mark.parametrize(
    ("way", "least"),
    [("one launch, all iterations", 0.3), ("A..A B..B, all iterations", 0.3), ("ABAB, all iterations", 0.3)],
)
def test_the_usual_ways_call_equal_variants_different(way: str, least: float):
    """Launches that differ by 1.2 %: half of all comparisons are wrong, whatever the order."""
    noisy = next(scenario for scenario in SCENARIOS if scenario.name == "iterations independent, launches 1.2 %")

    assert usual_ways(noisy, CAMPAIGNS, seed=3)[way] >= least


def test_the_order_alone_makes_a_difference_on_a_device_that_slows_down():
    slowing = next(scenario for scenario in SCENARIOS if scenario.noise.slowdown)

    assert usual_ways(slowing, CAMPAIGNS, seed=4)["A..A B..B, launch medians"] >= 0.6


@pytest.mark.parametrize("spread", [0.003, 0.017, 0.06])
def test_looks_cost_no_coverage(spread: float):
    """0.017 is the worst: half of the campaigns end early because the spread was found too small."""
    row = looks_row(spread, 400, seed=5)

    assert float(row["coverage"] or 0) >= 0.947 - margin(0.947, 400)


def test_ending_at_the_first_difference_would():
    row = looks_row(0.06, 1000, seed=6)

    # 16 % expected, sd 1.2.
    assert float(row["false_if_stopped_at_a_difference"] or 0) >= 0.1
