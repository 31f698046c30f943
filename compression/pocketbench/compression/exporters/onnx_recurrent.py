"""GRU and LSTM layers as the single ONNX node that engines have a kernel for.

Left alone, tf2onnx writes a GRU (and an LSTM of a static batch) as a Loop over time steps, ten times slower in ONNX
Runtime. While a model is traced here, each layer that the ONNX operator can express calls a placeholder instead of
stepping through time; its weights are already in ONNX' layout, and a handler turns it into the node. Layers with a
mask, other activations or cells of the user's own keep their loop.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pocketbench.compression.tensorflow import import_keras, import_tensorflow

__all__ = ["recurrent_layers_as_one_node"]

_OPERATION = "EagerPyFunc"
_NAME = re.compile(r"onnx_(?P<kind>GRU|LSTM)_(?P<direction>forward|reverse)_(?P<reset>[01])_(?P<units>\d+)")


@contextlib.contextmanager
def recurrent_layers_as_one_node(model: Any) -> Iterator[dict[str, Any]]:
    """Within the block, trace `model`; give tf2onnx the handlers that this yields."""
    keras = import_keras()
    changed = []
    for layer in model._flatten_layers():
        kind = type(layer).__name__
        if type(layer) in (keras.layers.GRU, keras.layers.LSTM) and _has_onnx_form(layer):
            # An attribute of the instance hides the class's method; deleting it brings the method back.
            object.__setattr__(layer, "inner_loop", _placeholder(layer, kind, layer.inner_loop))
            changed.append(layer)
    try:
        yield {_OPERATION: (_to_onnx, [])} if changed else {}
    finally:
        for layer in changed:
            object.__delattr__(layer, "inner_loop")


def _has_onnx_form(layer: Any) -> bool:
    activations = import_keras().activations
    return layer.activation is activations.tanh and layer.recurrent_activation is activations.sigmoid


def _placeholder(layer: Any, kind: str, loop: Callable[..., Any]) -> Callable[..., Any]:
    """The layer's `inner_loop(sequences, initial_state, mask)` → last output, all outputs, states."""
    tf = import_tensorflow()
    weights = _gru_weights(layer) if kind == "GRU" else _lstm_weights(layer)
    direction = "reverse" if layer.go_backwards else "forward"
    name = f"onnx_{kind}_{direction}_{int(getattr(layer, 'reset_after', False))}_{layer.units}"

    def inner_loop(sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        if mask is not None and any(part is not None for part in tf.nest.flatten(mask)):
            return loop(sequences, initial_state, mask, training=training)
        states = [tf.expand_dims(state, 0) for state in tf.nest.flatten(initial_state)]
        batch, steps, units = sequences.shape[0], sequences.shape[1], layer.units
        inputs = [tf.transpose(sequences, [1, 0, 2]), *map(tf.constant, weights), *states]
        made = tf.py_function(_never_called, inputs, [tf.float32] * (1 + len(states)), name=name)
        # What a py_function gives has no shape; a Reshape says it in the graph that tf2onnx reads.
        outputs = tf.transpose(tf.reshape(made[0], [steps, batch, units]), [1, 0, 2])
        if layer.go_backwards:  # Keras returns the steps in the order in which it took them, ONNX in that of the input
            outputs = tf.reverse(outputs, [1])
        ends = [tf.reshape(state, [batch, units]) for state in made[1:]]
        return ends[0], outputs, ends

    return inner_loop


def _never_called(*_: Any) -> None:
    raise AssertionError("the placeholder of a recurrent layer is for tracing only")


def _gru_weights(layer: Any) -> list[np.ndarray]:
    """W, R, B: gates z, r, h in both; biases [of the input, of the state]."""
    kernel, recurrent, bias = _cell_arrays(layer)
    if bias is None:
        bias = np.zeros((2, 3 * layer.units), np.float32)
    elif bias.ndim == 1:  # reset_after=False has no bias of the state
        bias = np.stack([bias, np.zeros_like(bias)])
    return [kernel.T[None], recurrent.T[None], bias.reshape(1, -1)]


def _lstm_weights(layer: Any) -> list[np.ndarray]:
    """W, R, B: Keras' gates i, f, c, o in ONNX' order i, o, f, c; Keras has one bias, ONNX adds two."""
    kernel, recurrent, bias = _cell_arrays(layer)
    units = layer.units
    order = np.concatenate([np.arange(gate * units, (gate + 1) * units) for gate in (0, 3, 1, 2)])
    if bias is None:
        bias = np.zeros(4 * units, np.float32)
    both = np.concatenate([bias[order], np.zeros_like(bias)])
    return [kernel.T[None, order], recurrent.T[None, order], both[None]]


def _cell_arrays(layer: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    convert = import_keras().ops.convert_to_numpy
    cell = layer.cell
    bias = convert(cell.bias) if cell.use_bias else None
    return convert(cell.kernel), convert(cell.recurrent_kernel), bias


def _to_onnx(graph: Any, node: Any, name: str, _arguments: Any) -> None:
    """tf2onnx handler: the placeholder becomes GRU or LSTM; anybody else's py_function stays, and is refused later."""
    match = _NAME.search(name)
    if match is None:
        return
    kind, inputs, outputs = match["kind"], list(node.input), list(node.output)
    units = int(match["units"])
    steps, batch, _ = graph.get_shape(inputs[0])
    shapes = [[steps, 1, batch, units], *([1, batch, units] for _ in outputs[1:])]
    attributes: dict[str, Any] = {"hidden_size": units, "direction": match["direction"]}
    if kind == "GRU":
        attributes["linear_before_reset"] = int(match["reset"])
    graph.remove_node(name)
    graph.make_node(
        kind,
        [*inputs[:4], "", *inputs[4:]],  # no sequence lengths
        attr=attributes,
        outputs=outputs,
        name=_NAME.sub(kind, name),
        shapes=shapes,
        dtypes=[graph.get_dtype(inputs[0])] * len(outputs),
    )
