from __future__ import annotations

import numpy as np
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.compression.data import load_dataset
from pocketbench.compression.manifest import TensorFacts
from tests.compression.data.own_data import IMAGES, LABELS

MODULE = "python:tests.compression.data.own_data"
IMAGE = TensorFacts(name="image", shape=(-1, 2, 3), dtype="float32")
LEFT = TensorFacts(name="left", shape=(-1, 2), dtype="float32")
RIGHT = TensorFacts(name="right", shape=(-1, 3), dtype="float32")


@pytest.mark.parametrize("name", ["pair", "counted", "labelled", "samples", "batches"])
def test_inputs_with_labels_in_every_form(name: str):
    source = f"{MODULE}.{name}"
    if name == "counted":  # lists of Python's floats are float64
        assert load_dataset(source, [IMAGE]).inputs[0].dtype == np.float32

    dataset = load_dataset(source, [IMAGE])

    assert np.array_equal(dataset.inputs[0], IMAGES)
    assert dataset.labels is not None
    assert np.array_equal(dataset.labels, LABELS)


def test_inputs_alone_have_no_labels():
    dataset = load_dataset(f"{MODULE}.image", [IMAGE])

    assert np.array_equal(dataset.inputs[0], IMAGES)
    assert dataset.labels is None


@pytest.mark.parametrize("name", ["several", "named"])
def test_several_inputs_in_order_or_by_name(name: str):
    dataset = load_dataset(f"{MODULE}.{name}", [LEFT, RIGHT])

    assert np.array_equal(dataset.inputs[0], IMAGES[:, 0, :2])
    assert np.array_equal(dataset.inputs[1], IMAGES[:, 1])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("nothing", "NoneType", id="None"),
        pytest.param("number", "float", id="number"),
        pytest.param("ragged", "no array", id="ragged"),
        pytest.param("broken", "KeyError: 'column 7'", id="raises"),
        pytest.param("no_samples", "at least one sample", id="empty dataset"),
    ],
)
def test_what_is_no_data_is_refused(name: str, words: str):
    with pytest.raises(InputError, match=rf"own_data\.{name}: expected .*{words}"):
        load_dataset(f"{MODULE}.{name}", [IMAGE])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        pytest.param(f"{MODULE}.pear", "function 'pear' .* did you mean 'pair'", id="function"),
        pytest.param("python:tests.compression.data.no_such.pair", "ModuleNotFoundError", id="module"),
        pytest.param("python:pair", "python:module.function", id="no module"),
        pytest.param("python:", "python:module.function", id="nothing"),
        pytest.param("python:os.path.a b", "python:module.function", id="no name"),
    ],
)
def test_a_function_that_cannot_be_found_is_refused(source: str, words: str):
    with pytest.raises(InputError, match=words):
        load_dataset(source, [IMAGE])
