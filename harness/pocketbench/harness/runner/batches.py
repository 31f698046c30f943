"""Samples to batches and back: a user has N samples, a model has a batch in its first dimension, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pocketbench.checked.errors import InputError
from pocketbench.compression.manifest import TensorFacts
from pocketbench.harness.errors import RunnerError

__all__ = ["Batches", "stack_inputs", "unstack_outputs"]

# Repeating the last sample up to a full batch may cost this much; the batch is what a device says.
_MAX_PADDING_BYTES = 1 << 30


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """`arrays` have the shape (runs, *shape of one inference); `samples` of `runs * batch` are real."""

    arrays: tuple[np.ndarray, ...]
    samples: int
    runs: int
    batch: int


def stack_inputs(inputs: Sequence[np.ndarray], facts: Sequence[TensorFacts]) -> Batches:
    """Group samples into runs; InputError names the input whose data does not fit, and both shapes and dtypes."""
    if len(inputs) != len(facts) or not facts:
        raise InputError(f"expected one array for each of the model's {len(facts)} inputs, got {len(inputs)}.")
    samples = {array.shape[0] if array.ndim else 0 for array in inputs}
    if len(samples) != 1 or min(samples) < 1:
        raise InputError(
            "expected the same number of samples, at least 1, for all inputs, "
            f"got arrays of the shapes {[array.shape for array in inputs]}."
        )
    for array, tensor in zip(inputs, facts, strict=True):
        if array.dtype.name != tensor.dtype:
            raise InputError(f"expected {tensor.dtype} for the input {tensor.name!r}, got {array.dtype.name}.")
    count = samples.pop()
    batched = [_has_batch(array, tensor) for array, tensor in zip(inputs, facts, strict=True)]
    sizes = {tensor.shape[0] for tensor, has in zip(facts, batched, strict=True) if has}
    sizes = {1 if size == -1 else size for size in sizes} or {1}
    if len(sizes) != 1 or (sizes != {1} and not all(batched)):
        raise InputError(
            f"expected one batch size for all inputs, got the shapes {[list(tensor.shape) for tensor in facts]}: "
            "export the model with a batch of 1."
        )
    batch = sizes.pop()
    if batch == 0:
        raise InputError("expected a batch of at least 1, got a model with a batch of 0.")
    runs = -(-count // batch)
    padding = sum(array[:1].nbytes for array in inputs) * (runs * batch - count)
    if padding > _MAX_PADDING_BYTES:
        raise InputError(
            f"expected a batch that {count} samples come near to filling, got one of {batch}: "
            "export the model with a smaller one."
        )
    arrays = []
    for array, has in zip(inputs, batched, strict=True):
        filled = np.concatenate([array, np.repeat(array[-1:], runs * batch - count, axis=0)]) if batch > 1 else array
        arrays.append(filled.reshape(runs, batch, *array.shape[1:]) if has else filled)
    return Batches(tuple(arrays), count, runs, batch)


def _has_batch(array: np.ndarray, tensor: TensorFacts) -> bool:
    """True for (N, *shape without its first dimension), False for (N, *shape)."""
    if _fits(array.shape[1:], tensor.shape[1:]) and tensor.shape:
        return True
    if _fits(array.shape[1:], tensor.shape):
        return False
    wanted = ", ".join("any" if size == -1 else str(size) for size in tensor.shape[1:])
    raise InputError(
        f"expected data of the shape (samples{', ' if wanted else ''}{wanted}) for the input {tensor.name!r} of shape "
        f"{list(tensor.shape)}, got {array.shape}."
    )


def _fits(got: tuple[int, ...], declared: tuple[int, ...]) -> bool:
    return len(got) == len(declared) and all(size in (-1, real) for size, real in zip(declared, got, strict=True))


def unstack_outputs(outputs: Sequence[np.ndarray], facts: Sequence[TensorFacts], batches: Batches) -> list[np.ndarray]:
    """Outputs per sample: (N, *shape without the batch), or (N, *shape) where the first dimension is no batch."""
    if len(outputs) != len(facts):
        raise RunnerError(f"expected {len(facts)} outputs, got {len(outputs)}.", stage="output")
    return [_unstack(array, tensor, batches) for array, tensor in zip(outputs, facts, strict=True)]


def _unstack(array: np.ndarray, tensor: TensorFacts, batches: Batches) -> np.ndarray:
    if array.dtype.name != tensor.dtype or array.shape[0] != batches.runs:
        raise RunnerError(
            f"expected {batches.runs} runs of {tensor.dtype} for the output {tensor.name!r}, "
            f"got {array.shape[0]} of {array.dtype.name}.",
            stage="output",
        )
    if array.ndim > 1 and array.shape[1] == batches.batch:
        return array.reshape(batches.runs * batches.batch, *array.shape[2:])[: batches.samples]
    if batches.batch == 1:
        return array
    raise RunnerError(
        f"expected the output {tensor.name!r} to have the model's batch of {batches.batch} first, "
        f"got the shape {array.shape[1:]}: export the model with a batch of 1.",
        stage="output",
    )
