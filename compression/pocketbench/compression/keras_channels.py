"""What each Keras layer does to channels: a Keras model read into `Channels`.

One rule per kind of layer, in one table. What is in no table, mixes channels or keeps them first (`channels_first`)
locks what goes in and what comes out, under its own name: it is never a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pocketbench.compression.channels import Channels, Kind, Role
from pocketbench.compression.keras_graph import Call, calls, is_layer
from pocketbench.compression.steps.base import excluded

if TYPE_CHECKING:
    import keras

__all__ = ["KerasChannels", "read_channels"]

Ids = np.ndarray

# Activations that look at one channel at a time. Softmax, GLU and what a user wrote do not, or may not.
_ELEMENTWISE_ACTIVATIONS = frozenset(
    (
        *("celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh"),
        *("leaky_relu", "linear", "log_sigmoid", "mish", "relu", "relu6", "selu", "sigmoid", "silu"),
        *("soft_shrink", "softplus", "softsign", "sparse_plus", "squareplus", "tanh", "tanh_shrink", "threshold"),
    )
)
_ELEMENTWISE_OPERATIONS = frozenset(
    (
        *("Absolute", "Elu", "Exp", "Gelu", "HardSigmoid", "HardSilu", "LeakyRelu", "Negative", "Relu", "Relu6"),
        *("Selu", "Sigmoid", "Silu", "Softplus", "Softsign", "Sqrt", "Square", "Tanh"),
    )
)
_JOINING_OPERATIONS = frozenset(("Add", "Divide", "Maximum", "Minimum", "Multiply", "Subtract", "TrueDivide"))


@dataclass(slots=True)
class KerasChannels:
    """The channels of a model. By name of a layer, ids of its output: `made` where it makes them, `reshaped` where
    its target shape has their number."""

    channels: Channels = field(default_factory=Channels)
    made: dict[str, Ids] = field(default_factory=dict)
    reshaped: dict[str, Ids] = field(default_factory=dict)

    def role(self, layer: Any, weight: str, axis: int, kind: Kind, ids: Ids) -> None:
        """Note a role, once per layer; a weight that the layer does not have is passed over."""
        names = [variable.name for variable in layer.weights]
        if weight not in names:
            return
        number = names.index(weight)
        known = next(
            (r for r in self.channels.roles if (r.layer, r.weight, r.axis) == (layer.name, number, axis)), None
        )
        if known is None:
            self.channels.roles.append(Role(layer.name, number, axis, kind, ids))
        else:  # a shared layer: all that goes through it has the same channels
            self.channels.join(known.ids, ids)

    def make(self, layer: Any, count: int) -> Ids:
        """Return the ids of the channels that `layer` makes, locked where its activation mixes them (softmax)."""
        if layer.name not in self.made:
            self.made[layer.name] = self.channels.new(count)
            if not _elementwise(layer):
                self.channels.lock(self.made[layer.name], f"activation of {layer.name}")
        return self.made[layer.name]


def read_channels(model: keras.Model, exclude: Sequence[str] = ()) -> KerasChannels:
    """Read the channels of a flat `model`; those that the layers in `exclude` make are locked."""
    result = KerasChannels()
    channels = result.channels
    ids: dict[int, Ids] = {}

    def locked(tensor: Any, reason: str) -> Ids:
        fresh = channels.new((tensor.shape[-1] or 1) if len(tensor.shape) else 1)
        channels.lock(fresh, reason)
        return fresh

    for tensor in model.inputs:
        ids[id(tensor)] = locked(tensor, "input of the model")
    for call in calls(model):
        given = [ids[id(tensor)] for tensor in call.inputs]
        out = _rule(call)(result, call, given)
        if out is None:
            reason = f"{call.operation.name} ({type(call.operation).__name__})"
            for channel_ids in given:
                channels.lock(channel_ids, reason)
            ids.update((id(tensor), locked(tensor, reason)) for tensor in call.outputs)
        else:
            ids[id(call.outputs[0])] = out
    for tensor in model.outputs:
        channels.lock(ids[id(tensor)], "output of the model")
    for name, channel_ids in result.made.items():
        if excluded(name, exclude):
            channels.lock(channel_ids, "excluded by name")
    return result


Rule = Callable[[KerasChannels, Call, list[Ids]], Ids | None]
"""(what is known, the call, the ids of its inputs) -> the ids of its output, or None: lock."""


def _rule(call: Call) -> Rule:
    kind = type(call.operation)
    # An own class, even one derived from a layer of Keras, may do anything.
    if not kind.__module__.startswith("keras.") or len(call.outputs) != 1:
        return _unknown
    if is_layer(call.operation):
        if getattr(call.operation, "data_format", None) == "channels_first":
            return _unknown
        return _RULES.get(kind.__name__, _unknown)
    if any(np.ndim(constant) for constant in call.constants):
        return _unknown  # one number per channel, perhaps
    if kind.__name__ in _ELEMENTWISE_OPERATIONS:
        return _follow
    return _join if kind.__name__ in _JOINING_OPERATIONS else _unknown


def _unknown(known: KerasChannels, call: Call, given: list[Ids]) -> Ids | None:
    return None


def _elementwise(layer: Any) -> bool:
    return getattr(layer.activation, "__name__", "") in _ELEMENTWISE_ACTIVATIONS


def _follow(known: KerasChannels, call: Call, given: list[Ids]) -> Ids | None:
    return given[0]


def _activation(known: KerasChannels, call: Call, given: list[Ids]) -> Ids | None:
    return given[0] if _elementwise(call.operation) else None


def _weighted(known: KerasChannels, call: Call, given: list[Ids]) -> Ids | None:
    """Dense and convolutions: kernel (…, in, out)."""
    layer = call.operation
    if getattr(layer, "groups", 1) != 1:
        return None
    out = known.make(layer, call.outputs[0].shape[-1])
    known.role(layer, "kernel", -2, "reads", given[0])
    known.role(layer, "kernel", -1, "makes", out)
    known.role(layer, "bias", 0, "makes", out)
    return out


def _transposed(known: KerasChannels, call: Call, given: list[Ids]) -> Ids | None:
    """Transposed convolutions: kernel (…, out, in)."""
    layer = call.operation
    out = known.make(layer, call.outputs[0].shape[-1])
    known.role(layer, "kernel", -1, "reads", given[0])
    known.role(layer, "kernel", -2, "makes", out)
    known.role(layer, "bias", 0, "makes", out)
    return out


def _depthwise(known: KerasChannels, call: Call, given: list[Ids]) -> Ids | None:
    """Kernel (…, in, multiplier): channel i makes the channels i * multiplier and on."""
    layer = call.operation
    if not _elementwise(layer):
        return None
    out = np.repeat(given[0], layer.depth_multiplier)
    known.role(layer, "kernel", -2, "follows", given[0])
    known.role(layer, "bias", 0, "follows", out)
    return out


def _separable(known: KerasChannels, call: Call, given: list[Ids]) -> Ids | None:
    layer = call.operation
    out = known.make(layer, call.outputs[0].shape[-1])
    known.role(layer, "depthwise_kernel", -2, "follows", given[0])
    known.role(layer, "pointwise_kernel", -2, "reads", np.repeat(given[0], layer.depth_multiplier))
    known.role(layer, "pointwise_kernel", -1, "makes", out)
    known.role(layer, "bias", 0, "makes", out)
    return out


def _batch_normalization(known: KerasChannels, call: Call, given: list[Ids]) -> Ids | None:
    if call.operation.axis not in (-1, len(call.inputs[0].shape) - 1):
        return None
    for weight in ("gamma", "beta", "moving_mean", "moving_variance"):
        known.role(call.operation, weight, 0, "follows", given[0])
    return given[0]


def _prelu(known: KerasChannels, call: Call, given: list[Ids]) -> Ids | None:
    if call.operation.alpha.shape[-1] == len(given[0]):
        known.role(call.operation, "alpha", -1, "follows", given[0])
        return given[0]
    return given[0] if call.operation.alpha.shape[-1] == 1 else None


def _join(known: KerasChannels, call: Call, given: list[Ids]) -> Ids | None:
    count = call.outputs[0].shape[-1] if call.outputs[0].shape else None
    full = [ids for ids in given if len(ids) == count]
    if not full or any(len(ids) not in (1, count) for ids in given):
        return None
    for ids in full[1:]:
        known.channels.join(full[0], ids)
    return full[0]  # an input with one channel is broadcast over all of them


def _concatenate(known: KerasChannels, call: Call, given: list[Ids]) -> Ids | None:
    if call.operation.axis in (-1, len(call.outputs[0].shape) - 1):
        return np.concatenate(given)
    for ids in given[1:]:
        known.channels.join(given[0], ids)
    return given[0]


def _flatten(known: KerasChannels, call: Call, given: list[Ids]) -> Ids | None:
    count = call.outputs[0].shape[-1]
    return None if count is None else np.tile(given[0], count // len(given[0]))


def _reshape(known: KerasChannels, call: Call, given: list[Ids]) -> Ids | None:
    shape = call.outputs[0].shape
    out = _flatten(known, call, given) if len(shape) == 2 else given[0]
    if out is None or len(out) != shape[-1]:
        return None
    known.channels.join(known.reshaped.setdefault(call.operation.name, out), out)
    return out


def _by_dimension(rule: Rule, *names: str) -> dict[str, Rule]:
    return {f"{name}{dimension}D": rule for name in names for dimension in (1, 2, 3)}


_RULES: dict[str, Rule] = {
    **_by_dimension(_weighted, "Conv"),
    **{f"Conv{dimension}DTranspose": _transposed for dimension in (1, 2, 3)},
    **_by_dimension(_depthwise, "DepthwiseConv"),
    **_by_dimension(_separable, "SeparableConv"),
    **_by_dimension(
        _follow,
        *("AveragePooling", "Cropping", "GlobalAveragePooling", "GlobalMaxPooling", "MaxPooling"),
        *("SpatialDropout", "UpSampling", "ZeroPadding"),
    ),
    "Activation": _activation,
    "ActivityRegularization": _follow,
    "Add": _join,
    "AlphaDropout": _follow,
    "Average": _join,
    "BatchNormalization": _batch_normalization,
    "Concatenate": _concatenate,
    "Dense": _weighted,
    "Dropout": _follow,
    "ELU": _follow,
    "Flatten": _flatten,
    "GaussianDropout": _follow,
    "GaussianNoise": _follow,
    "Identity": _follow,
    "LeakyReLU": _follow,
    "Maximum": _join,
    "Minimum": _join,
    "Multiply": _join,
    "PReLU": _prelu,
    "ReLU": _follow,
    "Reshape": _reshape,
    "Subtract": _join,
}
