"""Models and data so small that a build of them takes a second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["CLASSES", "classifier", "classifier_data", "onnx_model", "save_keras_classifier", "write_onnx"]

CLASSES = 4
Shapes = Mapping[str, Sequence[int | str]]


def onnx_model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Shapes,
    outputs: Shapes,
    stored: Mapping[str, np.ndarray] | None = None,
    *,
    input_type: int = TensorProto.FLOAT,
    output_type: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """A valid model of operator set 17."""
    graph = helper.make_graph(
        list(nodes),
        "tiny",
        [helper.make_tensor_value_info(name, input_type, list(shape)) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, output_type, list(shape)) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in (stored or {}).items()],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model)
    return model


def write_onnx(folder: Path, model: onnx.ModelProto, name: str = "model.onnx") -> Path:
    path = folder / name
    onnx.save(model, path)
    return path


def classifier(*, batch: int | str = "N", dense: bool = True, seed: int = 0) -> onnx.ModelProto:
    """A convolution, and a fully connected layer where `dense`: image (batch, 1, 8, 8) → scores (batch, CLASSES)."""
    random = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return random.normal(0, 0.3, shape).astype(np.float32)

    nodes = [
        helper.make_node("Conv", ["image", "w1", "b1"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
    ]
    stored = {"w1": weights(8, 1, 3, 3), "b1": weights(8)}
    if dense:
        nodes += [
            helper.make_node("Flatten", ["r"], ["f"]),
            helper.make_node("Gemm", ["f", "w2", "b2"], ["scores"]),
        ]
        stored |= {"w2": weights(8 * 64, CLASSES), "b2": weights(CLASSES)}
    else:
        nodes += [
            helper.make_node("Conv", ["r", "w2"], ["d"]),
            helper.make_node("GlobalAveragePool", ["d"], ["p"]),
            helper.make_node("Flatten", ["p"], ["scores"]),
        ]
        stored |= {"w2": weights(CLASSES, 8, 1, 1)}
    return onnx_model(nodes, {"image": (batch, 1, 8, 8)}, {"scores": (batch, CLASSES)}, stored)


def classifier_data(folder: Path, samples: int = 40) -> tuple[Path, Path]:
    """train.npz and test.npz for the models here, with random labels: float32 (samples, 1, 8, 8), int64 (samples,)."""
    random = np.random.default_rng(1)
    for name in ("train.npz", "test.npz"):
        images = random.normal(size=(samples, 1, 8, 8)).astype(np.float32)
        np.savez(folder / name, x=images, y=random.integers(0, CLASSES, samples))
    return folder / "train.npz", folder / "test.npz"


def save_keras_classifier(path: Path) -> Any:
    """A Keras model with a convolution of 16 channels: image (8, 8, 1) → CLASSES probabilities."""
    from pocketbench.compression.tensorflow import import_keras

    keras = import_keras()
    keras.utils.set_random_seed(0)
    layers = keras.layers
    image = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(16, 3, padding="same", use_bias=False, name="conv1")(image)
    x = layers.ReLU(name="relu1")(layers.BatchNormalization(name="bn1")(x))
    x = layers.Conv2D(32, 3, strides=2, activation="relu", name="conv2")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(image, layers.Dense(CLASSES, activation="softmax", name="classes")(x), name="tiny")
    model.compile("adam", "sparse_categorical_crossentropy")
    model.save(path)
    return model
