"""What one launch says."""

from __future__ import annotations

import numpy as np
import pytest

from pocketbench.harness.measure.launch_summary import LaunchSummary, launch_p90, launch_p99, summarise_launch


def test_warmup_counts_but_does_not_enter_the_figures():
    latencies = np.array([900, 800, 10, 20, 45], np.int64)
    steady = np.array([False, False, True, True, True])

    assert summarise_launch(latencies, steady) == LaunchSummary(
        3, 2, median_ns=20.0, p90_ns=None, p99_ns=None, mean_ns=25.0
    )


def test_an_outlier_moves_the_mean_and_not_the_median():
    summary = summarise_launch(np.array([10] * 9 + [10_000]), np.ones(10, bool))

    assert (summary.median_ns, summary.mean_ns) == (10.0, 1009.0)


def test_p90_needs_64_iterations():
    assert launch_p90(np.arange(63)) is None
    assert launch_p90(np.arange(101)) == 90.0
    assert launch_p90(np.arange(64)) == pytest.approx(56.7)


def test_p99_needs_662_iterations():
    assert launch_p99(np.arange(661)) is None
    assert launch_p99(np.arange(1001)) == 990.0
    assert summarise_launch(np.arange(662), np.ones(662, bool)).p99_ns == pytest.approx(654.39)


def test_a_launch_of_warmup_alone_is_refused():
    with pytest.raises(ValueError, match="steady iteration"):
        summarise_launch(np.array([1, 2]), np.zeros(2, bool))
