"""Which loss a model is trained with: the one named, else the one it was compiled with, else what the labels say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pocketbench.compression.keras_graph import calls
from pocketbench.compression.steps.base import StepError
from pocketbench.compression.tensorflow import import_keras

if TYPE_CHECKING:
    import keras

__all__ = ["Loss", "loss_for"]

# What leaves every value as it is, so that the activation before it is the model's last.
_TRANSPARENT = frozenset(["Dropout", "Flatten", "Identity", "Reshape"])


@dataclass(frozen=True, slots=True)
class Loss:
    """`function(labels, outputs)` gives one number or one per sample; `labels` fit it."""

    name: str
    function: Callable[[Any, Any], Any]
    labels: np.ndarray


def loss_for(model: keras.Model, labels: np.ndarray, name: str | None) -> Loss:
    """Return the loss for a flat `model` with one output, or raise StepError with what to say in the recipe."""
    if len(model.outputs) != 1:
        raise StepError(
            f"expected a model with one output to train, got {len(model.outputs)} outputs: labels are one array, "
            "so train this model elsewhere and use recipes without training."
        )
    output = tuple(model.outputs[0].shape)
    if name is not None:
        loss = _named(name)
    elif getattr(model, "compiled", False) and model.loss is not None:
        loss = _compiled(model.loss)
    else:
        loss = _inferred(output, labels, _last_activation(model))
    if "sparse" in _name(loss).lower():
        labels = _class_numbers(labels, output)
    elif labels.shape[1:] != output[1:] and labels.size == len(labels) and output[1:] == (1,):
        labels = labels.reshape(-1, 1)
    elif labels.shape[1:] != output[1:]:
        raise StepError(
            f"expected labels of the shape of the output {output} for the loss {_name(loss)!r}, "
            f"got {labels.shape}: name another `loss` in the recipe, or change the labels."
        )
    return Loss(_name(loss), loss, labels)


def _named(name: str) -> Any:
    try:
        return import_keras().losses.get(name)
    except ValueError as error:
        raise StepError(
            f"expected `loss` to be the name of a loss of Keras, such as 'mse' or "
            f"'sparse_categorical_crossentropy', got {name!r}."
        ) from error


def _compiled(loss: Any) -> Any:
    if isinstance(loss, dict):
        loss = list(loss.values())
    if isinstance(loss, list | tuple):
        if len(loss) != 1:
            raise StepError(f"expected one loss for one output, got {len(loss)}: name one `loss` in the recipe.")
        loss = loss[0]
    return import_keras().losses.get(loss)


def _inferred(output: tuple[int | None, ...], labels: np.ndarray, activation: str) -> Any:
    losses = import_keras().losses
    whole = np.issubdtype(labels.dtype, np.integer)
    classes = output[-1] if len(output) > 1 else None
    same_shape = labels.shape[1:] == output[1:] or (labels.ndim == 1 and output[1:] == (1,))
    if activation == "sigmoid" and same_shape and np.isin(labels, (0, 1)).all():
        return losses.BinaryCrossentropy()
    if activation in ("softmax", "linear") and whole and classes != 1 and not same_shape:
        return losses.SparseCategoricalCrossentropy(from_logits=activation == "linear")
    if activation == "softmax" and same_shape:
        return losses.CategoricalCrossentropy()
    if same_shape and np.issubdtype(labels.dtype, np.floating):
        return losses.MeanSquaredError()
    raise StepError(
        f"cannot tell which loss to train with from labels {labels.dtype}{list(labels.shape)} and an output "
        f"{list(output)} with the activation {activation!r}: give the step a `loss`, such as `loss: mse`."
    )


def _class_numbers(labels: np.ndarray, output: tuple[int | None, ...]) -> np.ndarray:
    """Labels as whole numbers in range: TensorFlow fails on others, or learns from NaN."""
    classes = output[-1]
    if labels.ndim == len(output) and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.shape[1:] != output[1:-1] or not np.issubdtype(labels.dtype, np.integer):
        raise StepError(
            f"expected labels to be class numbers, one for each of the outputs {list(output[:-1])}, "
            f"got {labels.dtype}{list(labels.shape)}: store class numbers as int64, or name another `loss`."
        )
    if len(labels) and classes is not None and not (labels.min() >= 0 and labels.max() < classes):
        raise StepError(
            f"expected labels from 0 to {classes - 1} for {classes} outputs, "
            f"got {labels.min()} to {labels.max()}: check that data and model belong together."
        )
    return labels


def _last_activation(model: keras.Model) -> str:
    """Name of the activation that the output went through last; `linear` where it is none that Keras knows."""
    makers = {id(tensor): call for call in calls(model) for tensor in call.outputs}
    call = makers.get(id(model.outputs[0]))
    while call is not None and type(call.operation).__name__ in _TRANSPARENT:
        call = makers.get(id(call.inputs[0]))
    if call is None:
        return "linear"
    activation = getattr(call.operation, "activation", None)
    if activation is None:
        return type(call.operation).__name__.lower()
    return str(getattr(activation, "__name__", activation))


def _name(loss: Any) -> str:
    return str(getattr(loss, "name", None) or getattr(loss, "__name__", None) or type(loss).__name__)
