"""Memory at named points, as the kernel counts it for the runner's process."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pocketbench.harness.runner.tensors import write_tensors
from tests.runner.conftest import ECHO, TIMEOUT_S
from tests.runner.tiny_models import dense_onnx, dense_tflite

FIGURES = ("resident_bytes", "peak_resident_bytes", "pss_bytes", "private_bytes", "private_dirty_bytes")


@pytest.mark.parametrize("engine", ["litert", "onnxruntime"])
def test_all_figures_are_there_at_every_stage_and_agree(runner_of, tmp_path, engine):
    model = dense_tflite(tmp_path / "m.tflite") if engine == "litert" else dense_onnx(tmp_path / "m.onnx")

    stages = runner_of(model).memory(1, TIMEOUT_S)

    assert [stage.stage for stage in stages] == ["start", "engine_loaded", "model_loaded", "first_inference", "end"]
    for stage in stages:
        figures = {name: getattr(stage, name) for name in FIGURES}
        assert all(isinstance(value, int) and value > 0 and value % 1024 == 0 for value in figures.values()), figures
        assert figures["private_dirty_bytes"] <= figures["private_bytes"] <= figures["pss_bytes"]
        assert figures["resident_bytes"] <= figures["peak_resident_bytes"]
    peaks = [stage.peak_resident_bytes or 0 for stage in stages]
    assert peaks == sorted(peaks)
    # Nothing of a few MB gets in without being seen.
    assert peaks[1] - peaks[0] > 1_000_000


def test_weights_show_where_the_model_is_loaded(runner_of, tmp_path):
    small = runner_of(dense_onnx(tmp_path / "small.onnx")).memory(1, TIMEOUT_S)
    large = runner_of(dense_onnx(tmp_path / "large.onnx", units=65_536)).memory(1, TIMEOUT_S)

    weights = 64 * 65_536 * 4
    # Dirty, since clean pages of the library are private only while nobody else has it loaded.
    assert (large[2].private_dirty_bytes or 0) - (small[2].private_dirty_bytes or 0) > weights * 0.9
    assert abs((large[1].private_dirty_bytes or 0) - (small[1].private_dirty_bytes or 0)) < weights * 0.1


def test_the_peak_stays_when_memory_is_given_back(fake_runner):
    _, loaded, opened, *_ = fake_runner(ECHO + "bulge\n").memory(1, TIMEOUT_S)

    # `bulge` takes 64 MiB and gives them back.
    assert (opened.peak_resident_bytes or 0) - (loaded.peak_resident_bytes or 0) > 60 << 20
    assert (opened.resident_bytes or 0) - (loaded.resident_bytes or 0) < 10 << 20


def test_memory_may_be_measured_with_real_data(fake_runner, tmp_path):
    data = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    write_tensors(tmp_path / "data", [data])

    fake_runner().memory(1, TIMEOUT_S, input=tmp_path / "data")

    assert (tmp_path / "model.input0").read_bytes().startswith(data.tobytes())


def test_memory_runs_as_many_iterations_as_it_is_told(launch, fakes, tmp_path):
    (tmp_path / "model").write_text("input x 1 1 1\noutput y 1 1 1\n")

    completed = launch(
        *("memory", "--engine", "onnxruntime", "--library", fakes["onnxruntime"]),
        *("--model", tmp_path / "model", "--iterations", 4),
    )

    assert json.loads(completed.stdout.splitlines()[-1])["event"] == "done"
    assert len((tmp_path / "model.input0").read_bytes()) == 4 * (1 + 4)
