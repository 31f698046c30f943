"""Functions as users write them, for `python:tests.compression.data.own_data.NAME`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = [
    "IMAGES",
    "LABELS",
    "batches",
    "broken",
    "counted",
    "image",
    "labelled",
    "named",
    "no_samples",
    "nothing",
    "number",
    "pair",
    "ragged",
    "samples",
    "several",
]

IMAGES = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
LABELS = np.array([0, 1, 1, 0])


class Elements:
    """What a tf.data.Dataset gives, by the one method that is asked of it; the real one is in test_tf_data.py."""

    def __init__(self, elements: list[Any]) -> None:
        self._elements = elements

    def as_numpy_iterator(self) -> Iterator[Any]:
        return iter(self._elements)


def image() -> np.ndarray:
    return IMAGES


def pair() -> tuple[np.ndarray, np.ndarray]:
    return IMAGES, LABELS


def counted() -> tuple[list[list[list[float]]], list[int]]:
    return IMAGES.tolist(), LABELS.tolist()


def labelled() -> dict[str, np.ndarray]:
    return {"image": IMAGES, "y": LABELS}


def several() -> tuple[list[np.ndarray], np.ndarray]:
    return [IMAGES[:, 0, :2], IMAGES[:, 1]], LABELS


def named() -> tuple[dict[str, np.ndarray], np.ndarray]:
    return {"right": IMAGES[:, 1], "left": IMAGES[:, 0, :2]}, LABELS


def samples() -> Elements:
    return Elements(list(zip(IMAGES, LABELS, strict=True)))


def batches() -> Elements:
    return Elements([(IMAGES[:3], LABELS[:3]), (IMAGES[3:], LABELS[3:])])


def no_samples() -> Elements:
    return Elements([])


def nothing() -> None:
    return None


def number() -> float:
    return 3.0


def ragged() -> list[list[int]]:
    return [[1, 2], [3]]


def broken() -> np.ndarray:
    raise KeyError("column 7")
