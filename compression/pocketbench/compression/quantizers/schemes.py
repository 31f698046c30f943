"""The number formats that both quantizers know, and calibration samples in the shape that a model takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeGuard

import numpy as np

from pocketbench.checked.errors import InputError, nearest
from pocketbench.compression.errors import QuantizationError
from pocketbench.compression.manifest import TensorFacts

__all__ = ["SCHEMES", "STATIC_SCHEMES", "Scheme", "calibration_samples", "check_scheme"]

Scheme = Literal["float16", "int8-dynamic", "int8", "int16x8"]
SCHEMES: tuple[Scheme, ...] = ("float16", "int8-dynamic", "int8", "int16x8")
# Activations are quantized with ranges that have to be observed on data first.
STATIC_SCHEMES: tuple[Scheme, ...] = ("int8", "int16x8")


def check_scheme(scheme: str) -> TypeGuard[Scheme]:
    """Raise InputError for a scheme that nobody knows."""
    if scheme not in SCHEMES:
        raise InputError(f"expected a quantization scheme, got {scheme!r}; {nearest(scheme, SCHEMES)}.")
    return True


def calibration_samples(
    calibration: Sequence[np.ndarray] | None, inputs: Sequence[TensorFacts], scheme: str
) -> list[list[np.ndarray]]:
    """One list of input arrays per inference, in the model's batch, from one array (N, sample's shape) per input."""
    if calibration is None or not len(calibration) or not len(calibration[0]):
        raise QuantizationError(f"{scheme} needs calibration data to learn its ranges, got none: give `calibration`.")
    if len(calibration) != len(inputs):
        raise QuantizationError(
            f"expected calibration data for the {len(inputs)} inputs {[facts.name for facts in inputs]}, "
            f"got {len(calibration)} arrays."
        )
    if len({len(array) for array in calibration}) != 1:
        raise QuantizationError(
            f"expected as many calibration samples for each input, got {[len(array) for array in calibration]}."
        )
    for array, facts in zip(calibration, inputs, strict=True):
        sample = facts.shape[1:]
        if len(sample) != array.ndim - 1 or any(
            want not in (-1, have) for want, have in zip(sample, array.shape[1:], strict=True)
        ):
            raise QuantizationError(
                f"expected calibration samples of shape {list(sample)} for the input {facts.name!r}, "
                f"got {list(array.shape[1:])}."
            )
    batch = max(1, max(facts.shape[0] if facts.shape else 1 for facts in inputs))
    count = len(calibration[0]) // batch
    if count == 0:
        raise QuantizationError(
            f"expected at least one batch of {batch} calibration samples, got {len(calibration[0])}."
        )
    return [
        [
            np.ascontiguousarray(array[k * batch : (k + 1) * batch], dtype=facts.dtype)
            for array, facts in zip(calibration, inputs, strict=True)
        ]
        for k in range(count)
    ]
