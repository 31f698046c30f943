"""Measuring files that exist already needs no TensorFlow; what does need it names the extra that brings it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.journeys.conftest import CommandLine
from tests.journeys.test_onnx_alone import write_classifier
from tests.runner.tiny_models import dense_onnx, dense_tflite

HEAVY = ("tensorflow", "keras", "tf2onnx", "litert_quantizer", "sklearn", "tf_keras", "torch")


def test_bench_of_both_formats(tmp_path: Path, pocketbench: CommandLine):
    dense_tflite(tmp_path / "dense.tflite")
    dense_onnx(tmp_path / "dense.onnx")

    completed = pocketbench("bench", "dense.tflite", "dense.onnx", "--quick", "--rounds", "1", without=HEAVY)

    assert completed.returncode == 0, completed.stderr
    shown = json.loads(pocketbench("results", "show", "last", "--json", without=HEAVY).stdout)
    assert {(row["variant"], row["engine"], row["status"]) for row in shown} == {
        ("dense.tflite", "LiteRT", "ok"),
        ("dense.onnx", "ONNX Runtime", "ok"),
    }


def test_compressing_an_onnx_file(tmp_path: Path, pocketbench: CommandLine):
    write_classifier(tmp_path)

    completed = pocketbench(
        "compress", "own.onnx", "--recipe", "float16", "--recipe", "int8", "--calibration", "calibration.npz", "--json",
        without=HEAVY,
    )  # fmt: skip

    assert completed.returncode == 0, completed.stderr
    assert [entry["failure"] for entry in json.loads(completed.stdout)] == [None, None]


@pytest.mark.parametrize(
    ("argv", "extra"),
    [
        pytest.param(("compress", "model.keras", "--recipe", "float32"), "tensorflow", id="compress"),
        pytest.param(("demo",), "demo", id="demo"),
    ],
)
def test_the_error_names_the_extra(argv: tuple[str, ...], extra: str, tmp_path: Path, pocketbench: CommandLine):
    import zipfile

    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", b"")

    completed = pocketbench(*argv, without=HEAVY)

    assert completed.returncode == 2, completed.stderr
    assert f"pip install 'pocketbench[{extra}]'" in completed.stderr
    assert "Traceback" not in completed.stderr
