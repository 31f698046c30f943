"""How many numbers a file stores in which format: the one thing that tells what a quantizer really did."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import onnx

from pocketbench.compression.exporters.onnx_repair import graphs_of
from pocketbench.compression.model_files import model_format

__all__ = ["stored_numbers"]

# Bits of a number where they are not those of numpy's type of that name.
_BITS = {"INT4": 4, "UINT4": 4, "INT2": 2, "BOOL": 8, "COMPLEX64": 64, "COMPLEX128": 128}
_NO_NUMBERS = {"STRING", "RESOURCE", "VARIANT"}


def stored_numbers(path: Path) -> dict[str, int]:
    """Numpy's name of a format → how many constants the file stores in it (sparse tensors: those that are stored)."""
    counts: Counter[str] = Counter()
    for dtype, number in _tflite(path) if model_format(path) == "tflite" else _onnx(path):
        counts[dtype] += number
    return dict(sorted(counts.items()))


def _tflite(path: Path) -> Iterator[tuple[str, int]]:
    from ai_edge_litert import schema_py_generated as schema

    names = {value: name for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
    model = schema.Model.GetRootAs(path.read_bytes(), 0)
    seen: set[int] = set()  # tensors may share a buffer
    for graph in (model.Subgraphs(k) for k in range(model.SubgraphsLength())):
        for tensor in (graph.Tensors(k) for k in range(graph.TensorsLength())):
            name = names[tensor.Type()]
            buffer = model.Buffers(tensor.Buffer())
            # Above 2 GB a buffer lies behind the FlatBuffer, at an offset.
            size = buffer.DataLength() or buffer.Size()
            if not size or name in _NO_NUMBERS or tensor.Buffer() in seen:
                continue
            seen.add(tensor.Buffer())
            bits = _BITS.get(name) or int("".join(filter(str.isdigit, name)))
            yield name.lower(), size * 8 // bits


def _onnx(path: Path) -> Iterator[tuple[str, int]]:
    for graph in graphs_of(onnx.load(path, load_external_data=False).graph):
        constants = [
            attribute.t
            for node in graph.node
            if node.op_type == "Constant"
            for attribute in node.attribute
            if attribute.HasField("t")
        ]
        for tensor in (*graph.initializer, *constants):
            if tensor.data_type != onnx.TensorProto.STRING:
                yield onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).name, math.prod(tensor.dims)
