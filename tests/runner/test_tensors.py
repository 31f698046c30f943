"""Tensor files: every dtype survives, and bytes of any kind are read or refused, never worse."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.runner.protocol import TensorEntry
from pocketbench.harness.runner.tensors import DTYPES, TensorFileError, numpy_dtype, read_tensors, write_tensors
from tests.runner.hostile_files import FILES


def some_values(dtype: str) -> np.ndarray:
    values = np.random.default_rng(0).integers(0, 256, (3, 2, 16), np.uint8)
    if dtype == "bool":
        return (values & 1).astype(bool)
    return values.view(numpy_dtype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_comes_back_bit_by_bit(tmp_path, dtype):
    array = some_values(dtype)

    write_tensors(tmp_path / "file", [array])
    (back,) = read_tensors(tmp_path / "file")

    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable


def test_the_events_know_the_same_dtypes():
    assert set(DTYPES) == set(TensorEntry.model_json_schema()["properties"]["dtype"]["enum"])


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(np.arange(6, dtype=">f4").reshape(2, 3), id="big-endian"),
        pytest.param(np.arange(12, dtype=np.float32).reshape(4, 3).T, id="fortran-order"),
        pytest.param(np.arange(12, dtype=np.int64)[::2], id="strided"),
        pytest.param(np.zeros((2, 0, 3), np.int8), id="empty"),
        pytest.param(np.arange(4, dtype=np.uint16), id="scalar-of-each-run"),
        pytest.param(np.zeros((1,) * 17, np.float32), id="rank-16-and-runs"),
    ],
)
def test_any_layout_in_memory_is_written_in_order(tmp_path, array):
    write_tensors(tmp_path / "file", [array])

    (back,) = read_tensors(tmp_path / "file")

    np.testing.assert_array_equal(back, array)


def test_several_tensors_keep_their_order(tmp_path):
    arrays = [
        np.ones((2, *rest), numpy_dtype(name)) for name, rest in (("int8", [3]), ("float64", []), ("bfloat16", [1]))
    ]

    write_tensors(tmp_path / "file", arrays)

    assert [array.dtype.name for array in read_tensors(tmp_path / "file")] == ["int8", "float64", "bfloat16"]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        pytest.param([], "same number of samples", id="none"),
        pytest.param([np.float32(1)], "same number of samples", id="scalar"),
        pytest.param([np.zeros((0, 3), np.float32)], "at least 1", id="no-samples"),
        pytest.param([np.zeros(2, np.int8), np.zeros(3, np.int8)], "same number", id="other-numbers"),
        pytest.param([np.zeros(2, np.complex64)], "got 'complex64'", id="complex"),
        pytest.param([np.array(["a"])], "got 'str", id="text"),
        pytest.param([np.zeros((1,) * 18, np.int8)], "at most 4096 arrays of at most 17 dim", id="rank"),
    ],
)
def test_what_cannot_be_stored_is_refused(tmp_path, arrays, words):
    with pytest.raises(InputError, match=words):
        write_tensors(tmp_path / "file", [np.asarray(array) for array in arrays])


@pytest.mark.parametrize("data", FILES)
def test_a_hostile_file_is_refused_with_a_sentence(tmp_path, data):
    (tmp_path / "file").write_bytes(data)

    with pytest.raises(TensorFileError) as caught:
        read_tensors(tmp_path / "file")

    assert str(caught.value).startswith("expected ")
    assert str(caught.value).isprintable()


def test_every_truncation_is_refused(tmp_path):
    write_tensors(tmp_path / "file", [np.arange(4, dtype=np.int16), np.ones((4, 2), np.bool_)])
    data = (tmp_path / "file").read_bytes()

    for length in range(len(data)):
        (tmp_path / "file").write_bytes(data[:length])
        with pytest.raises(TensorFileError):
            read_tensors(tmp_path / "file")


def test_a_bool_other_than_0_and_1_becomes_true(tmp_path):
    header = b"PBTENSOR" + struct.pack("<II", 1, 1) + b"bool".ljust(16, b"\0") + struct.pack("<IIq", 1, 0, 3)
    (tmp_path / "file").write_bytes(header + b"\x00\x02\xff")

    (array,) = read_tensors(tmp_path / "file")

    assert array.tobytes() == b"\x00\x01\x01"
