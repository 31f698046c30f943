"""Samples and outputs come back as they were."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketbench.harness.store import samples as samples_module
from pocketbench.harness.store.records import Array
from pocketbench.harness.store.samples import (
    SAMPLES_DTYPE,
    STREAMS_DTYPE,
    decode_samples,
    encode_outputs,
    encode_samples,
)

INT64 = st.integers(-(2**63), 2**63 - 1)


@settings(deadline=None)  # the first one imports pyarrow
@given(st.lists(st.tuples(INT64, INT64, st.booleans()), max_size=50))
def test_samples_round_trip_exactly(rows):
    array = np.array(rows, SAMPLES_DTYPE)

    decoded = decode_samples(encode_samples(array))

    assert decoded.dtype == STREAMS_DTYPE
    assert decoded.tolist() == [(*row, 0) for row in rows]  # the stream 0


def test_the_extremes_round_trip_exactly():
    array = np.array([(2**63 - 1, -(2**63), True), (-(2**63), 2**63 - 1, False), (2**53 + 1, 1, True)], SAMPLES_DTYPE)

    assert decode_samples(encode_samples(array)).tolist() == [(*row, 0) for row in array.tolist()]


def test_streams_round_trip():
    array = np.array([(1, 10, True, 0), (2, 20, False, 0), (1, 30, True, 1)], STREAMS_DTYPE)

    assert decode_samples(encode_samples(array)).tolist() == array.tolist()


def test_same_samples_same_bytes_however_they_lie_in_memory():
    array = np.array([(1, 10, False), (2, 20, True), (3, 30, True)], SAMPLES_DTYPE)
    spaced = np.zeros(6, SAMPLES_DTYPE)
    spaced[::2] = array

    assert encode_samples(spaced[::2]) == encode_samples(array.copy())
    assert encode_samples(array[:2]) != encode_samples(array)


def test_any_reader_of_parquet_reads_them():
    import pandas as pd

    frame = pd.read_parquet(io.BytesIO(encode_samples(np.array([(1, 10, False), (2, 20, True)], SAMPLES_DTYPE))))

    assert frame.to_dict("list") == {"start_ns": [1, 2], "latency_ns": [10, 20], "steady": [False, True]}


def test_outputs_round_trip_and_the_same_give_the_same_bytes():
    outputs: list[Array] = [np.array([[0.25, np.nan]], np.float32), np.array([-128, 127], np.int8)]

    data = encode_outputs(outputs)

    assert data is not None
    assert data == encode_outputs([output.copy() for output in outputs])
    with np.load(io.BytesIO(data), allow_pickle=False) as found:
        assert found.files == ["output_0", "output_1"]
        for name, output in zip(found.files, outputs, strict=True):
            assert found[name].dtype == output.dtype
            np.testing.assert_array_equal(found[name], output)


def test_outputs_that_are_too_large_are_not_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(samples_module, "OUTPUTS_LIMIT_BYTES", 100)

    assert encode_outputs([np.zeros(50, np.int8), np.zeros(51, np.int8)]) is None
    assert encode_outputs([np.zeros(50, np.int8), np.zeros(50, np.int8)]) is not None
