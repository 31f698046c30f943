"""Write the golden models of `pocketbench device check`: python -m tests.checkup.golden_models [FOLDER]

x (6 x 6 x 3) -> convolution 3 x 3, 4 channels, ReLU -> fully connected, 4 outputs.

The answers are computed here, in float64 and in whole numbers, by no engine. No sum comes close to the middle between
two whole numbers, and no weight is so large that pairs of products overflow 16 bits (which happens on x86 without
VNNI): every way of rounding gives the same, up to the last step.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from pocketbench.harness.checkup import golden
from tests.runner.tiny_models import Operator, Tensor, write_tflite

__all__ = ["write_all"]

_SIZE, _CHANNELS, _FILTERS, _KERNEL, _OUTPUTS = 6, 3, 4, 3, 4
_OUT = _SIZE - _KERNEL + 1
# Steps of the quantized tensors; input and output are symmetric, the hidden one is not, since it is never negative.
_X_STEP, _W_STEP, _HIDDEN_STEP, _Y_STEP = 1 / 64, 1 / 128, 1 / 32, golden.OUTPUT_STEP
_HIDDEN_ZERO = -128
# How far from the middle between two whole numbers every sum stays.
_MARGIN = 0.02
# The oldest that has per-tensor QuantizeLinear in int8, and that the oldest engines of any use read.
_OPSET, _IR_VERSION = 13, 8


def write_all(folder: Path) -> None:
    """The four models with their golden inferences."""
    x, kernel, bias, dense, dense_bias = _numbers()
    float_parts = (kernel * _W_STEP, bias * _X_STEP * _W_STEP, dense * _W_STEP, dense_bias * _HIDDEN_STEP * _W_STEP)
    y = _float_answer(x * _X_STEP, *float_parts)
    y_int8 = _int8_answer(x, kernel, bias, dense, dense_bias)
    _write_tflite(folder / "float32.tflite", *(part.astype(np.float32) for part in float_parts), quantized=False)
    _write_golden(folder / "float32.tflite", (x * _X_STEP).astype(np.float32), y.astype(np.float32))
    _write_tflite(folder / "int8.tflite", kernel, bias, dense, dense_bias, quantized=True)
    _write_golden(folder / "int8.tflite", x.astype(np.int8), y_int8.astype(np.int8))
    channels_first = x.transpose(2, 0, 1)
    _write_onnx(folder / "float32.onnx", *(part.astype(np.float32) for part in float_parts), quantized=False)
    _write_golden(folder / "float32.onnx", (channels_first * _X_STEP).astype(np.float32), y.astype(np.float32))
    _write_onnx(folder / "int8.onnx", kernel, bias, dense, dense_bias, quantized=True)
    _write_golden(
        folder / "int8.onnx", (channels_first * _X_STEP).astype(np.float32), (y_int8 * _Y_STEP).astype(np.float32)
    )


def _numbers() -> tuple[np.ndarray, ...]:
    """The first draw whose sums all keep the margin, as whole numbers."""
    for seed in range(10_000):
        rng = np.random.default_rng(seed)
        x = rng.integers(-100, 101, (_SIZE, _SIZE, _CHANNELS))
        kernel = rng.integers(-63, 64, (_FILTERS, _KERNEL, _KERNEL, _CHANNELS))
        bias = rng.integers(-4000, 4001, _FILTERS)
        dense = rng.integers(-63, 64, (_OUTPUTS, _OUT * _OUT * _FILTERS))
        dense_bias = rng.integers(-4000, 4001, _OUTPUTS)
        hidden = _hidden(x, kernel, bias)
        sums = _output(np.rint(hidden), dense, dense_bias)
        if (
            all(np.abs(values % 1 - 0.5).min() > _MARGIN for values in (hidden, sums))
            and -120 < sums.min() < -20
            and 20 < sums.max() < 120
        ):
            return x, kernel, bias, dense, dense_bias
    raise AssertionError("no draw keeps the margin")


def _convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(x, (_KERNEL, _KERNEL), axis=(0, 1))
    return np.asarray(np.einsum("abcij,fijc->abf", windows, kernel) + bias)


def _hidden(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Steps of the hidden tensor above its zero, before rounding."""
    return np.clip(_convolve(x, kernel, bias) * (_X_STEP * _W_STEP / _HIDDEN_STEP), 0, 255)


