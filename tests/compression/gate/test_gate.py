"""Each check of the gate fires on the file that it is there for, and lets the others through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pocketbench.compression.errors import GateError
from pocketbench.compression.gate import check_file
from pocketbench.compression.manifest import GateReport, TensorFacts
from pocketbench.compression.quantizers.onnx import quantize_onnx
from pocketbench.compression.reference import FileModel, run_samples
from tests.compression.tiny import classifier, onnx_model, write_onnx

IMAGES = np.random.default_rng(0).normal(size=(16, 1, 8, 8)).astype(np.float32)
INPUTS = [TensorFacts(name="image", shape=(-1, 1, 8, 8), dtype="float32")]
OUTPUTS = [TensorFacts(name="scores", shape=(-1, 4), dtype="float32")]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_onnx(tmp_path_factory.mktemp("source"), classifier())


@pytest.fixture(scope="module")
def expected(source: Path) -> list[np.ndarray]:
    return run_samples(FileModel(source), [IMAGES])


def check(file: Path, expected: list[np.ndarray], **options: Any) -> GateReport:
    return check_file(file, expected, [IMAGES], **{"source_inputs": INPUTS, "source_outputs": OUTPUTS, **options})


def changed(source: Path, folder: Path, change: Callable[[onnx.ModelProto], None]) -> Path:
    model = onnx.load(source)
    change(model)
    return write_onnx(folder, model, "changed.onnx")


def scale_weights(name: str, factor: float) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        (tensor,) = [tensor for tensor in model.graph.initializer if tensor.name == name]
        tensor.CopyFrom(numpy_helper.from_array((numpy_helper.to_array(tensor) * factor).astype(np.float32), name))

    return change


def append(*nodes: onnx.NodeProto) -> Callable[[onnx.ModelProto], None]:
    """Let the last node write `inner`, and `nodes` make `scores` of it."""

    def change(model: onnx.ModelProto) -> None:
        model.graph.node[-1].output[0] = "inner"
        model.graph.node.extend(nodes)

    return change


def test_the_file_itself_has_no_error_and_no_warning(source: Path, expected: list[np.ndarray]):
    report = check(source, expected)

    assert (report.samples, report.max_abs_error, report.sqnr_db, report.warnings) == (16, 0.0, None, ())
    assert report.dtype_counts == {"float32": 8 * 9 + 8 + 8 * 64 * 4 + 4}


def test_the_source_may_be_a_function(source: Path):
    assert check_file(source, lambda inputs: run_samples(FileModel(source), inputs), [IMAGES]).max_abs_error == 0.0


def test_the_error_is_measured_as_it_says(source: Path, expected: list[np.ndarray], tmp_path: Path):
    file = changed(source, tmp_path, scale_weights("b2", 1.001))
    outputs = run_samples(FileModel(file), [IMAGES])[0]

    report = check(file, expected)

    assert report.max_abs_error == pytest.approx(np.abs(outputs - expected[0]).max())
    assert report.sqnr_db == pytest.approx(_ratio_db(outputs, expected[0]))


def _ratio_db(outputs: np.ndarray, expected: np.ndarray) -> float:
    return float(10 * np.log10(np.square(expected.astype(np.float64)).sum() / np.square(outputs - expected).sum()))


@pytest.mark.parametrize("name", ["junk.onnx", "junk.tflite"])
def test_a_file_that_no_engine_loads(name: str, expected: list[np.ndarray], tmp_path: Path):
    (tmp_path / name).write_bytes(bytes(range(256)) * 8)

    with pytest.raises(GateError, match=r"the written file cannot be used: expected an? .* loads"):
        check(tmp_path / name, expected)


def test_a_file_that_loads_and_does_not_run(source: Path, expected: list[np.ndarray], tmp_path: Path):
    def reshape(model: onnx.ModelProto) -> None:
        model.graph.initializer.append(numpy_helper.from_array(np.array([1, 3]), "shape"))
        append(helper.make_node("Reshape", ["inner", "shape"], ["scores"]))(model)
        del model.graph.output[0].type.tensor_type.shape.dim[:]

    with pytest.raises(GateError, match="cannot be used: ONNX Runtime could not run"):
        check(changed(source, tmp_path, reshape), expected, source_outputs=None)


def leak(model: onnx.ModelProto) -> None:
    """A constant becomes an input, as tf2onnx does with EfficientNet's."""
    model.graph.initializer.remove(next(tensor for tensor in model.graph.initializer if tensor.name == "b1"))
    model.graph.input.append(helper.make_tensor_value_info("b1", TensorProto.FLOAT, [8]))


