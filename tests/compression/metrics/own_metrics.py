"""Metrics as users write them, for `python:tests.compression.metrics.own_metrics.NAME`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["bounded", "fails", "loss", "none", "not_a_number", "share_over_zero"]


def share_over_zero(outputs: Sequence[np.ndarray], labels: np.ndarray) -> float:
    return float((outputs[0] > 0).mean())


def bounded(outputs: Sequence[np.ndarray], labels: np.ndarray) -> tuple[float, float, float]:
    return 0.5, 0.4, 0.6


def loss(outputs: Sequence[np.ndarray], labels: np.ndarray) -> np.float32:
    return np.float32(2.5)


loss.higher_is_better = False  # type: ignore[attr-defined]


def not_a_number(outputs: Sequence[np.ndarray], labels: np.ndarray) -> float:
    return float("nan")


def none(outputs: Sequence[np.ndarray], labels: np.ndarray) -> None:
    return None


def fails(outputs: Sequence[np.ndarray], labels: np.ndarray) -> float:
    raise ZeroDivisionError("no words")
