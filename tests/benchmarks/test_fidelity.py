"""benchmarks/fidelity: the goals are judged by what was measured, and a small case goes the whole way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import fidelity
from benchmarks.outcome import Row, versions, write_json


def row(ratio: float, spread: float = 0.01, runner_ms: float = 5.0, against: str = "python-loop") -> Row:
    return {
        "model": "m.onnx",
        "against": against,
        "runner_ms": runner_ms,
        "ratio": ratio,
        "ratio_low": ratio - spread,
        "ratio_high": ratio + spread,
    }


@pytest.mark.parametrize(
    ("rows", "close", "surely_close", "clearly_close", "never_slower"),
    [
        pytest.param([row(0.995)], True, True, True, True, id="within one percent"),
        pytest.param([row(1.03)], False, False, False, False, id="provably slower"),
        pytest.param([row(1.015)], False, True, False, False, id="provably slower, by less than one percent for sure"),
        pytest.param([row(1.02, spread=0.05)], False, True, False, True, id="slower, but not provably"),
        pytest.param([row(0.8)], False, False, False, True, id="faster by more than one percent"),
        pytest.param([row(0.8, against="itself"), row(1.0)], True, True, True, True, id="itself is no peer"),
        pytest.param([row(0.8, against="itself")], False, False, False, False, id="no peer was measured"),
        pytest.param([row(0.8, runner_ms=0.1), row(1.0)], True, True, True, True, id="a small model may be faster"),
        pytest.param([row(0.985, runner_ms=2), row(1.0)], False, True, True, True, id="a Python call's own cost"),
        pytest.param(
            [row(1.5, against="litert-script"), row(1.0)], False, False, False, True, id="the script is a peer"
        ),
        pytest.param([], False, False, False, False, id="nothing was measured"),
    ],
)
def test_goals(rows: list[Row], close: bool, surely_close: bool, clearly_close: bool, never_slower: bool):
    assert [goal.met for goal in fidelity.judge(rows)] == [close, surely_close, clearly_close, never_slower]


def test_a_small_case_goes_the_whole_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fidelity, "LAUNCH_NS", 1e6)  # the fewest iterations
    (case,) = (
        case for case in fidelity.make_cases(tmp_path, ("conv-small",), (1,)) if case.model.suffix == ".onnx"
    )  # fmt: skip

    rows = fidelity.measure([case], 2, tmp_path)
    write_json(tmp_path / "out.json", rows, fidelity.judge(rows), versions("onnxruntime", "no-such-package"))

    written = json.loads((tmp_path / "out.json").read_text())
    for result, against in zip(written["rows"], ("python-loop", "itself"), strict=True):
        assert (result["model"], result["against"], result["rounds"]) == ("conv-small.onnx", against, 2)
        assert 0 < result["ratio_low"] <= result["ratio"] <= result["ratio_high"]
    assert written["versions"]["no-such-package"] == "missing"
    assert written["machine"]["cores"] >= 1
