"""`--prepare` of `bench` and `run`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pocketbench.checked.errors import InputError
from pocketbench.harness.campaign import preparing
from pocketbench.harness.cli.main import app
from tests.preparation.machine import Machine
from tests.runner.tiny_models import dense_tflite

CommandLine = Callable[..., Result]
PLAN = """
version: 1
name: prepared
variants: [dense.tflite]
rounds: 1
prepare: [fan=full]
launch: {iterations: 5, min_time_s: 0, warmup_iterations: 2, warmup_time_s: 0}
"""


@pytest.fixture
def pocketbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Run in this process, in a folder with a model and a plan; what would be set lies in files there."""
    machine = Machine(tmp_path / "machine")
    monkeypatch.setattr(preparing, "place_on", lambda device: machine.place)
    dense_tflite(tmp_path / "dense.tflite")
    (tmp_path / "plan.yaml").write_text(PLAN)
    monkeypatch.setenv("POCKETBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return lambda *argv: CliRunner().invoke(app, list(map(str, argv)), catch_exceptions=False)


def prepared(pocketbench: CommandLine) -> dict[str, str]:
    """Names and statuses of what the last campaign's device was prepared with."""
    [row] = json.loads(pocketbench("results", "show", "last", "--json").stdout)
    [record] = row["preparation"]
    assert record["restoration"] is not None
    return {setting["name"]: setting["status"] for setting in record["settings"]}


def test_bench_prepares_with_each_word(pocketbench: CommandLine):
    words = ("--prepare", "governor=performance", "--prepare", "fan=full")

    assert pocketbench("bench", "dense.tflite", "--quick", "--rounds", "1", *words).exit_code == 0

    assert prepared(pocketbench) == {"policy0 governor": "set", "fan": "set"}


def test_run_prepares_as_the_plan_says(pocketbench: CommandLine):
    assert pocketbench("run", "plan.yaml").exit_code == 0

    assert prepared(pocketbench) == {"fan": "set"}


def test_the_command_line_goes_before_the_plan(pocketbench: CommandLine):
    assert pocketbench("run", "plan.yaml", "--prepare", "governor=performance").exit_code == 0

    assert prepared(pocketbench) == {"policy0 governor": "set"}


@pytest.mark.parametrize("command", [("bench", "dense.tflite"), ("run", "plan.yaml")], ids=lambda words: words[0])
def test_a_word_that_means_nothing_is_refused_at_once(
    pocketbench: CommandLine, tmp_path: Path, command: tuple[str, str]
):
    with pytest.raises(InputError, match="expected something to prepare, got 'governor'"):
        pocketbench(*command, "--prepare", "governor")

    assert not (tmp_path / "home").exists()
