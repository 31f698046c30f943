"""Arrays in the order of a model's inputs, with labels where they are known.

A dataset is held in memory as a whole, about twice while it is read; one that is bigger than memory is not handled
now: give a function (`python:module.function`) that returns a representative part of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pocketbench.checked.errors import InputError
from pocketbench.compression.manifest import TensorFacts

__all__ = ["LABEL_KEYS", "Dataset", "RawData", "fit_dataset", "read_dataset", "write_dataset"]

Array = np.ndarray[Any, np.dtype[Any]]
LABEL_KEYS = ("y", "labels")


@dataclass(frozen=True, slots=True)
class Dataset:
    """Samples along the first axis of every array; `inputs` in the order of the model's inputs."""

    inputs: tuple[Array, ...]
    labels: Array | None

    def __len__(self) -> int:
        return len(self.inputs[0])

    def subset(self, size: int, seed: int) -> Dataset:
        """At most `size` samples, drawn without replacement from `seed`; the order of the samples stays."""
        if len(self) <= size:
            return self
        chosen = np.sort(np.random.default_rng(seed).choice(len(self), size, replace=False))
        return Dataset(
            tuple(array[chosen] for array in self.inputs), None if self.labels is None else self.labels[chosen]
        )

    def whole_batches(self, size: int) -> Dataset:
        """Without the samples at the end that fill no batch of `size`; raises InputError where none is full."""
        count = len(self) // size * size
        if count == 0:
            raise InputError(f"expected at least {size} samples, the model's fixed batch, got {len(self)}.")
        return Dataset(
            tuple(array[:count] for array in self.inputs), None if self.labels is None else self.labels[:count]
        )

    def fingerprint(self) -> str:
        """Hex sha256 over shapes, dtypes and values."""
        digest = hashlib.sha256()
        for array in (*self.inputs, *(() if self.labels is None else (self.labels,))):
            digest.update(f"{array.dtype.str}{array.shape}{array is self.labels}".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class RawData:
    """What a source gave, before it is fitted to a model: arrays by name, or in order where they have none."""

    source: str
    arrays: Mapping[str, Array] | Sequence[Array]
    labels: Array | None


def fit_dataset(raw: RawData, facts: Sequence[TensorFacts]) -> Dataset:
    """Order `raw` as the model's inputs and check each shape and dtype; raise InputError naming both sides."""
    arrays = _in_order(raw, facts)
    counts = {fact.name: len(array) if array.ndim else 0 for fact, array in zip(facts, arrays, strict=True)}
    if raw.labels is not None:
        counts["the labels"] = len(raw.labels) if raw.labels.ndim else 0
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise InputError(
            f"{raw.source}: expected the same number of samples, at least one, in each array, got {counts}."
        )
    if raw.labels is not None and raw.labels.dtype.kind not in "biuf":
        raise InputError(f"{raw.source}: expected labels that are numbers, got {raw.labels.dtype}: number the classes.")
    return Dataset(tuple(_fit(raw.source, array, fact) for array, fact in zip(arrays, facts, strict=True)), raw.labels)


def write_dataset(dataset: Dataset, folder: Path) -> None:
    """Write the arrays into `folder` (made here) as .npy files, which load faster than they were read."""
    folder.mkdir(parents=True)
    for index, array in enumerate(dataset.inputs):
        np.save(folder / f"input_{index}.npy", array)
    if dataset.labels is not None:
        np.save(folder / "labels.npy", dataset.labels)


def read_dataset(folder: Path) -> Dataset:
    """Read what `write_dataset` wrote."""
    count = len(list(folder.glob("input_*.npy")))
    labels = folder / "labels.npy"
    inputs = tuple(np.load(folder / f"input_{index}.npy") for index in range(count))
    return Dataset(inputs, np.load(labels) if labels.exists() else None)


def _in_order(raw: RawData, facts: Sequence[TensorFacts]) -> list[Array]:
    names = [fact.name for fact in facts]
    if isinstance(raw.arrays, Mapping):
        if len(names) == 1 and "x" in raw.arrays and names[0] not in raw.arrays:
            return [raw.arrays["x"]]
        missing = [name for name in names if name not in raw.arrays]
        if missing:
            wanted = "the key 'x' or " if len(names) == 1 else ""
            raise InputError(
                f"{raw.source}: expected {wanted}a key for each input of the model {names}, "
                f"got the keys {sorted(raw.arrays)}: rename them, labels are 'y'."
            )
        return [raw.arrays[name] for name in names]
    if len(raw.arrays) != len(names):
        raise InputError(
            f"{raw.source}: expected an array for each of the model's {len(names)} inputs {names}, "
            f"got {len(raw.arrays)} arrays."
        )
    return list(raw.arrays)


def _fit(source: str, array: Array, fact: TensorFacts) -> Array:
    expected, got = fact.shape[1:], array.shape[1:]
    if len(expected) != len(got) or any(want not in (-1, have) for want, have in zip(expected, got, strict=True)):
        raise InputError(
            f"{source}: expected samples of shape {_text(expected)} for the model's input {fact.name!r}, "
            f"got {_text(got)}: reshape the data."
        )
    # A quantized tensor takes real values: they are quantized with its scale when it is run.
    wanted = np.dtype(np.float32 if fact.scale is not None else fact.dtype)
    if array.dtype.kind == "f" and not (finite := np.isfinite(array)).all():
        bad = int((~finite.reshape(len(array), -1).all(axis=1)).sum())
        raise InputError(
            f"{source}: expected numbers for the model's input {fact.name!r}, got NaN or infinity in {bad} of "
            f"{len(array)} samples: remove or repair them."
        )
    if array.dtype == wanted:
        return array
    same_kind = wanted.kind == array.dtype.kind or (wanted.kind in "iu" and array.dtype.kind in "iu")
    if not same_kind or wanted.kind not in "fiu":
        raise InputError(
            f"{source}: expected {wanted} for the model's input {fact.name!r}, got {array.dtype}: "
            f"convert it, e.g. x.astype({wanted.name!r}), and scale it as the model was trained."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        converted = array.astype(wanted)
    kept = converted == array if wanted.kind in "iu" else np.isfinite(converted) | ~np.isfinite(array)
    if not kept.all():
        raise InputError(
            f"{source}: expected values that {wanted} can hold for the model's input {fact.name!r}, "
            f"got {array.dtype} from {array.min()} to {array.max()}."
        )
    return converted


def _text(shape: Sequence[int]) -> str:
    return "(" + ", ".join("any" if size == -1 else str(size) for size in shape) + ")"
