"""Each scheme in each format, by the engines' own quantizers: what is stored, what it computes, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from pocketbench.checked.errors import InputError
from pocketbench.compression.errors import QuantizationError
from pocketbench.compression.gate import check_file
from pocketbench.compression.quantizers.onnx import quantize_onnx
from pocketbench.compression.quantizers.schemes import SCHEMES, STATIC_SCHEMES, calibration_samples
from pocketbench.compression.quantizers.tflite import quantize_tflite
from pocketbench.compression.reference import FileModel, run_samples
from pocketbench.compression.stored_numbers import stored_numbers
from tests.compression.tiny import classifier, onnx_model, write_onnx

Files = dict[tuple[str, str], Path]
Samples = dict[str, np.ndarray]
Quantizer = Callable[[Path, Path, str, Sequence[np.ndarray] | None], dict[str, Any]]
QUANTIZERS: dict[str, Quantizer] = {"tflite": quantize_tflite, "onnx": quantize_onnx}
FORMATS = tuple(QUANTIZERS)
# Weights of `convolutional`: two kernels of 3x3 for 16 channels, and 8*8*16 x 4.
WEIGHTS = 16 * 9 + 16 * 9 + 8 * 8 * 16 * 4
BIASES = 16 + 16 + 4
# Least signal-to-error ratio of `convolutional` in dB: 11 and 8 bits give about 66 and 40 dB per layer, of which
# there are three.
LEAST_DB = {"float16": 55.0, "int8-dynamic": 25.0, "int8": 25.0, "int16x8": 30.0}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_stores_what_it_says_and_computes_the_same(
    scheme: str, kind: str, float_files: Files, samples: Samples, tmp_path: Path
):
    source, target, inputs = float_files["convolutional", kind], tmp_path / f"small.{kind}", samples["convolutional"]
    expected = run_samples(FileModel(source), [inputs])

    details = QUANTIZERS[kind](source, target, scheme, [inputs])

    assert details["scheme"] == scheme
    counts = stored_numbers(target)
    small = "float16" if scheme == "float16" else "int8"
    if (scheme, kind) == ("int8-dynamic", "onnx"):  # ONNX Runtime has a fast kernel for the fully connected layer only
        assert counts[small] == 8 * 8 * 16 * 4 + 4  # a zero point per channel
    else:
        assert WEIGHTS <= counts[small] <= WEIGHTS + 2 * BIASES  # with float16 biases, or with zero points
        assert counts.get("float32", 0) < WEIGHTS / 10
    report = check_file(target, expected, [inputs], scheme=scheme)
    assert report.sqnr_db is not None
    assert report.sqnr_db > LEAST_DB[scheme]
    assert target.stat().st_size < source.stat().st_size


@pytest.mark.parametrize("scheme", SCHEMES)
def test_onnx_files_keep_float_inputs_and_outputs(scheme: str, tmp_path: Path):
    source, images = write_onnx(tmp_path, classifier()), np.ones((4, 1, 8, 8), np.float32)

    quantize_onnx(source, tmp_path / "small.onnx", scheme, [images])

    small, large = FileModel(tmp_path / "small.onnx"), FileModel(source)
    assert (small.inputs, small.outputs) == (large.inputs, large.outputs)


@pytest.mark.parametrize(
    ("scheme", "dtype"),
    [("float16", "float32"), ("int8-dynamic", "float32"), ("int8", "int8"), ("int16x8", "int16")],
)
def test_tflite_files_have_the_inputs_that_their_scheme_says(
    scheme: str, dtype: str, float_files: Files, samples: Samples, tmp_path: Path
):
    quantize_tflite(
        float_files["convolutional", "tflite"], tmp_path / "small.tflite", scheme, [samples["convolutional"]]
    )

    model = FileModel(tmp_path / "small.tflite")
    assert [(facts.name, facts.dtype) for facts in (*model.inputs, *model.outputs)] == [
        ("image", dtype),
        ("scores", dtype),
    ]
    assert all((facts.scale is None) == (dtype == "float32") for facts in (*model.inputs, *model.outputs))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("scheme", ["float16", "int8-dynamic"])
@pytest.mark.parametrize("net", ["gru", "lstm"])
def test_recurrent_layers_in_schemes_without_ranges(
    net: str, scheme: str, kind: str, float_files: Files, samples: Samples, tmp_path: Path
):
    source, target = float_files[net, kind], tmp_path / f"small.{kind}"

    QUANTIZERS[kind](source, target, scheme, None)

    report = check_file(target, run_samples(FileModel(source), [samples[net]]), [samples[net]], scheme=scheme)
    assert report.sqnr_db is not None
    assert report.sqnr_db > (50 if scheme == "float16" else 20)


@pytest.mark.parametrize("scheme", STATIC_SCHEMES)
def test_ranges_inside_a_loop_are_refused_with_the_ways_out(
    scheme: str, float_files: Files, samples: Samples, tmp_path: Path
):
    with pytest.raises(
        QuantizationError,
        match=f"cannot make {scheme}: .*GRU or LSTM.*int8-dynamic or float16, or build .* unroll=True",
    ):
        quantize_tflite(float_files["gru", "tflite"], tmp_path / "small.tflite", scheme, [samples["gru"]])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", STATIC_SCHEMES)
def test_an_unrolled_layer_has_ranges(scheme: str, float_files: Files, samples: Samples, tmp_path: Path):
    source, target = float_files["unrolled", "tflite"], tmp_path / "small.tflite"

    details = quantize_tflite(source, target, scheme, [samples["unrolled"]])

    expected = run_samples(FileModel(source), [samples["unrolled"]])
    report = check_file(target, expected, [samples["unrolled"]], scheme=scheme)
    assert report.sqnr_db is not None
    assert report.sqnr_db > LEAST_DB[scheme]
    assert details.get("left_in_float32") == (["SPLIT"] if scheme == "int8" else None)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("scheme", STATIC_SCHEMES)
def test_ranges_are_those_of_the_data_and_do_not_clip_it(
    scheme: str, kind: str, float_files: Files, samples: Samples, tmp_path: Path
):
    """One sample is ten times as large as the others: a moving average would forget it."""
    source, target = float_files["convolutional", kind], tmp_path / f"small.{kind}"
    inputs = samples["convolutional"].copy()
    inputs[0] *= 10
    expected = run_samples(FileModel(source), [inputs])

    QUANTIZERS[kind](source, target, scheme, [inputs])

    report = check_file(target, expected, [inputs], scheme=scheme)
    assert report.sqnr_db is not None
    assert report.sqnr_db > LEAST_DB[scheme]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_same_input_gives_the_same_bytes(
    scheme: str, kind: str, float_files: Files, samples: Samples, tmp_path: Path
):
    for name in ("one", "two"):
        QUANTIZERS[kind](
            float_files["convolutional", kind], tmp_path / f"{name}.{kind}", scheme, [samples["convolutional"]]
        )

    assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()


@pytest.mark.parametrize("kind", FORMATS)
def test_an_unknown_scheme_is_answered_with_the_nearest_names(kind: str, float_files: Files, tmp_path: Path):
    with pytest.raises(InputError, match="got 'int8x16'; did you mean 'int8' or 'int16x8'"):
        QUANTIZERS[kind](float_files["convolutional", kind], tmp_path / "out", "int8x16", None)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("scheme", STATIC_SCHEMES)
def test_a_scheme_with_ranges_needs_data(scheme: str, kind: str, float_files: Files, tmp_path: Path):
    with pytest.raises(QuantizationError, match=f"{scheme} needs calibration data"):
        QUANTIZERS[kind](float_files["convolutional", kind], tmp_path / "out", scheme, None)


def test_an_onnx_model_without_matrix_products_is_refused_in_int8_dynamic(tmp_path: Path):
    source = write_onnx(tmp_path, classifier(dense=False))

    with pytest.raises(QuantizationError, match=r"this model has none \(it has Conv, .*: use int8"):
        quantize_onnx(source, tmp_path / "small.onnx", "int8-dynamic")


def test_a_matrix_product_of_two_inputs_has_no_weights_to_quantize(tmp_path: Path):
    model = onnx_model(
        [helper.make_node("MatMul", ["a", "b"], ["c"])], {"a": ("N", 2, 3), "b": ("N", 3, 2)}, {"c": ("N", 2, 2)}
    )

    with pytest.raises(QuantizationError, match="with stored weights"):
        quantize_onnx(write_onnx(tmp_path, model), tmp_path / "small.onnx", "int8-dynamic")


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        pytest.param([np.ones((4, 1, 8, 8)), np.ones((4, 1))], r"1 inputs \['image'\], got 2 arrays", id="count"),
        pytest.param([np.ones((4, 8, 8))], r"shape \[1, 8, 8\] for the input 'image', got \[8, 8\]", id="shape"),
        pytest.param([np.ones((0, 1, 8, 8))], "needs calibration data", id="empty"),
        pytest.param([np.ones((1, 1, 8, 8))], "at least one batch of 2 calibration samples, got 1", id="batch"),
    ],
)
def test_calibration_data_that_does_not_fit_is_refused(arrays: list[np.ndarray], words: str, tmp_path: Path):
    inputs = FileModel(write_onnx(tmp_path, classifier(batch=2))).inputs

    with pytest.raises(QuantizationError, match=words):
        calibration_samples(arrays, inputs, "int8")


def test_calibration_data_comes_in_the_models_batches(tmp_path: Path):
    inputs = FileModel(write_onnx(tmp_path, classifier(batch=2))).inputs

    batches = calibration_samples([np.ones((5, 1, 8, 8))], inputs, "int8")

    assert [[(array.shape, array.dtype.name) for array in batch] for batch in batches] == [
        [((2, 1, 8, 8), "float32")],
        [((2, 1, 8, 8), "float32")],
    ]
