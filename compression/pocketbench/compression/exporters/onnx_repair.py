"""Repairs of what tf2onnx leaves wrong in a graph. Each edits the model in place and returns how often it fired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx

from pocketbench.compression.errors import ExportError

__all__ = ["graphs_of", "leaked_inputs_to_initializers", "name_outputs", "replace_erfc"]


def leaked_inputs_to_initializers(model: onnx.ModelProto, wanted: set[str], constants: Mapping[str, np.ndarray]) -> int:
    """Constants that a layer holds outside of its weights become graph inputs: give them their values.

    Seen with the Normalization constants of EfficientNet. Raises ExportError for an input without a value.
    """
    inputs = model.graph.input
    leaked = [value for value in inputs if value.name not in wanted]
    for value in leaked:
        if value.name not in constants:
            raise ExportError(
                f"expected the inputs {sorted(wanted)}, got one more, {value.name!r}, whose value is unknown: "
                "a layer captures a tensor that is neither its weight nor a constant."
            )
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(constants[value.name]), value.name))
        inputs.remove(value)
    return len(leaked)


def replace_erfc(model: onnx.ModelProto) -> int:
    """Write Erfc(x), which ONNX does not have, as 1 - Erf(x). Keras' exact gelu is made of it."""
    return sum(_replace_erfc(graph) for graph in graphs_of(model.graph))


def _replace_erfc(graph: onnx.GraphProto) -> int:
    found = [node for node in graph.node if node.op_type == "Erfc"]
    for node in found:
        one, erf = f"{node.output[0]}_one", f"{node.output[0]}_erf"
        constant = onnx.helper.make_node(
            "Constant", [], [one], value=onnx.numpy_helper.from_array(np.array(1.0, np.float32))
        )
        replacement = [
            constant,
            onnx.helper.make_node("Erf", [node.input[0]], [erf], name=f"{node.name}_erf"),
            onnx.helper.make_node("Sub", [one, erf], [node.output[0]], name=node.name),
        ]
        position = list(graph.node).index(node)
        del graph.node[position]
        for offset, new in enumerate(replacement):
            graph.node.insert(position + offset, new)
    return len(found)


def name_outputs(model: onnx.ModelProto, names: Sequence[str]) -> int:
    """Give the graph's outputs their Keras names, by an Identity where a rename cannot say it.

    Two outputs may be one tensor, and an output may be an input.
    """
    graph = model.graph
    if len(graph.output) != len(names):
        raise ExportError(f"expected the outputs {list(names)}, got {[value.name for value in graph.output]}.")
    taken = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    used: set[str] = set()
    for value, name in zip(graph.output, names, strict=True):
        old = value.name
        _make_way(graph, name, keep=old)
        if old in taken or old in used:
            graph.node.append(onnx.helper.make_node("Identity", [old], [name], name=f"{name}_identity"))
        else:
            _rename(graph, old, name)
        used.add(name)
        value.name = name
    return len(names)


def _make_way(graph: onnx.GraphProto, name: str, *, keep: str) -> None:
    """Rename an inner tensor that is called like an output."""
    if name != keep and any(name in node.output for node in graph.node):
        _rename(graph, name, f"{name}_inner")


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    for part in graphs_of(graph):
        for node in part.node:
            for names in (node.input, node.output):
                for position, name in enumerate(names):
                    if name == old:
                        names[position] = new


def graphs_of(graph: onnx.GraphProto) -> list[onnx.GraphProto]:
    """`graph` and the graphs in its nodes' attributes (the bodies of Loop, If and Scan)."""
    found = [graph]
    for node in graph.node:
        for attribute in node.attribute:
            for inner in [attribute.g] if attribute.HasField("g") else list(attribute.graphs):
                found.extend(graphs_of(inner))
    return found
