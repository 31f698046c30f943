"""The same graph, the same bytes: nodes in one order, names without the counters of the process that wrote them.

tf2onnx numbers what it makes over the life of the process (`const_fold_opt__98`, `unk__70`) and TensorFlow numbers
its function graphs, so two exports of one model differ. Names keep their layer's path: a profile shows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

import onnx

from pocketbench.compression.exporters.onnx_repair import graphs_of

__all__ = ["tidy_model"]

_Message = TypeVar("_Message", onnx.NodeProto, onnx.TensorProto)

# `name__98` and `einsum139708379659536` (an address) of tf2onnx, `_frozen_5371` of TensorFlow's function graphs,
# the `:0` of its tensors, and the call's path.
_COUNTERS = re.compile(r"__\d+|(?<=einsum)\d+|_frozen_\d+|:0$|^(Stateful)?PartitionedCall/")


def tidy_model(model: onnx.ModelProto, name: str) -> None:
    """Order and rename everything but inputs and outputs, drop what nothing uses, in place."""
    graph = model.graph
    fixed = {value.name for value in (*graph.input, *graph.output)}
    _tidy(graph, {name: name for name in fixed}, _Names(fixed))
    graph.name = name
    model.doc_string = ""
    model.producer_name = "pocketbench"
    model.producer_version = ""
    del model.metadata_props[:]
    used = {node.domain for part in graphs_of(graph) for node in part.node} | {""}
    kept = sorted((entry for entry in model.opset_import if entry.domain in used), key=lambda entry: entry.domain)
    entries = [onnx.helper.make_opsetid(entry.domain, entry.version) for entry in kept]
    del model.opset_import[:]
    model.opset_import.extend(entries)


class _Names:
    """Gives each name out once, without its counters."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = set(taken)

    def new(self, old: str) -> str:
        base = _COUNTERS.sub("", old) or "tensor"
        name, count = base, 1
        while name in self._taken:
            count += 1
            name = f"{base}_{count}"
        self._taken.add(name)
        return name


def _tidy(graph: onnx.GraphProto, outside: dict[str, str], names: _Names) -> None:
    """`outside` maps the old names that are visible from around the graph, and the fixed ones, to their new ones."""
    nodes = _ordered(graph)
    used = [name for node in nodes for name in _reads(node)] + [value.name for value in graph.output]
    stored = {tensor.name: tensor for tensor in graph.initializer}
    weights = [stored[name] for name in dict.fromkeys(used) if name in stored]
    known = dict(outside)
    made = [value.name for value in graph.input] + [tensor.name for tensor in weights]
    made += [name for node in nodes for name in node.output if name]
    for name in made:
        if name not in known:
            known[name] = names.new(name)
    node_names = _Names(set())
    for node in nodes:
        node.name = node_names.new(node.name or node.op_type)
        node.doc_string = ""
        node.input[:] = [known.get(name, name) for name in node.input]
        node.output[:] = [known.get(name, name) for name in node.output]
        for inner in _inner_graphs(node):
            _tidy(inner, known, names)
            inner.name = node.name
    for tensor in weights:
        tensor.name = known[tensor.name]
        tensor.doc_string = ""
    for value in (*graph.input, *graph.output):
        value.name = known[value.name]
        value.doc_string = ""
    # The nodes and tensors live in the fields that are about to be emptied: copy them out first.
    kept_nodes, kept_weights = _copies(nodes), _copies(weights)
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(kept_nodes)
    graph.initializer.extend(kept_weights)
    graph.doc_string = ""


def _ordered(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes that the outputs need, each after what it reads, in an order that follows from the graph alone."""
    makers = {name: node for node in graph.node for name in node.output if name}
    waiting = [(makers[value.name], False) for value in reversed(graph.output) if value.name in makers]
    done: dict[int, onnx.NodeProto] = {}
    while waiting:
        node, ready = waiting.pop()
        if id(node) in done:
            continue
        if ready:
            done[id(node)] = node
            continue
        waiting.append((node, True))
        waiting.extend((makers[name], False) for name in reversed(_reads(node)) if name in makers)
    return list(done.values())


def _reads(node: onnx.NodeProto) -> list[str]:
    """Names that a node reads, also from within its inner graphs."""
    names = [name for name in node.input if name]
    for graph in _inner_graphs(node):
        own = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
        own |= {name for inner in graph.node for name in inner.output}
        used = [name for inner in graph.node for name in _reads(inner)] + [value.name for value in graph.output]
        names.extend(name for name in used if name not in own)
    return names


def _inner_graphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _copies(messages: list[_Message]) -> list[_Message]:
    copies = [type(message)() for message in messages]
    for copied, message in zip(copies, messages, strict=True):
        copied.CopyFrom(message)
    return copies
