"""A real tf.data.Dataset, in the forms in which users have one."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from pocketbench.compression.data import load_dataset
from pocketbench.compression.manifest import TensorFacts
from pocketbench.compression.tensorflow import import_tensorflow
from tests.compression.data.own_data import IMAGES, LABELS

IMAGE = TensorFacts(name="image", shape=(-1, 2, 3), dtype="float32")


@pytest.mark.parametrize("batch", [None, 3], ids=["samples", "batches"])
@pytest.mark.parametrize("named", [False, True], ids=["pair", "dict"])
def test_a_tf_dataset_is_run_through_once(batch: int | None, named: bool, monkeypatch: pytest.MonkeyPatch):
    tf = import_tensorflow()
    found = tf.data.Dataset.from_tensor_slices(({"image": IMAGES} if named else IMAGES, LABELS))
    module = ModuleType("own_tf_data")
    module.training = lambda: found.batch(batch) if batch else found  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "own_tf_data", module)

    dataset = load_dataset("python:own_tf_data.training", [IMAGE])

    assert np.array_equal(dataset.inputs[0], IMAGES)
    assert dataset.labels is not None
    assert np.array_equal(dataset.labels, LABELS)