def rename_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].name = model.graph.node[0].input[0] = "picture"


def rename_output(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = model.graph.node[-1].output[0] = "Identity_0"


def widen(model: onnx.ModelProto) -> None:
    append(helper.make_node("Concat", ["inner", "inner"], ["scores"], axis=1))(model)
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 8


def to_double(model: onnx.ModelProto) -> None:
    append(helper.make_node("Cast", ["inner"], ["scores"], to=TensorProto.DOUBLE))(model)
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.DOUBLE


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(leak, r"inputs \['image'\], got \['b1'\] on top", id="one more input"),
        pytest.param(rename_input, r"inputs \['image'\], got \['picture'\]", id="input's name"),
        pytest.param(rename_output, r"outputs \['scores'\], got \['Identity_0'\]", id="output's name"),
        pytest.param(widen, r"output 'scores' of shape \[-1, 4\], got \[-1, 8\]", id="shape"),
        pytest.param(to_double, "expected float32 for the output 'scores', got float64 without a scale", id="type"),
    ],
)
def test_another_signature_is_refused(change, words: str, source: Path, expected: list[np.ndarray], tmp_path: Path):
    with pytest.raises(GateError, match=words):
        check(changed(source, tmp_path, change), expected)


def test_names_as_a_tflite_signature_can_hold_them_are_the_same(source: Path, expected: list[np.ndarray]):
    outputs = [OUTPUTS[0].model_copy(update={"name": "Scores"})]

    assert check(source, expected, source_outputs=outputs).max_abs_error == 0.0


def two_inputs(*names: str) -> onnx.ModelProto:
    return onnx_model([helper.make_node("Add", ["a", "b"], ["sum"])], dict.fromkeys(names, ("N", 2)), {"sum": ("N", 2)})


def test_another_order_of_the_inputs_is_refused(tmp_path: Path):
    file = write_onnx(tmp_path, two_inputs("b", "a"))
    facts = [TensorFacts(name=name, shape=(-1, 2), dtype="float32") for name in ("a", "b")]
    values = np.ones((4, 2), np.float32)

    with pytest.raises(GateError, match=r"\['a', 'b'\] in this order, got \['b', 'a'\]"):
        check_file(file, [values], [values, values], source_inputs=facts)


def test_outputs_of_another_shape_than_the_sources_are_refused(source: Path, expected: list[np.ndarray]):
    with pytest.raises(GateError, match=r"outputs of the shapes \[\[16, 5\]\], got \[\[16, 4\]\] for \['scores'\]"):
        check(source, [np.pad(expected[0], ((0, 0), (0, 1)))])


@pytest.mark.parametrize(("operator", "what"), [("Log", "NaN"), ("Reciprocal", "infinity")])
def test_nan_and_infinity_are_refused(
    operator: str, what: str, source: Path, expected: list[np.ndarray], tmp_path: Path
):
    zero = helper.make_node("Sub", ["inner", "inner"], ["zero"])
    less = helper.make_node("Sub", ["zero", "one"], ["less"])

    def change(model: onnx.ModelProto) -> None:
        model.graph.initializer.append(numpy_helper.from_array(np.ones((), np.float32), "one"))
        append(zero, less, helper.make_node(operator, ["less" if operator == "Log" else "zero"], ["scores"]))(model)

    file = changed(source, tmp_path, change)

    with pytest.raises(GateError, match=r"numbers from the output 'scores', got NaN or infinity\."):
        check(file, expected)
    with pytest.raises(GateError, match=r"got NaN or infinity \(so does the source\)\."):
        check(file, run_samples(FileModel(file), [IMAGES]))


def test_one_answer_for_everything_is_refused(source: Path, expected: list[np.ndarray], tmp_path: Path):
    file = changed(source, tmp_path, scale_weights("w2", 0.0))

    with pytest.raises(GateError, match="'scores' is the same for all 16 samples, while the source's varies by"):
        check(file, expected)


