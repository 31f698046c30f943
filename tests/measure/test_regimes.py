"""What a launch has to have measured in each regime."""

from __future__ import annotations

import numpy as np
import pytest

from pocketbench.harness.measure.regimes import BURST, SUSTAINED, Regime, shortfalls


@pytest.mark.parametrize(
    ("latency_ms", "count", "regime", "expected"),
    [
        pytest.param(10, 600, BURST, (), id="6 s of 10 ms"),
        pytest.param(10, 400, BURST, ("short_span",), id="4 s"),
        pytest.param(80, 99, BURST, ("few_iterations",), id="99 where 100 fit"),
        pytest.param(80, 130, BURST, ("long_span",), id="10.4 s"),
        pytest.param(200, 30, BURST, (), id="30 of a slow model"),
        pytest.param(200, 29, BURST, ("few_iterations",), id="29 of a slow model"),
        pytest.param(500, 30, BURST, (), id="30 of a model so slow that they take longer"),
        pytest.param(10, 600, SUSTAINED, ("short_span",), id="6 s is not sustained"),
        pytest.param(10, 6000, SUSTAINED, (), id="a minute is"),
        pytest.param(1000, 99, SUSTAINED, ("few_iterations",), id="sustained always has room for 100"),
    ],
)
def test_shortfalls(latency_ms: float, count: int, regime: Regime, expected: tuple[str, ...]):
    latency_ns = np.full(count, latency_ms * 1e6)

    assert shortfalls(np.cumsum(latency_ns) - latency_ns, latency_ns, regime) == expected


def test_nothing_was_measured():
    assert shortfalls(np.array([]), np.array([]), BURST) == ("few_iterations",)
