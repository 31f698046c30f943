"""Keras' private graph API, in this one file: read the graph of a model, and replay it with other layers.

Functional and Sequential models have a graph; nested ones are flattened on the way. What is read of Keras' internals
(seen in Keras 3.12 to 3.15): `_functional`, `_nodes_by_depth`, `_inputs_struct` and `_outputs_struct` of a model;
`operation`, `arguments.fill_in`, `input_tensors`, `outputs` and `is_input` of a node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pocketbench.compression.steps.base import StepError
from pocketbench.compression.tensorflow import import_keras

if TYPE_CHECKING:
    import keras

__all__ = [
    "Call",
    "Emit",
    "Substitute",
    "calls",
    "clone_layer",
    "clone_model",
    "flat_model",
    "is_layer",
    "rebuild",
    "rewrite",
    "run_model",
]

Emit = Callable[[Any, str, tuple[Any, ...], dict[str, Any]], Any]
"""(operation, its name in the new model, arguments, keyword arguments) -> output tensors."""
Substitute = Callable[[Any, str], Sequence[tuple[Any, Sequence[np.ndarray]]] | None]
"""(layer, its name in the new model) -> unbuilt layers in a row with their weights, or None for a plain copy."""


@dataclass(frozen=True, slots=True)
class Call:
    """One use of an operation; a shared layer has several. `constants` are the arguments that are no tensors."""

    operation: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    constants: tuple[Any, ...]


def rebuild(model: keras.Model, emit: Emit) -> keras.Model:
    """Replay the graph of `model` through `emit`; the new model keeps name, inputs, structure of outputs, and loss.

    `emit` is called for every use of an operation, in execution order, with tensors of the new graph. The name it is
    given is the operation's own, with the nested model's in front where two would clash: it never depends on what
    this process built before.
    """
    keras = import_keras()
    graph = _graph(model)
    if graph is None:
        raise StepError(
            f"expected a Functional or Sequential Keras model, got {model.name!r} of the class "
            f"{type(model).__name__}, which has no graph to change: build it with the functional API, "
            "or use a recipe that only quantizes."
        )
    inputs = [keras.Input(batch_shape=old.shape, dtype=old.dtype, name=old.name) for old in graph.inputs]
    outputs = _replay(graph, inputs, emit, _Names(old.name for old in graph.inputs), prefix="")
    rebuilt = keras.Model(keras.tree.pack_sequence_as(graph._inputs_struct, inputs), outputs, name=model.name)
    if getattr(model, "compiled", False):
        rebuilt.compile(loss=model.loss)
    return rebuilt


def rewrite(model: keras.Model, substitute: Substitute) -> keras.Model:
    """Return a flat copy of `model` in which `substitute` may put a chain of layers in the place of one.

    `substitute(layer, name)` is asked once per layer. It returns unbuilt layers with their weights, or None for a
    plain copy. Weights are never shared with `model`.
    """
    chains: dict[Any, list[Any]] = {}

    def emit(operation: Any, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if operation in chains:
            return _chain(chains[operation], arguments, keywords)
        if not is_layer(operation):
            chains[operation] = [_copy_operation(operation, name)]
            return _chain(chains[operation], arguments, keywords)
        parts = substitute(operation, name) or [(clone_layer(operation, name=name), operation.get_weights())]
        chains[operation] = [layer for layer, _ in parts]
        outputs = _chain(chains[operation], arguments, keywords)
        for layer, weights in parts:
            layer.set_weights(weights)
        return outputs

    return rebuild(model, emit)


def clone_model(model: keras.Model) -> keras.Model:
    """Return a flat copy of `model` with weights of its own."""
    return rewrite(model, lambda layer, name: None)


def flat_model(model: keras.Model) -> keras.Model:
    """Return `model` itself where its graph holds no other model, else a flat copy."""
    graph = _graph(model)
    if graph is not None and all(_graph(node.operation) is None for node in _nodes(graph)):
        return model
    return clone_model(model)


def calls(model: keras.Model) -> tuple[Call, ...]:
    """Return every use of an operation in a flat model, in execution order."""
    keras = import_keras()
    found = []
    for node in _nodes(_graph(model)):
        leaves = keras.tree.flatten((node.arguments.args, node.arguments.kwargs))
        constants = tuple(leaf for leaf in leaves if not isinstance(leaf, keras.KerasTensor))
        found.append(Call(node.operation, tuple(node.input_tensors), tuple(node.outputs), constants))
    return tuple(found)


def clone_layer(layer: Any, **changes: Any) -> Any:
    """Return an unbuilt layer with the configuration of `layer` and `changes` on top."""
    return type(layer).from_config({**layer.get_config(), **changes})


def run_model(model: keras.Model, inputs: Sequence[np.ndarray], training: bool | None = None) -> list[np.ndarray]:
    """Run one batch, an array for each input of the model; return an array for each output."""
    keras = import_keras()
    tensors = [
        keras.ops.convert_to_tensor(array, dtype=tensor.dtype)
        for array, tensor in zip(inputs, model.inputs, strict=True)
    ]
    graph = _graph(model)
    given = keras.tree.pack_sequence_as(graph._inputs_struct if graph is not None else model.input, tensors)
    return [np.asarray(tensor) for tensor in keras.tree.flatten(model(given, training=training))]


def is_layer(operation: Any) -> bool:
    """True for a layer, False for a stateless operation such as the `+` of two tensors."""
    return isinstance(operation, import_keras().layers.Layer)


def _chain(operations: Sequence[Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    outputs = operations[0](*arguments, **keywords)
    for operation in operations[1:]:
        outputs = operation(outputs)
    return outputs


def _copy_operation(operation: Any, name: str) -> Any:
    """Copy a stateless operation without its history. (`copy.copy` would go through Keras' model files.)"""
    copied = object.__new__(type(operation))
    vars(copied).update(vars(operation), name=name, _inbound_nodes=[], _outbound_nodes=[])
    return copied


class _Names:
    """One name per operation, unique in the new model."""

    def __init__(self, taken: Any) -> None:
        self._taken = set(taken)
        self._names: dict[Any, str] = {}

    def of(self, operation: Any, prefix: str) -> str:
        if operation not in self._names:
            name, number = operation.name, 1
            while name in self._taken:
                name = f"{prefix}{operation.name}" if number == 1 else f"{prefix}{operation.name}_{number}"
                number += 1
            self._taken.add(name)
            self._names[operation] = name
        return self._names[operation]


def _graph(model: Any) -> Any:
    """The Functional that holds the graph of `model`; None for a subclass with a `call` of its own, or a layer."""
    keras = import_keras()
    if not isinstance(model, keras.Model):
        return None
    if isinstance(model, keras.Sequential):
        return model._functional
    # A class that overrides `call` runs that, whatever graph it was made from.
    functional: Any = next((cls for cls in type(model).__mro__ if cls.__name__ == "Functional"), None)
    own: Any = type(model)
    return model if functional is not None and own.call is functional.call else None


def _nodes(graph: Any) -> Iterator[Any]:
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        yield from (node for node in graph._nodes_by_depth[depth] if not node.is_input)


def _replay(graph: Any, inputs: Sequence[Any], emit: Emit, names: _Names, prefix: str) -> Any:
    """Run `graph` on `inputs`; return its outputs in their structure."""
    keras = import_keras()
    new = {id(old): tensor for old, tensor in zip(graph.inputs, inputs, strict=True)}
    for node in _nodes(graph):
        arguments, keywords = node.arguments.fill_in(new)
        nested = _graph(node.operation)
        if nested is not None:
            # Keras hands a call's `training` down to every layer, over what a nested call was written with.
            given = keras.tree.flatten(arguments[0] if arguments else keywords["inputs"])
            outputs = _replay(nested, given, emit, names, f"{prefix}{node.operation.name}_")
        else:
            outputs = emit(node.operation, names.of(node.operation, prefix), arguments, keywords)
        new.update((id(old), tensor) for old, tensor in zip(node.outputs, keras.tree.flatten(outputs), strict=True))
    return keras.tree.pack_sequence_as(graph._outputs_struct, [new[id(old)] for old in graph.outputs])
