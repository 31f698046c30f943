from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.compression.dataset import Dataset, read_dataset, write_dataset


def dataset(samples: int = 20, *, labels: bool = True) -> Dataset:
    return Dataset(
        (np.arange(samples * 2, dtype=np.float32).reshape(samples, 2),), np.arange(samples) if labels else None
    )


def test_a_subset_follows_from_the_seed_and_keeps_order_and_labels():
    one, same, other = (dataset().subset(8, seed) for seed in (1, 1, 2))

    assert one.labels is not None
    assert same.labels is not None
    assert other.labels is not None
    assert one.labels.tolist() == same.labels.tolist()
    assert one.labels.tolist() != other.labels.tolist()
    assert one.labels.tolist() == sorted(set(one.labels.tolist()))
    assert np.array_equal(one.inputs[0][:, 0], one.labels * 2)
    assert len(one) == 8


def test_a_subset_of_more_than_there_is_is_everything():
    assert dataset().subset(21, 0).fingerprint() == dataset().fingerprint()


def test_a_fingerprint_sees_values_shapes_types_and_labels():
    base = dataset()
    others = [
        Dataset((base.inputs[0] + 1,), base.labels),
        Dataset((base.inputs[0].reshape(20, 1, 2),), base.labels),
        Dataset((base.inputs[0].astype(np.float64),), base.labels),
        Dataset(base.inputs, None),
        Dataset((base.inputs[0], np.arange(20)), None),
    ]
    fingerprints = {found.fingerprint() for found in (base, *others)}

    assert len(fingerprints) == 6
    assert dataset().fingerprint() == base.fingerprint()


def test_a_fingerprint_does_not_see_how_memory_is_laid_out():
    base = dataset()

    assert Dataset((np.asfortranarray(base.inputs[0]),), base.labels).fingerprint() == base.fingerprint()


@pytest.mark.parametrize("labels", [True, False])
def test_what_was_written_is_read(labels: bool, tmp_path: Path):
    write_dataset(dataset(labels=labels), tmp_path / "train")

    assert read_dataset(tmp_path / "train").fingerprint() == dataset(labels=labels).fingerprint()


def test_whole_batches_leave_the_rest_out():
    assert [len(dataset().whole_batches(size)) for size in (1, 8, 20)] == [20, 16, 20]
    with pytest.raises(InputError, match="at least 21 samples, the model's fixed batch, got 20"):
        dataset().whole_batches(21)
