"""ONNX Runtime's official builds send usage data unless ORT_DISABLE_TELEMETRY is set before they start: it is."""

from __future__ import annotations

import pytest

from pocketbench.harness.errors import RunnerError
from pocketbench.harness.runner.results import BenchOptions
from tests.runner.conftest import ECHO, TIMEOUT_S
from tests.runner.tiny_models import dense_onnx


def test_the_runner_itself_sets_the_variable_before_the_library_loads(fake_runner):
    with pytest.raises(RunnerError, match="telemetry 1"):
        fake_runner(ECHO + "tell telemetry\n").describe()


def test_onnx_runtime_writes_nothing_below_home(runner_of, tmp_path, monkeypatch):
    home, model = tmp_path / "home", tmp_path / "m.onnx"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)

    runner_of(dense_onnx(model)).bench(BenchOptions(iterations=5, min_time_ms=0), TIMEOUT_S)

    assert list(home.rglob("*")) == []
