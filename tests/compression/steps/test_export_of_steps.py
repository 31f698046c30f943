"""What steps make goes through both exporters with the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pocketbench.compression.exporters.onnx import export_onnx
from pocketbench.compression.exporters.tflite import export_tflite
from pocketbench.compression.keras_graph import run_model
from pocketbench.compression.reference import FileModel, run_samples
from pocketbench.compression.steps import low_rank, prune_weights
from pocketbench.compression.steps.state import KerasState, StepContext, TrainingData
from tests.compression.steps.nets import data_for, make

STEPS: dict[str, tuple[Any, Any]] = {
    "low-rank": (low_rank.apply, low_rank.Options(ratio=0.6, round_to=1)),
    "low-rank-spatial": (low_rank.apply, low_rank.Options(ratio=0.6, round_to=1, method="spatial-svd")),
    "prune-weights": (prune_weights.apply, prune_weights.Options(epochs=0)),
}


@pytest.mark.parametrize("kind", ["tflite", "onnx"])
@pytest.mark.parametrize("step", STEPS)
def test_a_file_computes_what_the_changed_model_computes(step: str, kind: str, tmp_path):
    apply, options = STEPS[step]
    model = make("residual")
    inputs = data_for(model, 4)
    state, _ = apply(KerasState(model), options, TrainingData(inputs), StepContext())
    target = tmp_path / f"model.{kind}"

    (export_tflite if kind == "tflite" else export_onnx)(state.model, target)

    file = FileModel(target)
    expected = run_model(state.model, inputs)[0]
    (outputs,) = run_samples(file, inputs)
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-5 * float(np.abs(expected).max()))
    assert [facts.name for facts in file.inputs] == ["image"]
    assert [facts.name for facts in file.outputs] == ["logits"]
