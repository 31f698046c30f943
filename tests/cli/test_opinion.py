"""`bench --opinion` and what `results show` says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pocketbench.checked.errors import InputError
from pocketbench.harness.cli.main import app
from tests.runner.tiny_models import dense_tflite


def test_a_program_that_says_nothing_is_shown_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    dense_tflite(tmp_path / "dense.tflite")
    (tmp_path / "benchmark_model").write_text("#!/bin/sh\necho out of order >&2\nexit 3\n")
    monkeypatch.setenv("POCKETBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    bench = ["bench", "dense.tflite", "--quick", "--rounds", "1", "--opinion", "benchmark_model"]

    assert CliRunner().invoke(app, bench, catch_exceptions=False).exit_code == 0

    shown = CliRunner().invoke(app, ["results", "show", "last"], catch_exceptions=False).stdout
    assert "Second opinion on dense.tflite (local, threads 1), benchmark_model: none: " in shown
    assert "exit code 3" in shown
    assert "out of order" in shown


def test_a_program_that_is_not_there_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    dense_tflite(tmp_path / "dense.tflite")
    monkeypatch.setenv("POCKETBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InputError, match="benchmark program and its libraries as files"):
        CliRunner().invoke(app, ["bench", "dense.tflite", "--opinion", "no/benchmark_model"], catch_exceptions=False)

    assert not (tmp_path / "home" / "device").exists()
