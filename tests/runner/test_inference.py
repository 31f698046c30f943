"""Outputs equal those of the engines' own Python API on the same inputs, for every dtype and shape."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from pocketbench.harness.engines.catalogue import engine_for_format, local_engine
from pocketbench.harness.errors import RunnerError
from pocketbench.harness.runner.tensors import DTYPES, numpy_dtype, read_tensors, write_tensors
from tests.runner.conftest import TIMEOUT_S
from tests.runner.tiny_models import (
    Operator,
    Tensor,
    dense_onnx,
    dense_tflite,
    embedding_onnx,
    one_to_one_onnx,
    write_tflite,
)

RNG = np.random.default_rng(7)
ONNX_DTYPES = {
    "bfloat16": "BFLOAT16",
    "bool": "BOOL",
    "float16": "FLOAT16",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    **{name: name.upper() for name in DTYPES if "int" in name},
}


def litert_python(model: Path, *inputs: np.ndarray) -> list[np.ndarray]:
    interpreter = Interpreter(str(model), num_threads=1)
    for details, array in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.resize_tensor_input(details["index"], array.shape)
    interpreter.allocate_tensors()
    for details, array in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(details["index"], array)
    interpreter.invoke()
    return [interpreter.get_tensor(details["index"]) for details in interpreter.get_output_details()]


def onnx_python(model: Path, *inputs: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]
    return [np.asarray(output) for output in session.run(None, dict(zip(names, inputs, strict=True)))]


def reshape_tflite(path: Path, dtype: str, shape: tuple[int, ...] = (1, 4)) -> Path:
    """An operator that copies any dtype."""
    tensors = [
        Tensor("x", shape, dtype),
        Tensor("shape", (len(shape),), "int32", np.array(shape, np.int32)),
        Tensor("y", shape, dtype),
    ]
    options = schema.ReshapeOptionsT()
    options.newShape = list(shape)
    return write_tflite(path, tensors, [Operator("RESHAPE", (0, 1), (2,), options)], [0], [2])


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("batch", [1, 3])
def test_litert_computes_what_its_python_api_computes(runner_of, tmp_path, batch, threads):
    model = dense_tflite(tmp_path / "m.tflite", batch=batch)
    samples = RNG.standard_normal((6, 64)).astype(np.float32)

    (output,) = runner_of(model).infer([samples], threads=threads, timeout_s=TIMEOUT_S)

    expected = [litert_python(model, part)[0] for part in np.split(samples, 6 // batch)]
    np.testing.assert_allclose(output, np.concatenate(expected), rtol=1e-6)


def test_litert_computes_a_quantized_model_exactly(runner_of, tmp_path):
    model = dense_tflite(tmp_path / "m.tflite", dtype="int8")
    samples = RNG.integers(-128, 128, (5, 64), np.int8)
    runner = runner_of(model)

    (output,) = runner.infer([samples], timeout_s=TIMEOUT_S)

    expected = np.concatenate([litert_python(model, sample[None])[0] for sample in samples])
    np.testing.assert_array_equal(output, expected)
    assert len(np.unique(output)) > 10
    (facts,) = runner.describe().inputs
    assert (facts.dtype, facts.scale, facts.zero_point) == ("int8", pytest.approx(1 / 255, rel=1e-7), -128)


@pytest.mark.parametrize("batch", [1, 3, "n"])
def test_onnx_runtime_computes_what_its_python_api_computes(runner_of, tmp_path, batch):
    model = dense_onnx(tmp_path / "m.onnx", batch=batch)
    samples = RNG.standard_normal((6, 64)).astype(np.float32)

    (output,) = runner_of(model).infer([samples], timeout_s=TIMEOUT_S)

    size = batch if isinstance(batch, int) else 1
    expected = [onnx_python(model, part)[0] for part in np.split(samples, 6 // size)]
    np.testing.assert_allclose(output, np.concatenate(expected), rtol=1e-6)


def test_several_inputs_and_outputs_keep_their_order(runner_of, tmp_path):
    model = embedding_onnx(tmp_path / "m.onnx")
    indices = RNG.integers(0, 10, (4, 3))
    factor = RNG.standard_normal((4, 3, 4)).astype(np.float32)

    outputs = runner_of(model).infer([indices, factor], timeout_s=TIMEOUT_S)

    for output, expected in zip(outputs, onnx_python(model, indices, factor), strict=True):
        np.testing.assert_array_equal(output, expected)


def values(dtype: str) -> np.ndarray:
    raw = RNG.integers(0, 256, (3, 4, 8), np.uint8)
    if dtype == "bool":
        return (raw[..., 0] & 1).astype(bool)
    return np.ascontiguousarray(raw[..., : numpy_dtype(dtype).itemsize]).view(numpy_dtype(dtype))[..., 0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_litert_takes_and_gives_this_dtype(runner_of, tmp_path, dtype):
    samples = values(dtype)

    (output,) = runner_of(reshape_tflite(tmp_path / "m.tflite", dtype)).infer([samples], timeout_s=TIMEOUT_S)

    assert (output.dtype, output.tobytes()) == (samples.dtype, samples.tobytes())


@pytest.mark.parametrize("dtype", DTYPES)
def test_onnx_runtime_takes_and_gives_this_dtype(runner_of, tmp_path, dtype):
    samples = values(dtype)
    model = one_to_one_onnx(tmp_path / "m.onnx", "Identity", ONNX_DTYPES[dtype], ["n", 4])

    (output,) = runner_of(model).infer([samples], timeout_s=TIMEOUT_S)

    assert (output.dtype, output.tobytes()) == (samples.dtype, samples.tobytes())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(
            lambda path: one_to_one_onnx(path / "m.onnx", "Identity", "STRING", [1, 4]),
            "tensor 'x', got the element type string (8)",
            id="onnx-string",
        ),
        pytest.param(
            lambda path: one_to_one_onnx(path / "m.onnx", "Cast", "FLOAT", [1, 4], to=17),
            "tensor 'y', got the element type float8e4m3fn (17)",
            id="onnx-float8",
        ),
        pytest.param(
            lambda path: reshape_tflite(path / "m.tflite", "string"),
            "tensor 'x', got the element type string (5)",
            id="tflite-string",
        ),
        pytest.param(
            lambda path: reshape_tflite(path / "m.tflite", "complex64"),
            "tensor 'x', got the element type complex64 (8)",
            id="tflite-complex",
        ),
    ],
)
def test_what_is_no_plain_number_is_refused_by_name(runner_of, tmp_path, make, words):
    with pytest.raises(RunnerError) as caught:
        runner_of(make(tmp_path)).describe()

    assert caught.value.stage == "model_load"
    assert words in str(caught.value)


@pytest.fixture
def infer_batch(launch, tmp_path):
    """Give the runner one inference of this shape, beyond what the Python client asks for."""

    def infer_batch(model: Path, *arrays: np.ndarray):
        write_tensors(tmp_path / "in", [array[None] for array in arrays])
        engine = local_engine(engine_for_format(model.suffix[1:]))
        paths = (
            "--library",
            engine.library,
            "--model",
            model,
            "--input",
            tmp_path / "in",
            "--output",
            tmp_path / "out",
        )
        completed = launch("infer", "--engine", engine.name, *paths)
        last = json.loads(completed.stdout.splitlines()[-1])
        return [array[0] for array in read_tensors(tmp_path / "out")] if completed.exit_code == 0 else last["message"]

    return infer_batch


def dynamic_tflite(path: Path) -> Path:
    """A dense layer whose batch is dynamic, as converters write it."""
    weights = np.random.default_rng(1).standard_normal((5, 4)).astype(np.float32)
    tensors = [
        Tensor("x", (-1, 4), "float32"),
        Tensor("w", (5, 4), "float32", weights),
        Tensor("y", (-1, 5), "float32"),
    ]
    options = schema.FullyConnectedOptionsT()
    return write_tflite(path, tensors, [Operator("FULLY_CONNECTED", (0, 1), (2,), options)], [0], [2])


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_a_dynamic_batch_of_litert_takes_any_size(infer_batch, tmp_path, batch):
    model = dynamic_tflite(tmp_path / "m.tflite")
    data = RNG.standard_normal((batch, 4)).astype(np.float32)

    (output,) = infer_batch(model, data)

    np.testing.assert_allclose(output, litert_python(model, data)[0], rtol=1e-6)


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_a_dynamic_batch_of_onnx_runtime_takes_any_size(infer_batch, tmp_path, batch):
    model = dense_onnx(tmp_path / "m.onnx", batch="n")
    data = RNG.standard_normal((batch, 64)).astype(np.float32)

    (output,) = infer_batch(model, data)

    np.testing.assert_allclose(output, onnx_python(model, data)[0], rtol=1e-6)


def test_a_dynamic_batch_is_described_as_such_and_runs_as_one(runner_of, tmp_path):
    model = dynamic_tflite(tmp_path / "m.tflite")
    runner = runner_of(model)
    samples = RNG.standard_normal((3, 4)).astype(np.float32)

    (output,) = runner.infer([samples], timeout_s=TIMEOUT_S)

    assert [facts.shape for facts in (*runner.describe().inputs, *runner.describe().outputs)] == [(-1, 4), (-1, 5)]
    np.testing.assert_allclose(output, litert_python(model, samples)[0], rtol=1e-5)


def test_an_output_whose_shape_depends_on_the_data_is_read_as_it_comes(infer_batch, tmp_path):
    model = one_to_one_onnx(tmp_path / "m.onnx", "NonZero", "INT64", ["a", "b"])
    data = np.array([[1, 0], [1, 1]], np.int64)

    (output,) = infer_batch(model, data)

    np.testing.assert_array_equal(output, np.stack(np.nonzero(data)))


def test_outputs_that_change_shape_between_runs_are_refused_by_name(fake_runner):
    runner = fake_runner("input x 1 2 1 3\noutput y 1 2 -1 3\ngrow\n")

    with pytest.raises(RunnerError, match="output 'y' to have the same shape for every input, got 2x3"):
        runner.infer([np.ones((2, 3), np.float32)], timeout_s=TIMEOUT_S)


def test_a_damaged_model_is_refused_in_the_engines_words(runner_of, tmp_path):
    for name, words in (("m.onnx", "ONNX Runtime failed to load the model: "), ("m.tflite", "LiteRT failed to ")):
        (tmp_path / name).write_bytes(b"no model")
        with pytest.raises(RunnerError) as caught:
            runner_of(tmp_path / name).describe()
        assert caught.value.stage == "model_load"
        assert words in str(caught.value)


def test_the_files_of_an_inference_are_removed(runner_of, tmp_path):
    model = dense_onnx(tmp_path / "m.onnx")

    runner_of(model).infer([np.ones((2, 64), np.float32)], timeout_s=TIMEOUT_S)

    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]
