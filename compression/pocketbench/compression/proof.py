"""Proof by running: two models that must agree get the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pocketbench.compression.keras_graph import run_model
from pocketbench.compression.steps.base import StepError

if TYPE_CHECKING:
    import keras

__all__ = ["TOLERANCE", "prove_equal", "sample_inputs"]

# Largest difference over largest value of an output. The two sum float32 numbers in another order: 1e-6 on ResNet-50,
# EfficientNet-B0 and MobileNets with random weights. A wrong channel is off by 1e-2 and more.
TOLERANCE = 1e-4
SAMPLES = 16


def sample_inputs(model: keras.Model, inputs: Sequence[np.ndarray], seed: int) -> list[np.ndarray]:
    """Return a few samples for `model`: of the training data, else seeded random numbers."""
    if inputs:
        return [np.asarray(array[: model.inputs[0].shape[0] or SAMPLES]) for array in inputs]
    random = np.random.default_rng(seed)
    samples = []
    for tensor in model.inputs:
        shape = (tensor.shape[0] or SAMPLES, *(size or 32 for size in tensor.shape[1:]))
        values = random.normal(size=shape) if "float" in tensor.dtype else random.integers(0, 2, shape)
        samples.append(values.astype(tensor.dtype))
    return samples


def prove_equal(one: keras.Model, other: keras.Model, samples: Sequence[np.ndarray], claim: str) -> float:
    """Return the largest relative difference of the outputs; raise StepError where it is over TOLERANCE."""
    worst = 0.0
    pairs = zip(run_model(one, samples, training=False), run_model(other, samples, training=False), strict=True)
    for a, b in pairs:
        scale = float(np.abs(a).max(initial=0)) or 1.0
        difference = float(np.abs(a - b).max(initial=0)) / scale
        worst = max(worst, difference) if np.isfinite(difference) else np.inf
    if worst > TOLERANCE:
        raise StepError(
            f"expected {claim} within {TOLERANCE:g} of the largest output, got a difference of {worst:.3g}: "
            "this is a fault of pocketbench, or the model holds weights that are not finite."
        )
    return worst
