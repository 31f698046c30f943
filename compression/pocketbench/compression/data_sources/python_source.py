"""A function of the user's own: `python:my_data.training` with

    def training():
        return images, labels        # or images alone, a dict by input name (labels as "y"), or a tf.data.Dataset

A tf.data.Dataset is run through once and held in memory; it may be batched or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pocketbench.checked.errors import InputError
from pocketbench.compression.dataset import LABEL_KEYS, RawData
from pocketbench.compression.manifest import TensorFacts
from pocketbench.compression.python_object import load_function, raised_at

__all__ = ["read_python"]

_KINDS = "an array x, a pair (x, y), a dict of arrays by input name, or a tf.data.Dataset of these"


def read_python(text: str, facts: Sequence[TensorFacts]) -> RawData:
    """Call the function that `text` names and take what it returns; raise InputError where that is something else."""
    try:
        value = load_function(text)()
        if hasattr(value, "as_numpy_iterator"):
            return _from_elements(text, value.as_numpy_iterator(), facts)
        inputs, labels = _split(value)
        return RawData(text, _arrays(text, inputs), None if labels is None else np.asarray(labels))
    except InputError:
        raise
    # The user's function, or what its dataset does when it is run through, may raise anything.
    except Exception as error:
        raise InputError(
            f"{text}: expected {_KINDS}, got {type(error).__name__}: {error} ({raised_at(error)})."
        ) from error


def _split(value: Any) -> tuple[Any, Any]:
    """Inputs and labels of (x, y), {"x": …, "y": …} or x."""
    if isinstance(value, tuple) and len(value) == 2:
        return value
    if isinstance(value, Mapping):
        key = next((key for key in LABEL_KEYS if key in value), None)
        return {name: array for name, array in value.items() if name != key}, value.get(key) if key else None
    return value, None


def _arrays(text: str, inputs: Any) -> dict[str, Any] | list[Any]:
    if isinstance(inputs, Mapping):
        return {str(name): _array(text, array) for name, array in inputs.items()}
    if isinstance(inputs, (list, tuple)) and inputs and all(hasattr(item, "shape") for item in inputs):
        return [_array(text, array) for array in inputs]
    return [_array(text, inputs)]


def _array(text: str, value: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise InputError(f"{text}: expected {_KINDS}, got {type(value).__name__} that is no array: {error}.") from error
    if array.ndim == 0 or array.dtype.kind not in "biuf":
        raise InputError(
            f"{text}: expected {_KINDS}, got {type(value).__name__} ({array.dtype}, {array.ndim} dimensions)."
        )
    return array


def _from_elements(text: str, elements: Iterator[Any], facts: Sequence[TensorFacts]) -> RawData:
    inputs: list[dict[str, Any] | list[Any]] = []
    labels: list[Any] = []
    for element in elements:
        found, label = _split(element)
        inputs.append(_arrays(text, found))
        if label is not None:
            labels.append(np.asarray(label))
    if not inputs:
        raise InputError(f"{text}: expected at least one sample, got an empty tf.data.Dataset.")
    first = inputs[0]
    leading = next(iter(first.values())) if isinstance(first, dict) else first[0]
    # Elements of the rank of the model's input are batches, others single samples.
    join = np.concatenate if leading.ndim == len(facts[0].shape) else np.stack
    joined: Any
    if isinstance(first, dict):
        joined = {name: join([found[name] for found in inputs]) for name in first}  # type: ignore[call-overload]
    else:
        joined = [join(list(column)) for column in zip(*inputs, strict=True)]
    return RawData(text, joined, join(labels) if labels else None)
