"""benchmarks/sampler: the goals are judged by the row at 10 Hz, hits are found, and short launches go the whole way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks import sampler
from benchmarks.outcome import Row, versions, write_json
from benchmarks.sampler_hits import Hits, find_hits
from pocketbench.harness.runner.results import SAMPLE_DTYPE, BenchOptions, BenchResult, Sampling
from pocketbench.harness.runner.sensing import Reading, SensorRequest
from tests.needs import require_that
from tests.runner.tiny_models import dense_onnx


def row(
    ratio: float = 1.0, high: float = 1.004, hit_percent: float | None = 3.0, hit_high: float | None = 1.1, hz: int = 10
) -> Row:
    return {
        "rate_hz": hz,
        "ratio": ratio,
        "ratio_high": high,
        "hit_percent": hit_percent,
        "hit_high": hit_high,
    }


@pytest.mark.parametrize(
    ("rows", "met"),
    [
        pytest.param([row()], [True, True, True], id="next to nothing"),
        pytest.param([row(1.004, 1.02)], [True, False, True], id="little, but not for sure"),
        pytest.param([row(1.006, 1.02)], [False, False, True], id="too much"),
        pytest.param([row(0.99, 0.995)], [True, True, True], id="less than nothing"),
        pytest.param([row(hit_high=1.2)], [True, True, False], id="too much in few iterations"),
        pytest.param([row(hit_percent=None, hit_high=None)], [True, True, False], id="nothing was read meanwhile"),
        pytest.param([row(), row(1.5, 1.6, hz=100)], [True, True, True], id="other rates are not judged"),
    ],
)
def test_goals(rows: list[Row], met: list[bool]):
    assert [goal.met for goal in sampler.judge(rows)] == met


def bench(*readings: tuple[int, int]) -> BenchResult:
    """A warm-up iteration, then steady ones at 1000, 1100, … of 50, 51, … ns; `readings` are a start and a length."""
    samples = [(900, 90, False), *((1000 + 100 * number, 50 + number, True) for number in range(10))]
    sampling = Sampling(tuple(Reading(0, start, length, b"", None) for start, length in readings), 0, 0, 1, ())
    return BenchResult(np.array(samples, SAMPLE_DTYPE), None, 0, 0, 0, (), (), sampling=sampling)


@pytest.mark.parametrize(
    ("readings", "hits"),
    [
        pytest.param([(1810, 5)], Hits(0.1, 58 / 55), id="within one"),
        pytest.param([(1790, 20)], Hits(0.1, 58 / 55), id="begun before"),
        pytest.param([(1750, 60)], Hits(0.2, 57.5 / 54.5), id="over two"),
        pytest.param([(1810, 5), (1820, 5)], Hits(0.1, 58 / 55), id="two in one"),
        pytest.param([(1410, 5), (1810, 5)], Hits(0.2, 56 / 53), id="two"),
        pytest.param([(910, 5), (1660, 30)], None, id="in the warm-up and between"),
        pytest.param([(1110, 5)], None, id="nothing to compare with"),
        pytest.param([(1600, 300)], None, id="too many"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_hits(readings: list[tuple[int, int]], hits: Hits | None):
    assert find_hits(bench(*readings), period_ns=600) == hits


def test_each_rate_is_a_period_of_all_nodes():
    nodes = [SensorRequest(1000, "node", ("/proc/stat",)), SensorRequest(5000, "node", ("/proc/loadavg",))]

    cases = {case.name: case.sampler for case in sampler.make_cases(nodes, (1,))}

    assert cases.pop("without") is cases.pop("without, again") is None
    assert {
        name: (options.cores, [one.period_ms for one in options.sensors]) for name, options in cases.items() if options
    } == {
        "own rates": ((1,), [1000, 5000]),
        "1 Hz": ((1,), [1000, 1000]),
        "10 Hz": ((1,), [100, 100]),
        "100 Hz": ((1,), [10, 10]),
    }


def test_short_launches_go_the_whole_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cores = sorted(os.sched_getaffinity(0))
    require_that(len(cores) > 1, f"expected two cores, got {cores}: run the tests with more")
    monkeypatch.setattr(sampler, "LAUNCH", BenchOptions(iterations=5, min_time_ms=250))
    nodes = [SensorRequest(1000, "node", ("/proc/stat",))]
    runner = sampler.runner_of(dense_onnx(tmp_path / "model.onnx"), tmp_path)

    rows = sampler.measure(runner, sampler.make_cases(nodes, (cores[1],)), cores[0], rounds=2)
    write_json(tmp_path / "out.json", rows, sampler.judge(rows), versions("onnxruntime"))

    written = json.loads((tmp_path / "out.json").read_text())
    assert [(row["case"], row["rate_hz"], row["nodes"], row["rounds"]) for row in written["rows"]] == [
        ("without, again", None, 0, 2),
        ("own rates", None, 1, 2),
        ("1 Hz", 1, 1, 2),
        ("10 Hz", 10, 1, 2),
        ("100 Hz", 100, 1, 2),
    ]
    for result in written["rows"]:
        assert 0 < result["ratio_low"] <= result["ratio"] <= result["ratio_high"]
        assert (result["readings_per_s"] > 0) == (result["nodes"] > 0)
    assert len(written["goals"]) == 3
