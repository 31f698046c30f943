"""Bad input is refused with a sentence, and nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from pocketbench.checked.errors import InputError, PocketbenchError
from pocketbench.compression.data import DataSpec
from tests.compression.builds.conftest import build
from tests.compression.tiny import classifier, onnx_model, write_onnx

FUNCTIONS = "python:tests.compression.builds.own_functions"


def refused(model: Path, output: Path, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        build(model, output, **options)
    assert not output.exists()
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        pytest.param("gone.onnx", None, "does not exist", id="missing"),
        pytest.param("model.pt", b"PK", "ends in .keras, .h5 or .onnx, got 'model.pt'", id="ending"),
        pytest.param("model.tflite", b"TFL3", "finished variant 'model.tflite': measure it", id="tflite"),
        pytest.param("model.onnx", b"", "without nodes: is the file whole?", id="empty onnx"),
        pytest.param("model.onnx", bytes(range(255, 0, -1)) * 9, "ONNX model in", id="random onnx"),
        pytest.param("model.keras", bytes(range(256)) * 9, "a zip archive", id="random keras"),
        pytest.param("model.keras", b"", "a zip archive", id="empty keras"),
        pytest.param("model.h5", bytes(range(256)) * 9, "HDF5", id="random h5"),
        pytest.param("model.h5", b"\x89HDF\r\n\x1a\n" + bytes(64), "HDF5 file", id="truncated h5"),
    ],
)
def test_a_file_that_is_no_model(name: str, content: bytes | None, words: str, tmp_path: Path):
    if content is not None:
        (tmp_path / name).write_bytes(content)

    message = refused(tmp_path / name, tmp_path / "out")

    assert words in message
    assert name in message


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_half_a_model(share: float, folder: Path, tmp_path: Path):
    content = (folder / "model.onnx").read_bytes()
    (tmp_path / "half.onnx").write_bytes(content[: int(len(content) * share)])

    assert "is the file whole?" in refused(tmp_path / "half.onnx", tmp_path / "out")


def test_a_folder_is_no_model(tmp_path: Path):
    assert "got the folder" in refused(tmp_path, tmp_path / "out")


def test_a_model_whose_weights_are_missing(tmp_path: Path):
    onnx.save(classifier(), tmp_path / "model.onnx", save_as_external_data=True, location="weights", size_threshold=0)
    (tmp_path / "weights").unlink()

    assert "external data files beside it" in refused(tmp_path / "model.onnx", tmp_path / "out")


def test_a_model_without_inputs(tmp_path: Path):
    model = onnx_model(
        [helper.make_node("Identity", ["w"], ["out"])], {}, {"out": (1, 2)}, {"w": np.zeros((1, 2), np.float32)}
    )

    assert "at least one input" in refused(write_onnx(tmp_path, model), tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"recipes": []}, "at least one recipe, got none", id="no recipe"),
        pytest.param({"recipes": ["int9"]}, "got 'int9'; did you mean 'int8'", id="unknown recipe"),
        pytest.param({"recipes": ["gone.yaml"]}, "got gone.yaml: No such file", id="missing recipe"),
        pytest.param({"formats": []}, "at least one format", id="no format"),
        pytest.param({"formats": ["onx"]}, "got 'onx'; did you mean 'onnx'", id="unknown format"),
        pytest.param({"formats": ["tflite"]}, "other formats are written from Keras models", id="format"),
        pytest.param({"recipes": ["int8"]}, "learns its ranges from data: give calibration", id="no data"),
        pytest.param({"recipes": ["prune-channels"]}, "expected a Keras model for the steps", id="needs Keras"),
        pytest.param({"data": DataSpec(metric="top")}, "expected a metric, got 'top'", id="metric"),
        pytest.param({"workers": 0}, "at least one worker", id="workers"),
        pytest.param({"time_limit_s": 0.0}, "a time limit over 0", id="time limit"),
    ],
)
def test_what_is_asked_for_cannot_be(options: dict[str, Any], words: str, folder: Path, tmp_path: Path):
    assert words in refused(folder / "model.onnx", tmp_path / "out", **options)


def data_of(folder: Path, **arrays: np.ndarray) -> str:
    np.savez(folder / "own.npz", **arrays)  # type: ignore[arg-type]  # its stub takes the arrays for `allow_pickle`
    return str(folder / "own.npz")


IMAGES = np.zeros((6, 1, 8, 8), np.float32)


@pytest.mark.parametrize(
    ("role", "arrays", "words"),
    [
        pytest.param("train", {"x": IMAGES[:, 0]}, "(1, 8, 8) for the model's input 'image', got (8, 8)", id="shape"),
        pytest.param("calibration", {"x": IMAGES.astype(np.uint8)}, "expected float32 for", id="dtype"),
        pytest.param("evaluation", {"x": IMAGES}, "expected labels for the metric 'top-1'", id="no labels"),
        pytest.param("evaluation", {"x": IMAGES, "y": np.full(6, 4)}, "labels from 0 to 3", id="class"),
        pytest.param("evaluation", {"x": IMAGES, "y": np.zeros(6)}, "whole-numbered labels", id="float labels"),
        pytest.param("train", {"x": IMAGES[:0]}, "at least one", id="empty"),
    ],
)
def test_data_that_does_not_fit(role: str, arrays: dict[str, np.ndarray], words: str, folder: Path, tmp_path: Path):
    data = DataSpec.model_validate({role: data_of(tmp_path, **arrays)})

    assert words in refused(folder / "model.onnx", tmp_path / "out", recipes=["float32"], data=data)


def test_data_that_is_missing(folder: Path, tmp_path: Path):
    data = DataSpec(train=str(tmp_path / "gone.npz"))

    assert "gone.npz: No such file" in refused(folder / "model.onnx", tmp_path / "out", recipes=["float32"], data=data)


def test_fewer_samples_than_the_models_fixed_batch(tmp_path: Path):
    model = write_onnx(tmp_path, classifier(batch=16))
    data = DataSpec(calibration=data_of(tmp_path, x=IMAGES))

    assert "at least 16 samples" in refused(model, tmp_path / "out", recipes=["int8"], data=data)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        pytest.param("gone", "SystemExit: 7", id="exits"),
        pytest.param("crashing_data", r"crashed \(SIGSEGV\)", id="crashes"),
    ],
)
def test_data_whose_code_ends_the_process(function: str, words: str, folder: Path, tmp_path: Path):
    with pytest.raises(PocketbenchError, match=f"the model or its data cannot be read: .*{words}"):
        build(
            folder / "model.onnx",
            tmp_path / "out",
            recipes=["float32"],
            data=DataSpec(train=f"{FUNCTIONS}.{function}"),
        )
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written(folder: Path, tmp_path: Path):
    (tmp_path / "file").touch()

    with pytest.raises(InputError, match="Not a directory"):
        build(folder / "model.onnx", tmp_path / "file" / "out")
    assert (tmp_path / "file").read_bytes() == b""


def test_an_output_that_holds_something_else(folder: Path, tmp_path: Path):
    (tmp_path / "float32-onnx").mkdir()
    (tmp_path / "float32-onnx" / "thesis.tex").touch()

    with pytest.raises(InputError, match="got something else"):
        build(folder / "model.onnx", tmp_path, recipes=["float32"])
    assert [path.name for path in (tmp_path / "float32-onnx").iterdir()] == ["thesis.tex"]
