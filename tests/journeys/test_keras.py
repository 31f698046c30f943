"""A user has a Keras model and its data in .npz: from plan to report, and twice the same bytes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.journeys.conftest import CommandLine

PLAN = """\
version: 1
name: own keras
model: own.keras
recipes: [float32, int8, small.yaml]
formats: [tflite, onnx]
data: {train: train.npz, evaluation: test.npz, metric: top-1}
devices: [local]
rounds: 2
launch: {iterations: 20, min_time_s: 0.05, warmup_iterations: 5, warmup_time_s: 0.0}
"""

RECIPE = """\
version: 1
name: small
description: Half of the channels, fine-tuned, then int8.
steps:
  - prune-channels: {ratio: 0.5, round_to: 4}
  - finetune: {epochs: 2}
  - quantize: {scheme: int8}
"""

# In a process of its own: TensorFlow stays out of the test process.
WRITE_MODEL = """
import sys, keras
from keras import layers
keras.utils.set_random_seed(3)
image = keras.Input((8, 8, 1), name="image")
x = layers.Conv2D(16, 3, padding="same", activation="relu", name="first")(image)
x = layers.MaxPooling2D(name="pool")(x)
x = layers.Conv2D(32, 3, padding="same", activation="relu", name="second")(x)
x = layers.GlobalAveragePooling2D(name="mean")(x)
model = keras.Model(image, layers.Dense(10, activation="softmax", name="digit")(x))
model.compile("adam", "sparse_categorical_crossentropy")
model.save(sys.argv[1])
"""


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keras") / "own.keras"
    subprocess.run([sys.executable, "-c", WRITE_MODEL, str(path)], check=True, capture_output=True)
    return path


@pytest.fixture
def own_model(keras_file: Path, tmp_path: Path) -> Path:
    from pocketbench.harness.demo.digits import load_digits

    (train_x, train_y), (test_x, test_y) = load_digits()
    np.savez(tmp_path / "train.npz", x=train_x[:400], y=train_y[:400])
    np.savez(tmp_path / "test.npz", x=test_x[:100], y=test_y[:100])
    shutil.copy(keras_file, tmp_path)
    (tmp_path / "small.yaml").write_text(RECIPE)
    (tmp_path / "plan.yaml").write_text(PLAN)
    return tmp_path


@pytest.mark.slow
def test_plan_with_a_keras_model_and_a_recipe_of_ones_own(own_model: Path, pocketbench: CommandLine):
    completed = pocketbench("run", "plan.yaml")

    assert completed.returncode == 0, completed.stderr
    shown = json.loads(pocketbench("results", "show", "last", "--json").stdout)
    sizes = {row["variant"]: row["size_bytes"] for row in shown}
    assert {row["status"] for row in shown} == {"ok"}
    assert {"float32-tflite", "float32-onnx", "int8-tflite", "int8-onnx", "small-tflite", "small-onnx"} <= set(sizes)
    assert any(name.startswith("control") for name in sizes)
    assert sizes["small-tflite"] < sizes["int8-tflite"] < sizes["float32-tflite"]
    assert all(row["quality_value"] is not None for row in shown)


@pytest.mark.slow
def test_same_seed_gives_the_same_bytes(own_model: Path, pocketbench: CommandLine):
    hashes = []
    for folder in ("first", "second"):
        arguments = ("--recipe", "float32", "--recipe", "int8", "--recipe", "small.yaml")
        completed = pocketbench(
            "compress", "own.keras", *arguments, "--data", "train.npz", "--no-cache", "--out", folder, "--json"
        )
        assert completed.returncode == 0, completed.stderr
        hashes.append({entry["name"]: entry["file"]["sha256"] for entry in json.loads(completed.stdout)})

    assert len(hashes[0]) >= 6
    assert hashes[0] == hashes[1]
