from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pocketbench.compression.golden import TOLERANCES, write_golden
from pocketbench.compression.manifest import sha256_of
from pocketbench.compression.quantizers.onnx import quantize_onnx
from pocketbench.compression.reference import FileModel, run_samples
from tests.compression.tiny import classifier, write_onnx

IMAGES = np.random.default_rng(0).normal(size=(5, 1, 8, 8)).astype(np.float32)


def read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def test_it_holds_the_first_sample_and_what_the_file_gives_for_it(tmp_path: Path):
    file = write_onnx(tmp_path, classifier())

    golden = write_golden(tmp_path, file, [IMAGES])

    arrays = read(tmp_path / "golden.npz")
    assert sorted(arrays) == ["input_0", "output_0"]
    assert np.array_equal(arrays["input_0"], IMAGES[:1])
    assert np.array_equal(arrays["output_0"], run_samples(FileModel(file), [IMAGES[:1]])[0])
    assert golden.sha256 == sha256_of(tmp_path / "golden.npz")
    assert golden.rtol == TOLERANCES["float32"]
    assert golden.atol == pytest.approx(golden.rtol * np.abs(arrays["output_0"]).max())


@pytest.mark.parametrize(
    ("scheme", "precision"), [("float16", "float16"), ("int8-dynamic", "int8"), ("int8", "int8"), ("int16x8", "int8")]
)
def test_the_tolerance_follows_from_what_the_file_stores(scheme: str, precision: str, tmp_path: Path):
    quantize_onnx(write_onnx(tmp_path, classifier()), tmp_path / "small.onnx", scheme, [IMAGES])

    assert write_golden(tmp_path, tmp_path / "small.onnx", [IMAGES]).rtol == TOLERANCES[precision]


def test_a_model_of_a_fixed_batch_gets_a_batch(tmp_path: Path):
    write_golden(tmp_path, write_onnx(tmp_path, classifier(batch=4)), [IMAGES])

    assert {name: array.shape for name, array in read(tmp_path / "golden.npz").items()} == {
        "input_0": (4, 1, 8, 8),
        "output_0": (4, 4),
    }


def test_the_same_file_gives_the_same_bytes(tmp_path: Path):
    file = write_onnx(tmp_path, classifier())
    hashes = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        hashes.add(write_golden(tmp_path / name, file, [IMAGES]).sha256)

    assert len(hashes) == 1
