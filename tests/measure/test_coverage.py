"""Do 95 % intervals hold the truth 95 % of the time? Known truth, seeded draws.

With 4000 experiments the share itself is known to ±0.7 points (95 %).
"""

from __future__ import annotations

import numpy as np
import pytest

from pocketbench.harness.measure.statistics import geometric_mean_interval, paired_ratio

EXPERIMENTS = 4000
TRUE_NS = 1_000_000.0
BETWEEN, WITHIN = 0.02, 0.04  # relative sd between launches and within one
ITERATIONS = 100


def _launch_medians(random: np.random.Generator, launches: int) -> np.ndarray:
    """(EXPERIMENTS, launches): medians of launches that differ, each of iterations that vary around it."""
    centres = np.log(TRUE_NS) + random.normal(0, BETWEEN, (EXPERIMENTS, launches, 1))
    iterations = centres + random.normal(0, WITHIN, (EXPERIMENTS, launches, ITERATIONS))
    medians: np.ndarray = np.exp(np.median(iterations, axis=2))
    return medians


@pytest.mark.parametrize("launches", [2, 5, 10])
def test_interval_over_launches_covers_the_truth(launches: int):
    medians = _launch_medians(np.random.default_rng(launches), launches)

    held = 0
    for row in medians:
        estimate = geometric_mean_interval(row.tolist())
        assert estimate is not None
        assert estimate.low is not None
        assert estimate.high is not None
        held += estimate.low <= TRUE_NS <= estimate.high

    assert 0.94 <= held / EXPERIMENTS <= 0.96


def test_pooling_iterations_would_not():
    """Why launches and not iterations: the plain interval of the mean of all pooled samples is far too narrow."""
    random = np.random.default_rng(0)
    centres = random.normal(0, BETWEEN, (EXPERIMENTS, 5, 1))
    pooled = (centres + random.normal(0, WITHIN, (EXPERIMENTS, 5, ITERATIONS))).reshape(EXPERIMENTS, -1)
    spread = 1.96 * pooled.std(axis=1, ddof=1) / np.sqrt(pooled.shape[1])

    assert (np.abs(pooled.mean(axis=1)) <= spread).mean() < 0.4


def test_paired_interval_covers_the_ratio_although_the_device_slows_down():
    random = np.random.default_rng(7)
    rounds, ratio = 5, 0.9
    # Each round is slower than the one before: 8 % over the campaign, ten times the noise within a round.
    drift = np.linspace(0, 0.08, rounds)
    noise = random.normal(0, 0.008, (2, EXPERIMENTS, rounds))
    reference, variant = np.exp(drift + noise[0]), ratio * np.exp(drift + noise[1])

    held = 0
    for a, b in zip(variant, reference, strict=True):
        estimate = paired_ratio(dict(enumerate(a)), dict(enumerate(b)))
        assert estimate is not None
        assert estimate.low is not None
        assert estimate.high is not None
        held += estimate.low <= ratio <= estimate.high

    assert 0.94 <= held / EXPERIMENTS <= 0.96
