from __future__ import annotations

import numpy as np
import onnx
import pytest

from pocketbench.compression.exporters.onnx import OPSET, export_onnx
from pocketbench.compression.exporters.tflite import export_tflite
from pocketbench.compression.models import load_keras
from pocketbench.compression.reference import FileModel, run_samples

NETS = ("cnn", "gru", "lstm", "sequential", "transformer", "two_by_two")
FORMATS = ("tflite", "onnx")
# Float32 sums of a few hundred terms in another order: a few units in the 7th digit of outputs around 1.
TOLERANCE = 2e-6


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_computes_what_keras_computes(name, kind, exported, inputs, expected):
    outputs = run_samples(FileModel(exported[name, kind]), inputs[name])

    assert [output.shape for output in outputs] == [want.shape for want in expected[name]]
    assert max(float(np.abs(a - b).max()) for a, b in zip(outputs, expected[name], strict=True)) < TOLERANCE


@pytest.mark.parametrize("kind", FORMATS)
def test_inputs_and_outputs_keep_their_names_and_order(kind, exported):
    model = FileModel(exported["two_by_two", kind])

    assert [(facts.name, facts.shape) for facts in model.inputs] == [("zeta", (1, 8)), ("alpha", (1, 4))]
    assert [(facts.name, facts.shape) for facts in model.outputs] == [("second", (1, 3)), ("first", (1, 2))]


def test_recurrent_layers_become_one_onnx_node_each(exported):
    for name, operator in (("gru", "GRU"), ("lstm", "LSTM")):
        operators = [node.op_type for node in onnx.load(exported[name, "onnx"]).graph.node]

        assert operators.count(operator) == 3
        assert "Loop" not in operators


def test_onnx_files_are_old_enough_for_old_engines(exported):
    for name in NETS:
        model = onnx.load(exported[name, "onnx"])

        assert model.ir_version <= 10
        assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_model_gives_the_same_bytes_in_one_process(kind, exported, saved, tmp_path):
    export = export_tflite if kind == "tflite" else export_onnx
    for name in ("gru", "transformer", "cnn"):  # another order than the fixture's
        export(load_keras(saved[name]), tmp_path / name)

        assert (tmp_path / name).read_bytes() == exported[name, kind].read_bytes()
