from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pocketbench.checked.errors import InputError
from pocketbench.compression.dataset import Dataset
from pocketbench.compression.intervals import mean_interval, wilson_interval
from pocketbench.compression.manifest import TensorFacts
from pocketbench.compression.metrics import load_metric, try_metric

MODULE = "python:tests.compression.metrics.own_metrics"
SCORES = np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [0.4, 0.5, 0.1]], np.float32)


def value(name: str, outputs: np.ndarray, labels: np.ndarray) -> float:
    return load_metric(name).compute([outputs], labels).value


@pytest.mark.parametrize(
    ("labels", "top_1", "top_2"),
    [
        pytest.param(np.array([1, 0, 2, 1]), 1.0, 1.0, id="all right"),
        pytest.param(np.array([1, 0, 1, 0]), 0.5, 1.0, id="second best"),
        pytest.param(np.array([0, 2, 0, 2]), 0.0, 0.0, id="all wrong"),
        pytest.param(np.array([[1], [0], [1], [0]]), 0.5, 1.0, id="column"),
        pytest.param(np.eye(3)[[1, 0, 1, 0]], 0.5, 1.0, id="one-hot"),
        pytest.param(np.array([1, 0, 1, 0], np.uint8), 0.5, 1.0, id="bytes"),
    ],
)
def test_top_k_counts_labels_among_the_k_best(labels: np.ndarray, top_1: float, top_2: float):
    assert value("top-1", SCORES, labels) == top_1
    assert value("top-2", SCORES, labels) == top_2
    assert value("top-3", SCORES, labels) == 1.0


def test_equal_scores_are_no_hit_for_every_class():
    same = np.zeros((3, 3), np.float32)

    assert value("top-1", same, np.array([0, 1, 2])) == pytest.approx(1 / 3)
    assert value("top-2", same, np.array([0, 1, 2])) == pytest.approx(2 / 3)
    assert [value("top-1", same, np.full(3, label)) for label in range(3)] == [1.0, 0.0, 0.0]


def test_nan_is_never_right():
    nothing = np.full((3, 3), np.nan, np.float32)

    assert value("top-1", nothing, np.array([0, 1, 2])) == 0.0
    assert value("top-3", nothing, np.array([0, 1, 2])) == 0.0


def test_top_k_has_wilsons_interval():
    found = load_metric("top-1").compute([SCORES], np.array([1, 0, 1, 0]))

    assert (found.low, found.high) == wilson_interval(2, 4)
    assert found.samples == 4


@pytest.mark.parametrize(
    ("scores", "labels", "words"),
    [
        pytest.param(SCORES, np.array([1, 0, 2, 3]), "labels from 0 to 2 .* got 0 to 3", id="class too high"),
        pytest.param(SCORES, np.array([1, 0, 2, -1]), "got -1 to 2", id="negative"),
        pytest.param(SCORES, np.array([1.0, 0.0, 2.0, 1.0]), "whole-numbered labels", id="floats"),
        pytest.param(SCORES, np.array([1, 0, 2]), r"\(4,\).* got int64 \(3,\)", id="count"),
        pytest.param(SCORES[:, :, None], np.array([1, 0, 2, 1]), r"\(samples, classes\).* got \(4, 3, 1\)", id="rank"),
        pytest.param(SCORES[:, :1], np.array([0, 0, 0, 0]), "got one value for each sample", id="no classes"),
    ],
)
def test_top_k_refuses_labels_that_do_not_fit(scores: np.ndarray, labels: np.ndarray, words: str):
    with pytest.raises(InputError, match=words):
        value("top-2", scores, labels)


def test_mean_absolute_error_is_the_mean_over_samples():
    found = load_metric("mean-absolute-error").compute([np.array([[1.0, 3.0], [0.0, 0.0]])], np.array([[0, 0], [0, 4]]))

    assert found.value == pytest.approx(2.0)
    assert (found.low, found.high) == mean_interval(np.array([2.0, 2.0]))
    assert not load_metric("mean-absolute-error").higher_is_better


def test_mean_absolute_error_takes_a_column_for_a_row_of_labels():
    assert value("mean-absolute-error", np.array([[1.0], [2.0]]), np.array([0.0, 4.0])) == pytest.approx(1.5)


