"""The kernels of a Keras model that can be factorized, and why the others cannot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pocketbench.compression.keras_graph import Call, calls
from pocketbench.compression.ranks import Positions
from pocketbench.compression.steps.base import excluded

if TYPE_CHECKING:
    import keras

__all__ = ["Kernel", "find_kernels"]

_KINDS = ("Conv1D", "Conv2D", "Dense")


@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel of a layer: `array` (…, in, out), no axis in space for a dense layer; `path` of its variable."""

    path: str
    array: np.ndarray
    positions: Positions | None
    """None where a size in space is open."""

    @property
    def pointwise(self) -> bool:
        """True where it mixes channels only: a dense layer, or a convolution of extent 1."""
        return math.prod(self.array.shape[:-2]) == 1


def find_kernels(model: keras.Model, exclude: Sequence[str]) -> tuple[dict[str, Kernel], dict[str, str]]:
    """Return the kernels of a flat `model` by name of their layer, and the reason by name of layers left alone.

    A shared layer is one kernel with the positions of all its uses.
    """
    uses: dict[Any, list[Call]] = {}
    for call in calls(model):
        if any(variable.name.endswith("kernel") for variable in getattr(call.operation, "weights", ())):
            uses.setdefault(call.operation, []).append(call)
    found: dict[str, Kernel] = {}
    reasons: dict[str, str] = {}
    for layer, layer_calls in uses.items():
        reason = "excluded by name" if excluded(layer.name, exclude) else _reason(layer)
        if reason:
            reasons[layer.name] = reason
        else:
            found[layer.name] = Kernel(layer.kernel.path, np.array(layer.kernel), _positions(layer_calls))
    return found, reasons


def _reason(layer: Any) -> str | None:
    """Why `layer` cannot be a chain of smaller ones, or None."""
    kind = type(layer)
    # An own class, even one derived from a layer of Keras, may do anything.
    if not kind.__module__.startswith("keras.") or kind.__name__ not in _KINDS:
        return f"a {kind.__name__} is none of {', '.join(_KINDS)}"
    if getattr(layer, "groups", 1) != 1:
        return f"a convolution of {layer.groups} groups has small kernels already"
    if getattr(layer, "data_format", None) == "channels_first":
        return "channels_first"
    if layer.kernel_constraint is not None:
        return f"its kernel has a constraint ({type(layer.kernel_constraint).__name__}), which factors would not keep"
    if {variable.name for variable in layer.weights} - {"kernel", "bias"}:
        return "it has weights beside kernel and bias (LoRA, or quantized by Keras)"
    kernel = np.array(layer.kernel)
    if not np.isfinite(kernel).all():
        return "its kernel holds weights that are not finite"
    return None if kernel.any() else "all its weights are zero"


def _positions(uses: Sequence[Call]) -> Positions | None:
    before = [tuple(call.inputs[0].shape[1:-1]) for call in uses]
    after = [tuple(call.outputs[0].shape[1:-1]) for call in uses]
    if any(None in sizes for sizes in (*before, *after)):
        return None
    between = [(*done[:1], *given[1:]) for done, given in zip(after, before, strict=True)]
    return Positions(*(sum(math.prod(sizes) for sizes in shapes) for shapes in (before, between, after)))
