"""Small seeded nets, saved once, and their float32 exports, made once for all tests of this folder."""

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

SAMPLES = 12


def cnn(keras: Any) -> Any:
    layers = keras.layers
    image = keras.Input((12, 12, 3), name="image")
    x = layers.Conv2D(8, 3, padding="same", use_bias=False)(image)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    y = layers.DepthwiseConv2D(3, padding="same", activation="relu6")(x)
    x = layers.Add()([x, layers.Conv2D(8, 1)(y)])
    x = layers.GlobalAveragePooling2D()(layers.Activation("hard_swish")(x))
    return keras.Model(image, layers.Dense(5, activation="softmax", name="probabilities")(x), name="cnn")


def sequential(keras: Any) -> Any:
    """Keras' other class of models, which has no graph of its own."""
    layers = keras.layers
    stack = [keras.Input((12, 12, 3), name="image"), layers.Conv2D(8, 3, activation="relu"), layers.Flatten()]
    return keras.Sequential([*stack, layers.Dense(5, name="scores")], name="sequential")


def two_by_two(keras: Any) -> Any:
    """Two inputs and two outputs whose order is not that of the alphabet."""
    layers = keras.layers
    zeta, alpha = keras.Input((8,), name="zeta"), keras.Input((4,), name="alpha")
    x = layers.Dense(64, activation="relu")(layers.Concatenate()([zeta, alpha]))
    outputs = [layers.Dense(3, name="second")(x), layers.Dense(2, name="first")(x)]
    return keras.Model([zeta, alpha], outputs, name="two_by_two")


def transformer(keras: Any) -> Any:
    layers = keras.layers
    tokens = keras.Input((10,), dtype="int32", name="tokens")
    x = layers.Embedding(50, 32)(tokens)
    x = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 16)(x, x)]))
    y = layers.Dense(32)(keras.ops.gelu(layers.Dense(64)(x), approximate=False))
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(layers.Add()([x, y])))
    return keras.Model(tokens, layers.Dense(4, activation="softmax", name="class")(x), name="transformer")


def _recurrent(kind: str) -> Callable[[Any], Any]:
    def build(keras: Any) -> Any:
        layers, cell = keras.layers, getattr(keras.layers, kind)
        steps = keras.Input((6, 4), name="steps")
        x = layers.Bidirectional(cell(8, return_sequences=True))(steps)
        x, *states = cell(8, return_state=True, go_backwards=True, use_bias=False)(x)
        x = layers.Concatenate()([x, *states])
        return keras.Model(steps, layers.Dense(3, name="class")(x), name=kind.lower())

    return build


NETS: dict[str, Callable[[Any], Any]] = {
    "cnn": cnn,
    "gru": _recurrent("GRU"),
    "lstm": _recurrent("LSTM"),
    "sequential": sequential,
    "transformer": transformer,
    "two_by_two": two_by_two,
}


@pytest.fixture(scope="session")
def keras() -> Any:
    return import_keras()


@pytest.fixture(scope="session")
def saved(keras: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Name of the net → its .keras file."""
    folder = tmp_path_factory.mktemp("nets")
    for name, build in NETS.items():
        keras.backend.clear_session()
        keras.utils.set_random_seed(0)
        model = build(keras)
        _settle_statistics(model)
        model.save(folder / f"{name}.keras")
    return {name: folder / f"{name}.keras" for name in NETS}


def _settle_statistics(model: Any) -> None:
    """Give batch normalization other numbers than the 0 and 1 it starts with."""
    rng = np.random.default_rng(1)
    for weight in model.non_trainable_weights:
        if weight.name in ("moving_mean", "moving_variance"):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))


@pytest.fixture(scope="session")
def inputs() -> dict[str, list[np.ndarray]]:
    """Name of the net → one array of samples per input."""
    rng = np.random.default_rng(2)
    return {
        "cnn": [rng.standard_normal((SAMPLES, 12, 12, 3)).astype(np.float32)],
        "gru": [rng.standard_normal((SAMPLES, 6, 4)).astype(np.float32)],
        "lstm": [rng.standard_normal((SAMPLES, 6, 4)).astype(np.float32)],
        "sequential": [rng.standard_normal((SAMPLES, 12, 12, 3)).astype(np.float32)],
        "transformer": [rng.integers(0, 50, (SAMPLES, 10)).astype(np.int32)],
        "two_by_two": [rng.standard_normal((SAMPLES, n)).astype(np.float32) for n in (8, 4)],
    }


@pytest.fixture(scope="session")
def expected(keras: Any, saved: dict[str, Path], inputs: dict[str, list[np.ndarray]]) -> dict[str, list[np.ndarray]]:
    """Name of the net → Keras' own outputs."""
    found = {}
    for name, path in saved.items():
        model = load_keras(path)
        given = inputs[name]
        outputs = model(given if len(given) > 1 else given[0], training=False)
        found[name] = [np.asarray(output) for output in keras.tree.flatten(outputs)]
    return found


@pytest.fixture(scope="session")
def exported(saved: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """(name of the net, format) → its float32 file."""
    folder = tmp_path_factory.mktemp("exported")
    files = {}
    for name, path in saved.items():
        model = load_keras(path)
        files[name, "tflite"] = folder / f"{name}.tflite"
        files[name, "onnx"] = folder / f"{name}.onnx"
        export_tflite(model, files[name, "tflite"])
        export_onnx(model, files[name, "onnx"])
    return files