def test_mean_absolute_error_of_nan_is_nan_and_of_one_sample_has_no_interval():
    found = load_metric("mean-absolute-error").compute([np.array([[1.0]])], np.array([0.0]))

    assert (found.value, found.low, found.high) == (1.0, None, None)
    assert np.isnan(value("mean-absolute-error", np.array([[np.nan], [2.0]]), np.array([0.0, 4.0])))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        pytest.param(np.zeros(3), r"shape \(2, 1\).* got float64 \(3,\)", id="count"),
        pytest.param(np.array([0.0, np.nan]), "finite labels", id="NaN"),
    ],
)
def test_mean_absolute_error_refuses_labels_that_do_not_fit(labels: np.ndarray, words: str):
    with pytest.raises(InputError, match=words):
        value("mean-absolute-error", np.zeros((2, 1)), labels)


def test_own_metrics_give_a_number_or_a_number_with_its_interval():
    labels = np.zeros(4)

    assert value(f"{MODULE}.share_over_zero", SCORES, labels) == 1.0
    bounded = load_metric(f"{MODULE}.bounded").compute([SCORES], labels)
    assert (bounded.value, bounded.low, bounded.high, bounded.samples) == (0.5, 0.4, 0.6, 4)
    assert load_metric(f"{MODULE}.bounded").higher_is_better
    assert not load_metric(f"{MODULE}.loss").higher_is_better
    assert value(f"{MODULE}.loss", SCORES, labels) == 2.5


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("none", "TypeError", id="None"),
        pytest.param("fails", r"ZeroDivisionError: no words \(own_metrics\.py:36\)", id="raises"),
        pytest.param("not_a_number", "finite numbers, got nan", id="NaN"),
    ],
)
def test_an_own_metric_that_gives_no_number_is_refused(name: str, words: str):
    with pytest.raises(InputError, match=rf"own_metrics\.{name}: expected .*{words}"):
        value(f"{MODULE}.{name}", SCORES, np.zeros(4))


def test_the_code_of_an_own_metric_is_the_hash_of_its_file():
    codes = [load_metric(f"{MODULE}.{name}").code for name in ("loss", "bounded")]

    assert codes[0] == codes[1] is not None
    assert load_metric("top-1").code is None


@pytest.mark.parametrize("name", ["top1", "top-0", "top-", "accuracy", "mean_absolute_error", ""])
def test_an_unknown_metric_is_answered_with_those_there_are(name: str):
    with pytest.raises(InputError, match=r"got '.*'; .*mean-absolute-error, top-1, top-5, any other top-k, or python:"):
        load_metric(name)


def test_a_metric_is_tried_before_any_work_is_done():
    metric, outputs = load_metric("top-1"), [TensorFacts(name="scores", shape=(-1, 3), dtype="float32")]
    inputs = (np.zeros((2, 5), np.float32),)

    try_metric(metric, Dataset(inputs, np.array([0, 2])), outputs, "test.npz")
    with pytest.raises(InputError, match="labels from 0 to 2"):
        try_metric(metric, Dataset(inputs, np.array([0, 3])), outputs, "test.npz")
    with pytest.raises(InputError, match=r"test\.npz: expected labels for the metric 'top-1'"):
        try_metric(metric, Dataset(inputs, None), outputs, "test.npz")


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (10, 10), (1, 10), (449, 450), (5, 10), (1, 1)])
def test_wilsons_interval_is_that_of_scipy(successes: int, trials: int):
    expected = stats.binomtest(successes, trials).proportion_ci(0.95, method="wilson")

    low, high = wilson_interval(successes, trials)

    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0.0 <= low <= successes / trials <= high <= 1.0


def test_the_interval_of_a_mean_is_students():
    values = np.random.default_rng(0).normal(size=30)
    expected = stats.t.interval(0.95, 29, values.mean(), stats.sem(values))

    assert mean_interval(values) == pytest.approx(expected)
    assert mean_interval(values[:1]) is None


def test_top_k_needs_as_many_classes():
    with pytest.raises(InputError, match="at least 5 classes for top-5, got"):
        load_metric("top-5").compute([SCORES], np.array([1, 0, 2, 1]))
