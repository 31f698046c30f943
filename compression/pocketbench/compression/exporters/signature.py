"""What a Keras model looks like to a converter: shapes with a batch of 1, calls with a flat list of inputs, names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pocketbench.compression.errors import ExportError
from pocketbench.compression.tensorflow import import_keras, import_tensorflow

__all__ = ["batch_of_one", "call_model", "input_names", "output_names"]


def batch_of_one(model: Any) -> list[Any]:
    """TensorSpecs of the inputs with the batch set to 1; raises ExportError where another dimension is open."""
    tf = import_tensorflow()
    specs = []
    for tensor, name in zip(model.inputs, input_names(model), strict=True):
        shape = (1, *tensor.shape[1:])
        if None in shape:
            raise ExportError(
                f"expected every dimension of the input {name!r} but the batch to be fixed, got {tuple(tensor.shape)}: "
                "build the model with a fixed input shape."
            )
        specs.append(tf.TensorSpec(shape, tensor.dtype, name=name))
    return specs


def call_model(model: Any, inputs: Sequence[Any]) -> list[Any]:
    """Outputs in inference mode, flat, for `inputs` given flat in the order of `model.inputs`."""
    keras = import_keras()
    # A functional model remembers the structure (list, dict) that it was built with.
    structure = getattr(model, "_inputs_struct", None)
    packed = inputs[0] if len(inputs) == 1 else list(inputs)
    if structure is not None:
        packed = keras.tree.pack_sequence_as(structure, list(inputs))
    return list(keras.tree.flatten(model(packed, training=False)))


def input_names(model: Any) -> list[str]:
    """Names of the inputs as in Keras, in order."""
    return _distinct([tensor.name for tensor in model.inputs])


def output_names(model: Any) -> list[str]:
    """Names of the outputs as in Keras (of the layers that make them), in order; a repeated one gets a suffix."""
    # A Sequential model leaves them to the functional one inside it.
    return _distinct(list((getattr(model, "_functional", None) or model).output_names))


def _distinct(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}_{seen[name] - 1}")
    return result