def test_one_answer_for_everything_is_right_where_the_source_says_the_same(source: Path, tmp_path: Path):
    file = changed(source, tmp_path, scale_weights("w2", 0.0))

    assert check(file, run_samples(FileModel(file), [IMAGES])).max_abs_error == 0.0


def test_a_large_error_is_refused(source: Path, expected: list[np.ndarray], tmp_path: Path):
    file = changed(source, tmp_path, scale_weights("w1", -1.0))
    outputs = run_samples(FileModel(file), [IMAGES])[0]

    with pytest.raises(GateError, match=rf"at least 60 dB for float32\), got {_ratio_db(outputs, expected[0]):.1f} dB"):
        check(file, expected)


def test_an_error_that_no_rounding_explains_is_a_warning(source: Path, expected: list[np.ndarray], tmp_path: Path):
    file = changed(source, tmp_path, scale_weights("w2", 1.0003))

    report = check(file, expected)

    assert report.sqnr_db == pytest.approx(-20 * np.log10(3e-4), abs=1.0)
    assert [warning for warning in report.warnings if "more than usual for float32" in warning]


def test_quantization_that_changed_nothing_is_refused(source: Path, expected: list[np.ndarray]):
    with pytest.raises(GateError, match=r"int8 changed nothing: expected weights stored as int8, got 2132 float32"):
        check(source, expected, scheme="int8")


def test_quantization_of_a_small_part_is_a_warning(expected: list[np.ndarray], tmp_path: Path):
    """A large convolution, which int8-dynamic leaves alone, before a small fully connected layer."""
    weights = np.random.default_rng(1).normal(0, 0.1, (64, 1, 8, 8)).astype(np.float32)
    model = onnx_model(
        [
            helper.make_node("Conv", ["image", "w1"], ["c"]),
            helper.make_node("Flatten", ["c"], ["f"]),
            helper.make_node("Gemm", ["f", "w2"], ["scores"]),
        ],
        {"image": ("N", 1, 8, 8)},
        {"scores": ("N", 4)},
        {"w1": weights, "w2": weights[:, 0, 0, :4].copy()},
    )
    source = write_onnx(tmp_path, model)
    quantize_onnx(source, tmp_path / "small.onnx", "int8-dynamic")

    report = check(tmp_path / "small.onnx", run_samples(FileModel(source), [IMAGES]), scheme="int8-dynamic")

    assert [warning for warning in report.warnings if "only 260 of 4,360 weights are int8" in warning]


def test_a_file_that_grew_is_a_warning(source: Path, expected: list[np.ndarray]):
    size = source.stat().st_size

    assert check(source, expected, source_size_bytes=size).warnings == ()
    assert check(source, expected, source_size_bytes=size - 1).warnings == (
        f"larger than the same model in float32: {size:,} against {size - 1:,} bytes",
    )


def class_numbers(wrong: int) -> tuple[onnx.ModelProto, np.ndarray, np.ndarray]:
    """The class with the highest score; `wrong` of 16 samples are expected to be another."""
    scores = np.random.default_rng(2).normal(size=(16, 5)).astype(np.float32)
    model = onnx_model(
        [helper.make_node("ArgMax", ["x"], ["class"], axis=1, keepdims=0)],
        {"x": ("N", 5)},
        {"class": ("N",)},
        output_type=TensorProto.INT64,
    )
    want = scores.argmax(axis=1)
    want[:wrong] = (want[:wrong] + 1) % 5
    return model, scores, want


@pytest.mark.parametrize(
    ("wrong", "warnings"), [(0, ()), (1, ("6% of the whole-number outputs differ from the source's",))]
)
def test_class_numbers_are_compared_one_by_one(wrong: int, warnings: tuple[str, ...], tmp_path: Path):
    model, scores, want = class_numbers(wrong)

    assert check_file(write_onnx(tmp_path, model), [want], [scores]).warnings == warnings


def test_other_class_numbers_are_refused(tmp_path: Path):
    model, scores, want = class_numbers(8)

    with pytest.raises(GateError, match="the same for 50% of them only"):
        check_file(write_onnx(tmp_path, model), [want], [scores])
