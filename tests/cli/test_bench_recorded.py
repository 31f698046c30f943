"""`bench --record` and `run --record`: what a user sends, and what its reader does with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from pocketbench.harness.cli.main import app
from tests.devices.sshd import Sshd
from tests.runner.tiny_models import dense_onnx, dense_tflite

CommandLine = Callable[..., Result]
PLAN = """
version: 1
name: recorded
variants: [dense.tflite]
threads: [1, 2]
devices: [DEVICE]
rounds: 2
data: {evaluation: evaluation.npz}
launch: {iterations: 5, min_time_s: 0, warmup_iterations: 2, warmup_time_s: 0}
"""


@pytest.fixture
def pocketbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Run in this process, in a folder with two models and data."""
    random = np.random.default_rng(0)
    np.savez(tmp_path / "evaluation.npz", x=random.random((20, 64), np.float32), y=random.integers(0, 32, 20))
    dense_tflite(tmp_path / "dense.tflite")
    dense_onnx(tmp_path / "dense.onnx")
    monkeypatch.setenv("POCKETBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return lambda *argv: CliRunner().invoke(app, list(map(str, argv)), catch_exceptions=False)


def shown(pocketbench: CommandLine) -> list[dict[str, object]]:
    """The last campaign's jobs with all their figures, but for the device's name."""
    rows = json.loads(pocketbench("results", "show", "last", "--json").stdout)
    return [{key: value for key, value in row.items() if key != "device"} for row in rows]


def test_a_bench_of_this_computer_is_replayed_under_another_name(pocketbench: CommandLine, tmp_path: Path):
    bench = ("bench", "dense.tflite", "dense.onnx", "--quick", "--rounds", "1", "--seed", "5")
    assert pocketbench(*bench, "--record", "bug.jsonl").exit_code == 0
    measured = shown(pocketbench)
    added = pocketbench("device", "add", "replay:bug.jsonl", "--name", "bug", "--directory", tmp_path / "home/device")
    assert added.exit_code == 0

    assert pocketbench(*bench, "--on", "bug").exit_code == 0

    assert shown(pocketbench) == measured
    assert {row["status"] for row in measured} == {"ok"}
    assert all(row["latency_ns"] for row in measured)


def test_a_run_on_a_board_is_replayed_without_the_board(
    pocketbench: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    plan, user = tmp_path / "plan.yaml", tmp_path / "user"
    plan.write_text(PLAN.replace("DEVICE", "board"))
    with Sshd(tmp_path / "board") as board:
        (user / ".ssh").mkdir(parents=True, mode=0o700)
        (user / ".ssh/config").write_text(f"Host *\n  IdentityFile {board.key_file}\n  GlobalKnownHostsFile none\n")
        monkeypatch.setenv("HOME", str(user))
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        (tmp_path / "home").mkdir()
        (tmp_path / "home/known_hosts").write_text(board.known_hosts_line())
        address = f"ssh://{board.user}@{board.host}:{board.port}"
        pocketbench("device", "add", address, "--name", "board", "--directory", tmp_path / "there")
        assert pocketbench("run", plan, "--record", "records").exit_code == 0
    measured = shown(pocketbench)
    assert board.host not in (tmp_path / "records/board.jsonl").read_text()
    pocketbench("device", "add", "replay:records/board.jsonl", "--name", "bug", "--directory", tmp_path / "there")
    plan.write_text(PLAN.replace("DEVICE", "bug"))

    assert pocketbench("run", plan).exit_code == 0

    assert shown(pocketbench) == measured
    assert {row["status"] for row in measured} == {"ok"}
    assert all(row["quality_value"] is not None for row in measured)


def test_models_and_data_are_in_no_transcript(pocketbench: CommandLine, tmp_path: Path):
    (tmp_path / "plan.yaml").write_text(PLAN.replace("DEVICE", "local"))

    assert pocketbench("run", "plan.yaml", "--record", "bug.jsonl").exit_code == 0

    calls = [json.loads(line) for line in (tmp_path / "bug.jsonl").read_text().splitlines()]
    fed = [line["stdin"] for line in calls if line["kind"] == "run"]
    assert all(given == {"text": ""} or set(given) == {"sha256", "size_bytes"} for given in fed)
    assert any(given.get("size_bytes", 0) > (tmp_path / "dense.tflite").stat().st_size for given in fed)
    # Everything that stands in it is an argument or an answer: none is a model, or an input.
    large = [line for line in calls if line["kind"] == "content"]
    assert all(len(json.dumps(line)) < (tmp_path / "dense.tflite").stat().st_size for line in large)
