"""What a Keras model answers: the source that every exported file is held against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pocketbench.compression.exporters.signature import call_model
from pocketbench.compression.tensorflow import import_tensorflow

if TYPE_CHECKING:
    import keras

__all__ = ["keras_outputs"]

_BATCH = 16  # bounds the memory of large models


def keras_outputs(model: keras.Model, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Outputs in inference mode, stacked over the samples; `inputs` flat, an array of samples for each."""
    tf = import_tensorflow()
    batch = model.inputs[0].shape[0] or _BATCH
    parts: list[list[np.ndarray]] = []
    for start in range(0, len(inputs[0]), batch):
        tensors = [
            tf.convert_to_tensor(array[start : start + batch], tensor.dtype)
            for array, tensor in zip(inputs, model.inputs, strict=True)
        ]
        parts.append([output.numpy() for output in call_model(model, tensors)])
    return [np.concatenate(column) for column in zip(*parts, strict=True)]
