"""Run a .tflite or .onnx file on this computer, by the engines' own Python packages, without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from pocketbench.checked.errors import InputError
from pocketbench.compression.litert_file import LiteRtFile
from pocketbench.compression.manifest import TensorFacts
from pocketbench.compression.model_files import model_format
from pocketbench.compression.onnxruntime_file import OnnxRuntimeFile

__all__ = ["FileModel", "decode_outputs", "encode_inputs", "run_samples"]


class _Engine(Protocol):
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]: ...


class FileModel:
    """A file loaded by its engine; inputs and outputs in the order and with the names that the C APIs give.

    Raises InputError where the engine does not take the file.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        kind = LiteRtFile if model_format(path) == "tflite" else OnnxRuntimeFile
        engine: _Engine = kind(path, threads)
        self.path = path
        self.inputs = engine.inputs
        self.outputs = engine.outputs
        self._engine = engine

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Outputs of one inference for `inputs` in the model's own shapes (batch included) and dtypes."""
        self._check(inputs)
        return self._engine.run(inputs)

    def _check(self, inputs: Sequence[np.ndarray]) -> None:
        if len(inputs) != len(self.inputs):
            raise InputError(f"{self.path.name}: expected {len(self.inputs)} inputs, got {len(inputs)}.")
        for array, facts in zip(inputs, self.inputs, strict=True):
            fits = len(array.shape) == len(facts.shape) and all(
                want in (-1, have) for want, have in zip(facts.shape, array.shape, strict=True)
            )
            if not fits or array.dtype != facts.dtype:
                raise InputError(
                    f"{self.path.name}: expected {facts.dtype}{list(facts.shape)} for the input {facts.name!r}, "
                    f"got {array.dtype}{list(array.shape)}."
                )


def run_samples(model: FileModel, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Outputs for N samples, stacked along the first axis; each of `inputs` is (N, shape of one sample).

    One inference per batch that the file fixes, else per sample: that is what a device does, and the ranges of
    dynamically quantized files depend on what shares a batch. A model without a batch axis gets a sample per run.
    """
    samples = len(inputs[0])
    batch = _batch(model.inputs)
    if samples == 0 or samples % batch:
        raise InputError(
            f"{model.path.name}: expected a number of samples that its batch of {batch} divides, got {samples}."
        )
    batched = [_has_batch(facts, array) for facts, array in zip(model.inputs, inputs, strict=True)]
    collected: list[list[np.ndarray]] = [[] for _ in model.outputs]
    for start in range(0, samples, batch):
        part = [
            array[start : start + batch] if whole else array[start]
            for array, whole in zip(inputs, batched, strict=True)
        ]
        for store, output in zip(collected, model.run(part), strict=True):
            store.append(output if all(batched) and output.ndim and len(output) == batch else output[None])
    return [np.concatenate(parts) for parts in collected]


def _batch(inputs: Sequence[TensorFacts]) -> int:
    fixed = {facts.shape[0] for facts in inputs if facts.shape and facts.shape[0] > 0}
    return fixed.pop() if len(fixed) == 1 else 1


def _has_batch(facts: TensorFacts, array: np.ndarray) -> bool:
    return len(facts.shape) == array.ndim


def encode_inputs(arrays: Sequence[np.ndarray], facts: Sequence[TensorFacts]) -> list[np.ndarray]:
    """Real values → the model's input types: quantized where a tensor is an integer with a scale, else cast."""
    return [_encode(np.asarray(array), tensor) for array, tensor in zip(arrays, facts, strict=True)]


def decode_outputs(arrays: Sequence[np.ndarray], facts: Sequence[TensorFacts]) -> list[np.ndarray]:
    """The model's outputs → real values as float32; integers without a scale (class numbers) stay as they are."""
    return [_decode(array, tensor) for array, tensor in zip(arrays, facts, strict=True)]


def _encode(array: np.ndarray, facts: TensorFacts) -> np.ndarray:
    dtype = np.dtype(facts.dtype)
    if facts.scale is None or array.dtype == dtype:
        return np.ascontiguousarray(array, dtype=dtype)
    limits = np.iinfo(dtype)
    steps = np.rint(array.astype(np.float64) / facts.scale) + (facts.zero_point or 0)
    return np.asarray(np.clip(steps, limits.min, limits.max), dtype)


def _decode(array: np.ndarray, facts: TensorFacts) -> np.ndarray:
    if facts.scale is not None and np.issubdtype(array.dtype, np.integer):
        steps = array.astype(np.float64) - (facts.zero_point or 0)
        return np.asarray(steps * facts.scale, np.float32)
    return array.astype(np.float32) if np.issubdtype(array.dtype, np.floating) else array
