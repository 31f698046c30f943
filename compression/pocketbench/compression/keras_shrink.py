"""Carry a choice of channels out on a Keras model: slice its weights, or mask what reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pocketbench.compression.keras_channels import KerasChannels
from pocketbench.compression.keras_graph import clone_layer, clone_model, rewrite

if TYPE_CHECKING:
    import keras

__all__ = ["drop_channels", "ignore_channels", "shrink_masks"]


def drop_channels(model: keras.Model, known: KerasChannels, dropped: np.ndarray) -> keras.Model:
    """Return `model` without the channels of the classes `dropped`: smaller weights, the same graph."""
    sliced = _sliced_weights(model, known, dropped)
    kept = {name: int(_keep(known, ids, dropped).sum()) for name, ids in known.made.items()}
    reshaped = {name: int(_keep(known, ids, dropped).sum()) for name, ids in known.reshaped.items()}

    def narrow(layer: Any, name: str) -> Sequence[tuple[Any, Sequence[np.ndarray]]] | None:
        if layer.name in reshaped:
            shape = (*layer.target_shape[:-1], reshaped[layer.name])
            return [(clone_layer(layer, name=name, target_shape=shape), [])]
        if layer.name not in sliced:
            return None
        width = {}
        if layer.name in kept:
            width = {"units" if type(layer).__name__ == "Dense" else "filters": kept[layer.name]}
        return [(clone_layer(layer, name=name, **width), sliced[layer.name])]

    return rewrite(model, narrow)


def ignore_channels(model: keras.Model, known: KerasChannels, dropped: np.ndarray) -> keras.Model:
    """Return a copy of `model` in which nothing reads the channels `dropped`: zeros where a weight would."""
    masked = clone_model(model)
    for role in known.channels.roles:
        if role.kind == "reads":
            variable = masked.get_layer(role.layer).weights[role.weight]
            array = np.moveaxis(np.array(variable), role.axis, 0)
            array[~_keep(known, role.ids, dropped)] = 0
            variable.assign(np.moveaxis(array, 0, role.axis))
    return masked


def shrink_masks(
    masks: Mapping[str, np.ndarray], model: keras.Model, known: KerasChannels, dropped: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the masks of `model` for the model without the channels `dropped`."""
    result = dict(masks)
    for role in known.channels.roles:
        path = model.get_layer(role.layer).weights[role.weight].path
        if path in result:
            result[path] = np.compress(_keep(known, role.ids, dropped), result[path], axis=role.axis)
    return result


def _keep(known: KerasChannels, ids: np.ndarray, dropped: np.ndarray) -> np.ndarray:
    return ~np.isin(known.channels.roots(ids), dropped)


def _sliced_weights(model: keras.Model, known: KerasChannels, dropped: np.ndarray) -> dict[Any, list[np.ndarray]]:
    sliced: dict[Any, list[np.ndarray]] = {}
    for role in known.channels.roles:
        weights = sliced.setdefault(role.layer, model.get_layer(role.layer).get_weights())
        keep = _keep(known, role.ids, dropped)
        weights[role.weight] = np.compress(keep, weights[role.weight], axis=role.axis)
    return sliced
