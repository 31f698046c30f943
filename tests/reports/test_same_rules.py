"""The report may not know the harness, so it has some of its rules once more: they must not drift apart."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import get_args

import numpy as np
import pytest

from pocketbench.harness.campaign import judging
from pocketbench.harness.measure import (
    assessment,
    comparison,
    launch_summary,
    planning,
    regimes,
    statistics,
    temperature,
    throttle,
    validity,
)
from pocketbench.harness.runner import protocol
from pocketbench.harness.runner.profiling import OperatorTime, conversions
from pocketbench.reports.campaign import Interval
from pocketbench.reports.findings import TARGET
from pocketbench.reports.flags import INVALID, MEANINGS
from pocketbench.reports.intervals import geometric_mean
from pocketbench.reports.joined import read_campaign
from pocketbench.reports.launch_facts import FULL_SPEED_SHARE, P90_FLOOR, P99_FLOOR
from pocketbench.reports.noise import beyond_noise, noise_floor
from pocketbench.reports.operators import is_conversion
from tests.reports.synthetic import make_tables

OPERATORS = (
    *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QUANTIZE", "DEQUANTIZE"),
    *("Convert (NC, F32, QS8)", "Convert", "CONV_2D", "QLinearConv", "FullyConnected (NC, QS8)", "quantize", ""),
)


@pytest.mark.parametrize("operator", OPERATORS)
def test_conversions_are_those_of_the_runner(operator: str):
    timed = OperatorTime(0, operator, "", "interpreter", 1, 1.0)

    assert is_conversion(operator) is bool(conversions([timed]))


def test_constants_are_those_of_the_protocol():
    assert FULL_SPEED_SHARE == throttle.RESIDENCY_FLOOR
    assert (P90_FLOOR, P99_FLOOR) == (launch_summary.P90_FLOOR, launch_summary.P99_FLOOR)
    assert TARGET == planning.HALF_WIDTH


def test_every_reason_and_flag_has_words():
    written = {flag for module in (assessment, regimes, temperature, protocol, judging) for flag in _quoted(module)}

    assert set(INVALID) == set(get_args(validity.Reason))
    # The two of drift are put together from the direction that was found.
    assert set(MEANINGS) - written == {"drift_slower", "drift_faster"}


def _quoted(module: ModuleType) -> set[str]:
    return set(re.findall(r'"([a-z]+(?:_[a-z]+)+)"', Path(module.__file__ or "").read_text(encoding="utf-8")))


@pytest.mark.parametrize("count", [1, 2, 5, 30])
@pytest.mark.parametrize("confidence", [0.95, 0.9675])
def test_intervals_are_those_of_the_statistics(count: int, confidence: float):
    values = [float(value) for value in np.random.default_rng(count).lognormal(size=count)]
    ours = geometric_mean(values, confidence)
    theirs = statistics.geometric_mean_interval(values, confidence=confidence)

    assert ours is not None
    assert theirs is not None
    assert [ours.value, ours.low, ours.high] == pytest.approx([theirs.value, theirs.low, theirs.high])


@pytest.mark.parametrize("floor", [1.0, 1.004, 0.96, 1.08])
@pytest.mark.parametrize("ratio", [(0.9, 0.85, 0.95), (1.0, 0.99, 1.01), (1.05, 1.01, 1.09), (1.02, 0.99, 1.05)])
def test_differences_are_those_of_the_comparison(ratio: tuple[float, float, float], floor: float):
    campaign = read_campaign(make_tables())
    copy = replace(campaign.copies[0], ratio=Interval(floor, floor * 0.99, floor * 1.01))
    campaign = replace(campaign, copies=(copy,))
    theirs = comparison.noise_floor(statistics.Estimate(floor, floor * 0.99, floor * 1.01, 5))

    own_floor = noise_floor(campaign, campaign.jobs[1])

    assert theirs is not None
    assert own_floor == pytest.approx(theirs.log_ratio)
    assert own_floor == pytest.approx(abs(math.log(floor)))
    is_difference = comparison.compare(statistics.Estimate(*ratio, 5), theirs).verdict == "difference"
    assert beyond_noise(Interval(*ratio), own_floor) is is_difference
