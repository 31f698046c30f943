"""The float32 files that the quantizers start from, made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pocketbench.compression.exporters.onnx import export_onnx
from pocketbench.compression.exporters.tflite import export_tflite
from pocketbench.compression.models import load_keras
from pocketbench.compression.tensorflow import import_keras

SAMPLES = 24


def convolutional(keras: Any) -> Any:
    """A convolution, a depthwise one and a fully connected layer, whose outputs use their range."""
    layers = keras.layers
    image = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(image)
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    return keras.Model(image, layers.Dense(4, name="scores")(layers.Flatten()(x)), name="convolutional")


def recurrent(kind: str, *, unroll: bool) -> Callable[[Any], Any]:
    def make(keras: Any) -> Any:
        layers = keras.layers
        steps = keras.Input((5, 8), name="steps")
        x = getattr(layers, kind)(16, unroll=unroll)(steps)
        return keras.Model(steps, layers.Dense(4, name="scores")(x), name="recurrent")

    return make


NETS = {
    "convolutional": convolutional,
    "gru": recurrent("GRU", unroll=False),
    "lstm": recurrent("LSTM", unroll=False),
    "unrolled": recurrent("GRU", unroll=True),
}
SHAPES = {"convolutional": (8, 8, 1)}


@pytest.fixture(scope="session")
def float_files(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """(name of the net, format) → its float32 file."""
    keras, folder = import_keras(), tmp_path_factory.mktemp("float")
    files = {}
    for name, make in NETS.items():
        keras.utils.set_random_seed(0)
        make(keras).save(folder / f"{name}.keras")
        model = load_keras(folder / f"{name}.keras")
        files[name, "tflite"] = folder / f"{name}.tflite"
        export_tflite(model, files[name, "tflite"])
        if name != "unrolled":  # ONNX has operators for recurrent layers, and needs no unrolling
            files[name, "onnx"] = folder / f"{name}.onnx"
            export_onnx(model, files[name, "onnx"])
    return files


@pytest.fixture(scope="session")
def samples() -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)
    return {name: random.normal(size=(SAMPLES, *SHAPES.get(name, (5, 8)))).astype(np.float32) for name in NETS}
