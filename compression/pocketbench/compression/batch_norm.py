"""Measure the running statistics of batch normalization anew, after the layers before it have changed.

Each batch goes through with the statistics of the batch itself; mean and variance over all batches then take the place
of the stored ones. No label and no gradient is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pocketbench.compression.keras_graph import rebuild, run_model

if TYPE_CHECKING:
    import keras

__all__ = ["restate_batch_norm"]

BATCHES = 8
BATCH_SIZE = 128  # statistics of fewer samples are noisy in deep layers with one pixel


def restate_batch_norm(model: keras.Model, inputs: Sequence[np.ndarray], seed: int) -> int:
    """Restate the statistics of every batch norm of a flat `model`, in place; return the number of samples used."""
    norms = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    if not norms or not inputs:
        return 0
    size = model.inputs[0].shape[0] or min(BATCH_SIZE, len(inputs[0]))
    batches = min(BATCHES, len(inputs[0]) // size)
    if not batches:
        return 0
    order = np.random.default_rng(seed).permutation(len(inputs[0]))[: batches * size]

    def with_batch_statistics(operation: Any, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        return operation(*arguments, **({**keywords, "training": True} if operation in norms else keywords))

    settings = [(norm, norm.momentum, norm.trainable) for norm in norms]
    try:
        for norm in norms:
            norm.momentum, norm.trainable = 0.0, True  # the statistics become those of the last batch
        observer = rebuild(model, with_batch_statistics)
        means: list[list[np.ndarray]] = []
        variances: list[list[np.ndarray]] = []
        for batch in order.reshape(batches, size):
            run_model(observer, [array[batch] for array in inputs])
            means.append([np.asarray(norm.moving_mean) for norm in norms])
            variances.append([np.asarray(norm.moving_variance) for norm in norms])
    finally:
        for norm, momentum, trainable in settings:
            norm.momentum, norm.trainable = momentum, trainable
    for index, norm in enumerate(norms):
        mean = np.stack([values[index] for values in means])
        norm.moving_mean.assign(mean.mean(axis=0))
        norm.moving_variance.assign(np.mean([values[index] for values in variances], axis=0) + mean.var(axis=0))
    return len(order)
