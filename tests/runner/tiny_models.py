"""Models of a few kB for both engines, made without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Operator", "Tensor", "dense_onnx", "dense_tflite", "embedding_onnx", "one_to_one_onnx", "write_tflite"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of a .tflite: constant where it has `data`; -1 in `shape` is a dynamic dimension."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    data: np.ndarray | None = None
    scale: float | None = None
    zero_point: int = 0


@dataclass(frozen=True, slots=True)
class Operator:
    """`kind` as in BuiltinOperator, `options` as the schema's object (`FullyConnectedOptionsT()`)."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any = None


def write_tflite(
    path: Path, tensors: Sequence[Tensor], operators: Sequence[Operator], inputs: Sequence[int], outputs: Sequence[int]
) -> Path:
    """Write a .tflite of one subgraph; numbers are indices into `tensors`."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    buffers = [schema.BufferT()]
    made = []
    for tensor in tensors:
        item = schema.TensorT()
        item.name, item.hasRank = tensor.name, True
        item.shape = [abs(size) for size in tensor.shape]
        if -1 in tensor.shape:
            item.shapeSignature = list(tensor.shape)
        item.type = getattr(schema.TensorType, tensor.dtype.upper())
        if tensor.data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(tensor.data.tobytes(), np.uint8)
            item.buffer = len(buffers)
            buffers.append(buffer)
        if tensor.scale is not None:
            item.quantization = schema.QuantizationParametersT()
            item.quantization.scale = [tensor.scale]
            item.quantization.zeroPoint = [tensor.zero_point]
        made.append(item)
    graph = schema.SubGraphT()
    graph.tensors, graph.inputs, graph.outputs, graph.operators = made, list(inputs), list(outputs), []
    model = schema.ModelT()
    model.version, model.buffers, model.subgraphs, model.operatorCodes = 3, buffers, [graph], []
    for number, operator in enumerate(operators):
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, operator.kind)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = 1
        model.operatorCodes.append(code)
        item = schema.OperatorT()
        item.opcodeIndex, item.inputs, item.outputs = number, list(operator.inputs), list(operator.outputs)
        if operator.options is not None:
            item.builtinOptions = operator.options
            name = type(operator.options).__name__.removesuffix("T")
            item.builtinOptionsType = getattr(schema.BuiltinOptions, name)
        graph.operators.append(item)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def dense_tflite(path: Path, *, batch: int = 1, dtype: str = "float32", units: int = 32) -> Path:
    """y = relu(x W + b) of 64 inputs; `int8` is fully quantized."""
    from ai_edge_litert import schema_py_generated as schema

    rng = np.random.default_rng(0)
    weights = rng.standard_normal((units, 64))
    bias = rng.standard_normal(units)
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    if dtype == "int8":
        tensors = [
            Tensor("x", (batch, 64), "int8", scale=1 / 255, zero_point=-128),
            Tensor("w", (units, 64), "int8", np.clip(np.round(weights * 40), -127, 127).astype(np.int8), 1 / 40),
            Tensor("b", (units,), "int32", np.round(bias * 40 * 255).astype(np.int32), 1 / 40 / 255),
            Tensor("y", (batch, units), "int8", scale=0.1, zero_point=-128),
        ]
    else:
        tensors = [
            Tensor("x", (batch, 64), "float32"),
            Tensor("w", (units, 64), "float32", weights.astype(np.float32)),
            Tensor("b", (units,), "float32", bias.astype(np.float32)),
            Tensor("y", (batch, units), "float32"),
        ]
    return write_tflite(path, tensors, [Operator("FULLY_CONNECTED", (0, 1, 2), (3,), options)], [0], [3])


def _save_onnx(path: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: list[Any]) -> Path:
    import onnx
    from onnx import helper

    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def dense_onnx(path: Path, *, batch: int | str = 1, units: int = 32) -> Path:
    """y = relu(x W + b) of 64 inputs; a name as `batch` is a dynamic dimension."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    weights = rng.standard_normal((64, units)).astype(np.float32)
    bias = rng.standard_normal(units).astype(np.float32)
    return _save_onnx(
        path,
        [
            helper.make_node("MatMul", ["x", "w"], ["t"]),
            helper.make_node("Add", ["t", "b"], ["u"]),
            helper.make_node("Relu", ["u"], ["y"]),
        ],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, units])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")],
    )


def embedding_onnx(path: Path) -> Path:
    """Rows of a table by int64 indices: dynamic batch, two inputs, two outputs."""
    from onnx import TensorProto, helper, numpy_helper

    table = np.arange(40, dtype=np.float32).reshape(10, 4)
    return _save_onnx(
        path,
        [
            helper.make_node("Gather", ["table", "indices"], ["rows"]),
            helper.make_node("Mul", ["rows", "factor"], ["scaled"]),
        ],
        [
            helper.make_tensor_value_info("indices", TensorProto.INT64, ["batch", 3]),
            helper.make_tensor_value_info("factor", TensorProto.FLOAT, ["batch", 3, 4]),
        ],
        [
            helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["batch", 3, 4]),
            helper.make_tensor_value_info("scaled", TensorProto.FLOAT, ["batch", 3, 4]),
        ],
        [numpy_helper.from_array(table, "table")],
    )


def one_to_one_onnx(path: Path, operator: str, dtype: str, shape: Sequence[int | str], **attributes: Any) -> Path:
    """One operator with one input and one output of the same shape; `dtype` as in TensorProto."""
    from onnx import TensorProto, helper

    kind = getattr(TensorProto, dtype)
    result = attributes.get("to", kind)
    return _save_onnx(
        path,
        [helper.make_node(operator, ["x"], ["y"], **attributes)],
        [helper.make_tensor_value_info("x", kind, list(shape))],
        [helper.make_tensor_value_info("y", result, list(shape))],
        [],
    )
