"""Tests of trend, by hand-computed examples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pocketbench.harness.measure.trend import clearest_step, mann_kendall_p, theil_sen_slope


def test_mann_kendall_of_a_rising_series():
    # All 10 pairs of 5 values rise: S = 10, variance 5 * 4 * 15 / 18; z = 9 / 4.0825 = 2.2045.
    assert mann_kendall_p(np.array([1, 2, 3, 5, 8])) == pytest.approx(0.027486, abs=1e-6)
    assert mann_kendall_p(np.array([8, 5, 3, 2, 1])) == pytest.approx(0.027486, abs=1e-6)


def test_mann_kendall_takes_ties_into_account():
    # S = 7 - 1 = 6, two pairs are equal; variance (5 * 4 * 15 - 2 * 1 * 9 - 2 * 1 * 9) / 18 = 14.6667; z = 5 / 3.8297.
    expected = math.erfc(5 / math.sqrt(2 * (300 - 18 - 18) / 18))

    assert mann_kendall_p(np.array([1, 1, 3, 2, 3])) == pytest.approx(expected)


def test_equal_values_have_no_trend():
    assert mann_kendall_p(np.ones(15)) == 1.0
    assert theil_sen_slope(np.ones(15)) == 0.0
    assert clearest_step(np.ones(15))[1] == 0.0


def test_slope_does_not_mind_a_wild_value():
    values = 3.0 * np.arange(9)
    values[4] = 1e6

    assert theil_sen_slope(values) == 3.0


def test_mann_kendall_of_noise_is_significant_as_often_as_it_says():
    random = np.random.default_rng(5)
    significant = sum(mann_kendall_p(random.normal(size=15)) < 0.05 for _ in range(4000))

    assert 132 <= significant <= 268  # 200 expected (the exact level at 15 is 4.6 %), five sd of 13.6


def test_step_is_found_where_it_is():
    values = np.array([1.0, 1.1, 1.0, 1.1, 5.0, 5.1, 5.0, 5.1, 5.0, 5.1])
    split, clearness = clearest_step(values)

    assert split == 4
    # Means 1.05 and 5.05, scatter 4 * 0.05^2 + 6 * 0.05^2 over 8 degrees of freedom.
    assert clearness == pytest.approx(4.0 / math.sqrt(0.025 / 8 * (1 / 4 + 1 / 6)))
    assert clearest_step(-values)[1] == pytest.approx(-clearness)


def test_a_step_without_noise_is_the_clearest():
    split, clearness = clearest_step(np.array([0.0, 0.0, 0.0, 1.0, 1.0]))

    assert split == 3
    assert clearness > 1e6


def test_a_single_value_is_no_level():
    split, _ = clearest_step(np.array([1.0, 1.1, 1.0, 1.1, 1.0, 9.0]))

    assert split == 4
