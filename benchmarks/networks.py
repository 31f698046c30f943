"""Networks of a few sizes with seeded random weights, as files for both engines. A process of its own.

`python -m benchmarks.networks FOLDER NAME...` writes NAME.onnx and, with TensorFlow, NAME.tflite. The names:

    conv-small     about 0.1 ms on a desktop core: where the cost of a call shows
    conv-medium    a few ms
    mobilenet-v2   keras.applications at 224x224; needs TensorFlow for both formats
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["NAMES", "main"]

NAMES = ("conv-small", "conv-medium", "mobilenet-v2")
SEED = 0

# Side of the input image with three channels, then the filters of 3x3 convolutions with stride 2.
_CONVOLUTIONS = {"conv-small": (32, (16, 32, 64)), "conv-medium": (256, (32, 64, 128, 256))}


def _weights(filters: Sequence[int]) -> list[np.ndarray]:
    rng = np.random.default_rng(SEED)
    inputs = (3, *filters[:-1])
    return [
        rng.normal(0, (2 / (9 * before)) ** 0.5, (3, 3, before, after)).astype(np.float32)
        for before, after in zip(inputs, filters, strict=True)
    ]


def _write_onnx(name: str, folder: Path) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    side, filters = _CONVOLUTIONS[name]
    nodes, constants, tensor = [], [], "image"
    for number, weight in enumerate(_weights(filters)):
        constants.append(numpy_helper.from_array(weight.transpose(3, 2, 0, 1).copy(), f"w{number}"))
        nodes.append(helper.make_node("Conv", [tensor, f"w{number}"], [f"c{number}"], pads=[1] * 4, strides=[2, 2]))
        nodes.append(helper.make_node("Relu", [f"c{number}"], [f"r{number}"]))
        tensor = f"r{number}"
    nodes.append(helper.make_node("GlobalAveragePool", [tensor], ["pooled"]))
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info("pooled", TensorProto.FLOAT, [1, filters[-1], 1, 1])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, folder / f"{name}.onnx")


def _keras_network(name: str) -> Any:
    import keras

    keras.utils.set_random_seed(SEED)
    if name == "mobilenet-v2":
        return keras.applications.MobileNetV2(weights=None)
    side, filters = _CONVOLUTIONS[name]
    tensor = image = keras.Input((side, side, 3), name="image")
    for count in filters:
        tensor = keras.layers.Conv2D(count, 3, strides=2, padding="same", use_bias=False, activation="relu")(tensor)
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(tensor))
    model.set_weights(_weights(filters))
    return model


def main(folder: Path, names: Sequence[str]) -> None:
    """Write the files; without TensorFlow only those that onnx alone can make."""
    for name in set(names) & _CONVOLUTIONS.keys():
        _write_onnx(name, folder)
    try:
        import tensorflow as _tensorflow  # noqa: F401 the exporters need it
    except ImportError:
        return
    from pocketbench.compression.exporters.onnx import export_onnx
    from pocketbench.compression.exporters.tflite import export_tflite

    for name in names:
        model = _keras_network(name)
        export_tflite(model, folder / f"{name}.tflite")
        if name not in _CONVOLUTIONS:
            export_onnx(model, folder / f"{name}.onnx")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
