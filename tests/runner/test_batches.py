"""Samples to the batches of a model and back."""

from __future__ import annotations

import numpy as np
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.compression.manifest import TensorFacts
from pocketbench.harness.errors import RunnerError
from pocketbench.harness.runner.batches import stack_inputs, unstack_outputs


def facts(*shape: int, dtype: str = "float32", name: str = "x") -> TensorFacts:
    return TensorFacts(name=name, shape=shape, dtype=dtype)


def samples(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize(
    ("declared", "given", "stacked", "batch"),
    [
        pytest.param((1, 3), (5, 3), (5, 1, 3), 1, id="batch-of-1"),
        pytest.param((-1, 3), (5, 3), (5, 1, 3), 1, id="dynamic-batch"),
        pytest.param((4, 3), (8, 3), (2, 4, 3), 4, id="batch-of-4"),
        pytest.param((4, 3), (5, 3), (2, 4, 3), 4, id="batch-of-4-filled-up"),
        pytest.param((1,), (5,), (5, 1), 1, id="a-number-a-sample"),
        pytest.param((), (5,), (5,), 1, id="scalar"),
        pytest.param((2, 3), (5, 2, 3), (5, 2, 3), 1, id="no-batch"),
        pytest.param((1, -1, 3), (5, 7, 3), (5, 1, 7, 3), 1, id="dynamic-length"),
    ],
)
def test_samples_become_runs(declared, given, stacked, batch):
    batches = stack_inputs([samples(*given)], [facts(*declared)])

    assert batches.arrays[0].shape == stacked
    assert (batches.batch, batches.samples, batches.runs) == (batch, given[0], stacked[0])


@pytest.mark.parametrize("count", [1, 4, 5, 8])
def test_what_went_in_comes_out_without_what_filled_it_up(count):
    data = samples(count, 3)
    batches = stack_inputs([data], [facts(4, 3)])

    (output,) = unstack_outputs(batches.arrays, [facts(4, 3)], batches)

    np.testing.assert_array_equal(output, data)


def test_the_last_sample_fills_the_last_batch_up():
    assert (stack_inputs([samples(5, 3)], [facts(4, 3)]).arrays[0][1] == [12, 13, 14]).all()


@pytest.mark.parametrize(
    ("arrays", "declared", "words"),
    [
        pytest.param([], [facts(1, 3)], "each of the model's 1 inputs, got 0", id="number"),
        pytest.param([samples(5, 3), samples(4, 3)], [facts(1, 3)] * 2, "same number of samples", id="samples"),
        pytest.param([samples(0, 3)], [facts(1, 3)], "at least 1", id="no-samples"),
        pytest.param([samples(5, 3)], [facts(1, 3, dtype="int8")], "expected int8 for the input 'x'", id="dtype"),
        pytest.param([samples(5, 4)], [facts(1, 3)], r"\(samples, 3\) for the input 'x'", id="shape"),
        pytest.param([samples(5, 3)] * 2, [facts(2, 3), facts(4, 3)], "one batch size", id="batches"),
        pytest.param([samples(5, 3)], [facts(0, 3)], "batch of at least 1", id="batch-of-0"),
        pytest.param([samples(5, 3)], [facts(2**40, 3)], "come near to filling, got one of 1099", id="huge-batch"),
    ],
)
def test_what_does_not_fit_is_refused(arrays, declared, words):
    with pytest.raises(InputError, match=words):
        stack_inputs(arrays, declared)


def test_an_output_without_a_batch_keeps_its_shape():
    batches = stack_inputs([samples(5, 3)], [facts(1, 3)])

    (output,) = unstack_outputs([samples(5, 2, 2)], [facts(2, 2, name="y")], batches)

    assert output.shape == (5, 2, 2)


@pytest.mark.parametrize(
    ("outputs", "declared", "words"),
    [
        pytest.param([], [facts(4, 2)], "expected 1 outputs, got 0", id="number"),
        pytest.param([samples(1, 4, 2)], [facts(4, 2)], "expected 2 runs", id="runs"),
        pytest.param([samples(2, 4, 2)], [facts(4, 2, dtype="int8")], "of int8", id="dtype"),
        pytest.param([samples(2, 3, 2)], [facts(3, 2)], "to have the model's batch of 4 first", id="batch"),
    ],
)
def test_outputs_that_a_device_made_up_are_refused(outputs, declared, words):
    batches = stack_inputs([samples(5, 3)], [facts(4, 3)])

    with pytest.raises(RunnerError, match=words):
        unstack_outputs(outputs, declared, batches)
