"""Cold start over launches."""

from __future__ import annotations

import pytest

from pocketbench.harness.measure.cold_start import ColdStart, median_cold_start


def test_each_part_has_its_own_median():
    starts = [ColdStart(1, 20, 300, "warm"), ColdStart(2, 90, 100, "warm"), ColdStart(9, 10, 200, "warm")]

    assert median_cold_start(starts) == ColdStart(2, 20, 200, "warm")
    assert median_cold_start(starts).total_ns == 222


def test_page_caches_are_not_mixed():
    with pytest.raises(ValueError, match=r"one state, got \['dropped', 'warm'\]"):
        median_cold_start([ColdStart(1, 1, 1, "warm"), ColdStart(1, 1, 1, "dropped")])


def test_no_launch():
    with pytest.raises(ValueError, match="got none"):
        median_cold_start([])
