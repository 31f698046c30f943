"""Put a chain of layers with smaller kernels in the place of one Keras layer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pocketbench.compression.factorize import compose
from pocketbench.compression.keras_graph import calls, clone_layer, rewrite

if TYPE_CHECKING:
    import keras

__all__ = ["Chain", "replace_kernels", "replace_layers"]


@dataclass(frozen=True, slots=True)
class Chain:
    """Kernels (…, in, out) in a row; `owners`: for each axis in space, the place of the kernel that strides along it.

    Elsewhere on that axis an extent is 1, and so are strides and dilation; padding `same` or `causal` adds nothing.
    """

    kernels: tuple[np.ndarray, ...]
    owners: tuple[int, ...]


def replace_layers(model: keras.Model, chains: Mapping[str, Chain]) -> tuple[keras.Model, dict[str, list[str]]]:
    """Return a flat copy of `model` with `chains` (by name of a layer), and the names of the layers in each chain.

    The last layer of a chain keeps name, bias and activation, so that outputs and later steps find it; those before it
    are called `conv1_a`, `conv1_b`.
    """
    taken = {tensor.name for tensor in model.inputs} | {call.operation.name for call in calls(model)}
    names = {name: _names(name, len(chain.kernels), taken) for name, chain in chains.items()}

    def substitute(layer: Any, name: str) -> Sequence[tuple[Any, Sequence[np.ndarray]]] | None:
        if layer.name not in chains:
            return None
        chain, biases = chains[layer.name], layer.get_weights()[1:]
        *first, last = [
            (_part(layer, kernel, place, chain.owners, names[name][place]), kernel.astype(layer.kernel.dtype))
            for place, kernel in enumerate(chain.kernels)
        ]
        return [*((part, [kernel]) for part, kernel in first), (last[0], [last[1], *biases])]

    return rewrite(model, substitute), names


def replace_kernels(model: keras.Model, chains: Mapping[str, Chain]) -> keras.Model:
    """Return a flat copy of `model` as it is built, with the kernel that each chain has as a whole."""

    def substitute(layer: Any, name: str) -> Sequence[tuple[Any, Sequence[np.ndarray]]] | None:
        if layer.name not in chains:
            return None
        kernel = compose(chains[layer.name].kernels).astype(layer.kernel.dtype)
        return [(clone_layer(layer, name=name), [kernel, *layer.get_weights()[1:]])]

    return rewrite(model, substitute)


def _names(name: str, count: int, taken: Collection[str]) -> list[str]:
    """Names for a chain of `count` layers in the place of the layer `name`, none of them in `taken`."""
    names = []
    for letter in "abcdefgh"[: count - 1]:
        wanted = (f"{name}_{letter}", *(f"{name}_{letter}{number}" for number in range(2, len(taken) + 3)))
        names.append(next(text for text in wanted if text not in taken))
    return [*names, name]


def _part(layer: Any, kernel: np.ndarray, place: int, owners: tuple[int, ...], name: str) -> Any:
    """Return the unbuilt layer of one kernel; the last one has the name of `layer`, and its bias and activation."""
    # An initializer may know the old shape only (a constant), and its values would be written over anyway.
    changes: dict[str, Any] = {"name": name, "kernel_initializer": "zeros"}
    if name != layer.name:
        changes |= {"use_bias": False, "activation": None, "activity_regularizer": None}
    if not owners:
        return clone_layer(layer, **changes, units=kernel.shape[-1])
    mine = [owner == place for owner in owners]
    return clone_layer(
        layer,
        **changes,
        filters=kernel.shape[-1],
        kernel_size=kernel.shape[:-2],
        strides=tuple(size if own else 1 for size, own in zip(layer.strides, mine, strict=True)),
        dilation_rate=tuple(size if own else 1 for size, own in zip(layer.dilation_rate, mine, strict=True)),
    )
