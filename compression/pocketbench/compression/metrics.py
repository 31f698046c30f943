"""How good a model's outputs are, in one number with its 95 % interval where it has one.

`top-1`, `top-5` (any k), `mean-absolute-error`, or `python:module.function` with

    def word_accuracy(outputs, labels):     # outputs: list of arrays (N, …); returns a float or (value, low, high)
        ...
    word_accuracy.higher_is_better = True   # the default
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pocketbench.checked.errors import InputError, nearest
from pocketbench.compression.dataset import Dataset
from pocketbench.compression.intervals import mean_interval, wilson_interval
from pocketbench.compression.manifest import TensorFacts
from pocketbench.compression.python_object import PREFIX, code_hash, load_function, raised_at

__all__ = ["Metric", "MetricValue", "load_metric", "try_metric"]

Array = np.ndarray[Any, np.dtype[Any]]
_TOP_K = re.compile(r"top-([1-9][0-9]*)")


@dataclass(frozen=True, slots=True)
class MetricValue:
    """`low` and `high` bound the 95 % interval, None where the metric has none."""

    value: float
    low: float | None
    high: float | None
    samples: int


@dataclass(frozen=True, slots=True)
class Metric:
    """`compute(outputs, labels)` raises InputError where the labels do not fit the outputs."""

    name: str
    higher_is_better: bool
    compute: Callable[[Sequence[Array], Array], MetricValue]
    code: str | None = None
    """Hash of the file of the user's own function; None for the metrics that pocketbench has."""


def load_metric(name: str) -> Metric:
    """The metric of that name; raise InputError with the nearest names for an unknown one."""
    if name.startswith(PREFIX):
        return _own_metric(name)
    if name == "mean-absolute-error":
        return Metric(name, higher_is_better=False, compute=_mean_absolute_error)
    if match := _TOP_K.fullmatch(name):
        k = int(match[1])
        return Metric(name, higher_is_better=True, compute=lambda outputs, labels: _top_k(outputs, labels, k))
    raise InputError(
        f"expected a metric, got {name!r}; {nearest(name, ['top-1', 'top-5', 'mean-absolute-error'])}, "
        "any other top-k, or python:module.function."
    )


def try_metric(metric: Metric, evaluation: Dataset, outputs: Sequence[TensorFacts], source: str) -> None:
    """Raise InputError where `metric` cannot be computed on a model with these outputs, before any work is done.

    The user's own metric is not tried: it may take minutes, and what it says about zeros means nothing.
    """
    if evaluation.labels is None:
        raise InputError(f"{source}: expected labels for the metric {metric.name!r}, got inputs only: add them as 'y'.")
    if not metric.name.startswith(PREFIX) and all(size > 0 for facts in outputs for size in facts.shape[1:]):
        count = len(evaluation)
        try:
            metric.compute([np.zeros((count, *facts.shape[1:]), np.float32) for facts in outputs], evaluation.labels)
        except InputError as error:
            raise InputError(f"{source}: {error}") from error


def _top_k(outputs: Sequence[Array], labels: Array, k: int) -> MetricValue:
    """Share of samples whose class is among the k highest scores of the first output.

    Of equal scores the lower class comes first, so an output that is the same for all classes is not always right; NaN
    is never right.
    """
    scores = np.asarray(outputs[0])
    if scores.ndim == 2 and scores.shape[1] == 1:
        raise InputError(
            f"expected an output with a score for each class for top-{k}, got one value for each sample: choose "
            "mean-absolute-error, or a metric of your own that knows what the value means."
        )
    if scores.ndim != 2 or k > scores.shape[1]:
        raise InputError(
            f"expected an output (samples, classes) with at least {k} classes for top-{k}, got {scores.shape}: "
            "choose another metric."
        )
    classes = labels.argmax(axis=1) if labels.ndim == 2 and labels.shape == scores.shape else labels
    if classes.shape == (len(scores), 1):
        classes = classes[:, 0]
    if classes.shape != (len(scores),) or classes.dtype.kind not in "iu":
        raise InputError(
            f"expected whole-numbered labels ({len(scores)},) or one-hot rows {scores.shape} for top-{k}, "
            f"got {labels.dtype} {labels.shape}."
        )
    if classes.min() < 0 or classes.max() >= scores.shape[1]:
        raise InputError(
            f"expected labels from 0 to {scores.shape[1] - 1} (the model has {scores.shape[1]} classes), "
            f"got {classes.min()} to {classes.max()}."
        )
    best = np.argsort(-scores.astype(np.float64), axis=1, kind="stable")[:, :k]
    hits = (best == classes[:, None]) & ~np.isnan(np.take_along_axis(scores, best, axis=1))
    right = int(hits.any(axis=1).sum())
    low, high = wilson_interval(right, len(scores))
    return MetricValue(right / len(scores), low, high, len(scores))


def _mean_absolute_error(outputs: Sequence[Array], labels: Array) -> MetricValue:
    """Mean over samples of the mean absolute error of a sample's values, first output; NaN where an output is NaN."""
    got = np.asarray(outputs[0], np.float64)
    samples = len(got)
    if got.size != labels.size or labels.dtype.kind not in "biuf" or len(labels) != samples:
        raise InputError(
            f"expected labels of the output's shape {got.shape} for mean-absolute-error, "
            f"got {labels.dtype} {labels.shape}."
        )
    if not np.isfinite(labels).all():
        raise InputError("expected finite labels for mean-absolute-error, got NaN or infinity: remove these samples.")
    errors = np.abs(got.reshape(samples, -1) - labels.reshape(samples, -1)).mean(axis=1)
    low, high = mean_interval(errors) or (None, None)
    return MetricValue(float(errors.mean()), low, high, samples)


def _own_metric(name: str) -> Metric:
    function = load_function(name)

    def compute(outputs: Sequence[Array], labels: Array) -> MetricValue:
        try:
            answer = function(list(outputs), labels)
            value, low, high = answer if isinstance(answer, tuple) else (answer, None, None)
            found = MetricValue(
                float(value), None if low is None else float(low), None if high is None else float(high), len(labels)
            )
        except Exception as error:  # the user's function, which may raise and return anything
            raise InputError(
                f"{name}: expected a number or (value, low, high), got {type(error).__name__}: {error} "
                f"({raised_at(error)})."
            ) from error
        if not all(math.isfinite(bound) for bound in (found.value, found.low, found.high) if bound is not None):
            raise InputError(f"{name}: expected finite numbers, got {answer!r}.")
        return found

    return Metric(name, bool(getattr(function, "higher_is_better", True)), compute, code_hash(function))
