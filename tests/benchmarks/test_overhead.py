"""benchmarks/overhead: the goals are judged by what was measured, and short launches go the whole way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import overhead
from benchmarks.outcome import Row, versions, write_json
from benchmarks.overhead_links import links
from pocketbench.harness.runner.results import SAMPLE_DTYPE, BenchOptions, BenchResult
from tests.runner.tiny_models import dense_onnx


def row(median_ms: float, round_trip_ms: float = 0.0, launch: str = "standing", transport: str = "ssh") -> Row:
    return {"transport": transport, "round_trip_ms": round_trip_ms, "launch": launch, "median_ms": median_ms}


@pytest.mark.parametrize(
    ("rows", "met"),
    [
        pytest.param([row(150)], [True], id="in time"),
        pytest.param([row(151)], [False], id="too long"),
        pytest.param([row(20), row(230, 40)], [True], id="two round trips more, far away"),
        pytest.param([row(20), row(231, 40)], [False], id="too long, far away"),
        pytest.param([row(900, launch="first"), row(20)], [True], id="connecting is not judged"),
        pytest.param([row(20), row(200, transport="adb direct")], [True, False], id="each transport by itself"),
    ],
)
def test_goals(rows: list[Row], met: list[bool]):
    assert [goal.met for goal in overhead.judge(rows)] == met


def test_what_the_runner_was_busy_with_is_no_overhead():
    samples = np.array([(1000, 5, False), (1010, 5, True), (1100, 7, True)], SAMPLE_DTYPE)
    result = BenchResult(samples, None, 10_000, 200_000, 3_000_000, (), ())

    assert overhead.busy_ns(result) == 3_210_107


def test_short_launches_go_the_whole_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(overhead, "OPTIONS", BenchOptions(iterations=2, min_time_ms=0))
    delay_ms = 5.0
    with links(delay_ms) as reachable:
        rows = overhead.measure(reachable, dense_onnx(tmp_path / "model.onnx"), rounds=1)
    write_json(tmp_path / "out.json", rows, overhead.judge(rows), versions("paramiko"))

    written = json.loads((tmp_path / "out.json").read_text())
    assert {(row["transport"], row["round_trip_ms"], row["launch"]) for row in written["rows"]} == {
        (transport, round_trip_ms, launch)
        for transport, distances in (
            ("local", (0,)),
            *((name, (0, 10)) for name in ("ssh", "adb direct", "adb server")),
        )
        for round_trip_ms in distances
        for launch in ("first", "standing")
    }
    for written_row in written["rows"]:
        assert written_row["median_ms"] > 0
        assert (written_row["calls"], written_row["launches"]) == (1, 1)
        assert (written_row["round_trips"] is None) == (written_row["round_trip_ms"] == 0)
    assert [goal["name"].partition(":")[0] for goal in written["goals"]] == ["local", "ssh", "adb direct", "adb server"]


def test_a_distance_takes_its_time(tmp_path: Path):
    """In both directions: whatever else the computer does, nothing arrives earlier."""
    delay_ms = 30.0
    with links(delay_ms) as reachable:
        (link,) = (link for link in reachable if (link.transport, link.round_trip_ms) == ("ssh", 2 * delay_ms))
        with link.connect() as transport:
            transport.run(["true"], timeout_s=60)
            completed = transport.run(["true"], timeout_s=60)

    assert completed.duration_s >= 2 * delay_ms / 1e3
