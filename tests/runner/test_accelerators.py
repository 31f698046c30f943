"""Another accelerator than the CPU: asked for by name; where it is not there, that is said and never hidden."""

from __future__ import annotations

import json

import pytest

from pocketbench.harness.engines.catalogue import local_engine
from tests.runner.tiny_models import dense_onnx, dense_tflite


def describe(launch, engine: str, model: object, accelerator: str):
    library = local_engine(engine).library
    completed = launch(
        *("describe", "--engine", engine, "--library", library, "--model", model, "--accelerator", accelerator)
    )
    return completed.exit_code, [json.loads(line) for line in completed.stdout.splitlines()]


@pytest.mark.parametrize("accelerator", ["gpu", "npu"])
def test_litert_says_that_it_fell_back_to_the_cpu(launch, tmp_path, accelerator):
    """This computer's package has neither: LiteRT runs the model on the CPU without a word."""
    code, events = describe(launch, "litert", dense_tflite(tmp_path / "m.tflite"), accelerator)

    (placement,) = (event for event in events if event["event"] == "placement")
    assert code == 0
    assert (placement["accelerator"], placement["fully_accelerated"]) == (accelerator, False)


def test_the_cpu_needs_no_placement(launch, tmp_path):
    code, events = describe(launch, "litert", dense_tflite(tmp_path / "m.tflite"), "cpu")

    assert code == 0
    assert "placement" not in {event["event"] for event in events}


@pytest.mark.parametrize(
    ("engine", "accelerator", "words"),
    [
        pytest.param("litert", "xnnpack", "LiteRT's accelerators cpu, gpu and npu, got 'xnnpack'", id="litert"),
        pytest.param("onnxruntime", "gpu", "cpu, xnnpack, nnapi and qnn, got 'gpu'", id="onnxruntime"),
        pytest.param(
            "onnxruntime", "xnnpack", "XNNPACK execution provider is not supported in this build", id="xnnpack"
        ),
        pytest.param("onnxruntime", "qnn", "QNN execution provider is not supported in this build", id="qnn"),
        pytest.param("onnxruntime", "nnapi", "OrtSessionOptionsAppendExecutionProvider_Nnapi", id="nnapi"),
    ],
)
def test_what_the_build_does_not_have_is_an_error(launch, tmp_path, engine, accelerator, words):
    model = dense_tflite(tmp_path / "m.tflite") if engine == "litert" else dense_onnx(tmp_path / "m.onnx")

    code, events = describe(launch, engine, model, accelerator)

    assert (code, events[-1]["event"], events[-1]["stage"]) == (1, "error", "model_load")
    assert words in events[-1]["message"]
