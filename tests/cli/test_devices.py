"""`pocketbench device`: register, list, show, remove, and measure on what was registered."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pocketbench.checked.errors import InputError
from pocketbench.device_profiles.loader import load_profile_file
from pocketbench.harness.cli.main import app
from pocketbench.harness.store.hold import hold_device
from tests.runner.tiny_models import dense_onnx

CommandLine = Callable[..., Result]


@pytest.fixture
def pocketbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Run in this process; errors come out as exceptions, as `main` prints them."""
    monkeypatch.setenv("POCKETBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return lambda *argv: CliRunner().invoke(app, list(map(str, argv)), catch_exceptions=False)


def test_add_list_show_remove(pocketbench: CommandLine, tmp_path: Path):
    assert pocketbench("device", "add", "local:", "--name", "bench-pc", "--directory", tmp_path / "pb").exit_code == 0

    listed = json.loads(pocketbench("device", "list", "--json").stdout)
    shown = json.loads(pocketbench("device", "show", "bench-pc", "--json").stdout)

    assert [device["name"] for device in listed] == ["local", "bench-pc"]
    assert shown["device"]["profile"] == "this-computer"
    assert shown["facts"]["architecture"]
    assert shown["profile"]["version"] == 1
    assert pocketbench("device", "remove", "bench-pc").exit_code == 0
    assert [device["name"] for device in json.loads(pocketbench("device", "list", "--json").stdout)] == ["local"]


def test_a_registered_device_is_measured_in_its_own_directory(pocketbench: CommandLine, tmp_path: Path):
    dense_onnx(tmp_path / "dense.onnx")
    pocketbench("device", "add", "local:", "--name", "bench-pc", "--directory", tmp_path / "pb")

    result = pocketbench("bench", "dense.onnx", "--on", "bench-pc", "--quick", "--rounds", "1")

    assert result.exit_code == 0
    assert (tmp_path / "pb" / "deployments" / "dense.onnx").is_dir()
    (row,) = json.loads(pocketbench("results", "show", "last", "--json").stdout)
    assert (row["device"], row["status"]) == ("bench-pc", "ok")


def test_a_recorded_session_is_replayed_to_the_same_answers(pocketbench: CommandLine, tmp_path: Path):
    shown = json.loads(pocketbench("device", "show", "local", "--json", "--record", "bug.jsonl").stdout)["facts"]
    place = tmp_path / "home/device"

    added = pocketbench("device", "add", "replay:bug.jsonl", "--name", "bug", "--directory", place).stdout

    assert "replayed" in added
    assert json.loads(pocketbench("device", "show", "bug", "--json").stdout)["facts"] == shown
    with pytest.raises(InputError, match=r"bug\.jsonl"):  # never written over
        pocketbench("device", "show", "local", "--record", "bug.jsonl")


def test_a_drafted_profile_is_one_that_loads(pocketbench: CommandLine, tmp_path: Path):
    text = pocketbench("device", "profile", "draft", "local", "--profile", "my-board").stdout

    (tmp_path / "my-board.yaml").write_text(text)

    assert load_profile_file(tmp_path / "my-board.yaml").cores


def test_a_device_is_checked_question_by_question(pocketbench: CommandLine):
    result = pocketbench("device", "check", "local", "--json")

    rows = {row["question"]: row for row in json.loads(result.stdout)}
    answers = [
        rows[f"{engine} {precision}"] for engine in ("LiteRT", "ONNX Runtime") for precision in ("float32", "int8")
    ]
    assert {row["status"] for row in answers} == {"ok"}
    assert rows["reachable"]["status"] == rows["runner"]["status"] == "ok"
    assert result.exit_code == (3 if any(row["status"] == "fail" for row in rows.values()) else 0)


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_results_are_exported_with_every_sample(suffix: str, pocketbench: CommandLine, tmp_path: Path):
    import pandas as pd

    dense_onnx(tmp_path / "dense.onnx")
    pocketbench("bench", "dense.onnx", "--quick", "--rounds", "1")
    target = tmp_path / f"samples.{suffix}"

    traces = pocketbench("results", "export", "last", "--table", "traces").stdout
    assert "memory_bytes" in traces
    assert pocketbench("results", "export", "last", "--table", "samples", "--output", target).exit_code == 0

    readers: dict[str, Any] = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet}
    samples = readers[suffix](target)
    assert list(samples.columns) == ["launch_id", "stream", "iteration", "kind", "start_ns", "latency_ns"]
    assert (samples["kind"] == "steady").sum() >= 100
    assert (samples["latency_ns"] > 0).all()


def test_a_device_that_is_being_measured_is_not_changed(pocketbench: CommandLine, tmp_path: Path):
    dense_onnx(tmp_path / "dense.onnx")
    pocketbench("deploy", "dense.onnx")

    with hold_device(tmp_path / "home", "local:"):
        for argv in (("dense.onnx",), ("rollback", "dense.onnx"), ("remove", "dense.onnx")):
            with pytest.raises(InputError, match="working on"):
                pocketbench("deploy", *argv)
        assert pocketbench("deploy", "status").exit_code == 0


def test_an_unfinished_deployment_is_shown_as_one(pocketbench: CommandLine, tmp_path: Path):
    (tmp_path / "home" / "device" / "deployments" / "cut").mkdir(parents=True)

    assert "an unfinished deployment" in pocketbench("deploy", "status").stdout
