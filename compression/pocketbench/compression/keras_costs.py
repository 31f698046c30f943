"""Parameters and multiply-accumulates of a Keras model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pocketbench.compression.keras_graph import Call, calls

if TYPE_CHECKING:
    import keras

__all__ = ["count_macs", "count_nonzero", "count_parameters"]


def count_parameters(model: keras.Model) -> int:
    """Return the number of parameters, the running statistics of batch norm included."""
    return int(model.count_params())


def count_nonzero(model: keras.Model) -> int:
    """Return how many parameters are not exactly zero."""
    return sum(int(np.count_nonzero(array)) for array in model.get_weights())


def count_macs(model: keras.Model) -> int | None:
    """Return the multiply-accumulates of one inference in dense layers and convolutions; None where a size is open."""
    found = [_macs(call) for call in calls(model)]
    return None if None in found else sum(macs for macs in found if macs is not None)


def _macs(call: Call) -> int | None:
    layer = call.operation
    if not hasattr(layer, "weights"):
        return 0
    # Every element of these kernels is used once per position of the output (of the input, where it is transposed).
    kernels = [variable.shape for variable in layer.weights if variable.name.endswith("kernel")]
    kind = type(layer).__name__
    if not kernels or not any(part in kind for part in ("Conv", "Dense")):
        return 0
    positions = (call.inputs if "Transpose" in kind else call.outputs)[0].shape[1:-1]
    if None in positions:
        return None
    return int(math.prod(positions) * sum(math.prod(kernel) for kernel in kernels))