def _output(hidden: np.ndarray, dense: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return np.asarray((dense @ hidden.reshape(-1) + bias) * (_HIDDEN_STEP * _W_STEP / _Y_STEP))


def _int8_answer(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, dense: np.ndarray, dense_bias: np.ndarray):
    return np.clip(np.rint(_output(np.rint(_hidden(x, kernel, bias)), dense, dense_bias)), -128, 127)


def _float_answer(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, dense: np.ndarray, dense_bias: np.ndarray):
    return dense @ np.maximum(_convolve(x, kernel, bias), 0).reshape(-1) + dense_bias


def _write_golden(model: Path, x: np.ndarray, y: np.ndarray) -> None:
    np.savez(model.with_name(f"{model.name}.npz"), input_0=x[np.newaxis], output_0=y[np.newaxis])


def _write_tflite(
    path: Path, kernel: np.ndarray, bias: np.ndarray, dense: np.ndarray, dense_bias: np.ndarray, *, quantized: bool
) -> None:
    from ai_edge_litert import schema_py_generated as schema

    conv = schema.Conv2DOptionsT()
    conv.padding, conv.strideH, conv.strideW = schema.Padding.VALID, 1, 1
    conv.fusedActivationFunction = schema.ActivationFunctionType.RELU
    kind, wide = ("int8", "int32") if quantized else ("float32", "float32")

    def tensor(name: str, shape: tuple[int, ...], step: float, zero: int = 0) -> Tensor:
        return Tensor(name, shape, kind, scale=step if quantized else None, zero_point=zero)

    def constant(name: str, data: np.ndarray, dtype: str, step: float) -> Tensor:
        return Tensor(name, data.shape, dtype, data.astype(dtype), scale=step if quantized else None)

    tensors = [
        tensor("x", (1, _SIZE, _SIZE, _CHANNELS), _X_STEP),
        constant("kernel", kernel, kind, _W_STEP),
        constant("bias", bias, wide, _X_STEP * _W_STEP),
        tensor("hidden", (1, _OUT, _OUT, _FILTERS), _HIDDEN_STEP, _HIDDEN_ZERO),
        constant("dense", dense, kind, _W_STEP),
        constant("dense_bias", dense_bias, wide, _HIDDEN_STEP * _W_STEP),
        tensor("y", (1, _OUTPUTS), _Y_STEP),
    ]
    operators = [
        Operator("CONV_2D", (0, 1, 2), (3,), conv),
        Operator("FULLY_CONNECTED", (3, 4, 5), (6,), schema.FullyConnectedOptionsT()),
    ]
    write_tflite(path, tensors, operators, [0], [6])


def _write_onnx(
    path: Path, kernel: np.ndarray, bias: np.ndarray, dense: np.ndarray, dense_bias: np.ndarray, *, quantized: bool
) -> None:
    """Channels first, so the weights are turned accordingly; quantized as QDQ."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    kernel = kernel.transpose(0, 3, 1, 2)
    dense = dense.reshape(_OUTPUTS, _OUT, _OUT, _FILTERS).transpose(0, 3, 1, 2).reshape(_OUTPUTS, -1)
    constants: dict[str, np.ndarray] = {"kernel": kernel, "bias": bias, "dense": dense, "dense_bias": dense_bias}
    nodes: list[Any] = []

    def quantization(name: str, step: float, zero: int, dtype: Any) -> list[str]:
        constants[f"{name}_step"], constants[f"{name}_zero"] = np.array(step, np.float32), np.array(zero, dtype)
        return [f"{name}_step", f"{name}_zero"]

    def weight(name: str, step: float, dtype: Any) -> str:
        if not quantized:
            return name
        constants[name] = constants[name].astype(dtype)
        nodes.append(
            helper.make_node("DequantizeLinear", [name, *quantization(name, step, 0, dtype)], [f"{name}_real"])
        )
        return f"{name}_real"

    def rounded(name: str, step: float, zero: int, result: str) -> str:
        if not quantized:
            nodes.append(helper.make_node("Identity", [name], [result]))
            return result
        parameters = quantization(name, step, zero, np.int8)
        nodes.append(helper.make_node("QuantizeLinear", [name, *parameters], [f"{name}_steps"]))
        nodes.append(helper.make_node("DequantizeLinear", [f"{name}_steps", *parameters], [result]))
        return result

    inputs = rounded("x", _X_STEP, 0, "x_rounded")
    first = [inputs, weight("kernel", _W_STEP, np.int8), weight("bias", _X_STEP * _W_STEP, np.int32)]
    nodes.append(helper.make_node("Conv", first, ["sums"]))
    nodes.append(helper.make_node("Relu", ["sums"], ["hidden"]))
    hidden = rounded("hidden", _HIDDEN_STEP, _HIDDEN_ZERO, "hidden_rounded")
    nodes.append(helper.make_node("Flatten", [hidden], ["flat"]))
    second = ["flat", weight("dense", _W_STEP, np.int8), weight("dense_bias", _HIDDEN_STEP * _W_STEP, np.int32)]
    nodes.append(helper.make_node("Gemm", second, ["answer"], transB=1))
    rounded("answer", _Y_STEP, 0, "y")
    graph = helper.make_graph(
        nodes,
        "golden",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, _CHANNELS, _SIZE, _SIZE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, _OUTPUTS])],
        [numpy_helper.from_array(data, name) for name, data in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    onnx.checker.check_model(model)
    onnx.save(model, path)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(golden.__file__).parent / "golden_data")
