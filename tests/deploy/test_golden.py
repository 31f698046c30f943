"""The golden inference: within its tolerance or refused with the largest difference; a damaged file is refused."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.deploy.golden import check_outputs, read_golden
from pocketbench.harness.errors import DeploymentError

NAN, INF = float("nan"), float("inf")


def check(got, expected, *, rtol=1e-2, atol=1e-3):
    check_outputs([np.asarray(got)], (np.asarray(expected),), ("probabilities",), rtol=rtol, atol=atol, who="local:, x")


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        ([1.0, 2.0], [1.0, 2.0]),
        ([1.009], [1.0]),
        ([0.0005], [0.0]),
        ([NAN, INF, -INF], [NAN, INF, -INF]),
        (np.float32(1.0), np.float32(1.001)),
        (np.zeros((1, 3)), np.zeros(3)),
        (np.array([3], np.int8), np.array([3], np.int8)),
        (np.array([True]), np.array([True])),
    ],
)
def test_within_the_tolerance(got, expected):
    check(got, expected)


@pytest.mark.parametrize(
    ("got", "expected", "words"),
    [
        ([1.0, 2.5, 9.0], [1.0, 2.0, 3.0], r"got 9 instead of 3 at \[2\] \(the largest difference; 2 of 3 values"),
        ([NAN], [1.0], "got nan instead of 1"),
        ([1.0], [NAN], "got 1 instead of nan"),
        ([INF], [1.0], "got inf instead of 1"),
        ([-INF], [INF], "got -inf instead of inf"),
        (np.array([3], np.int8), np.array([5], np.int8), "got 3 instead of 5"),
        (np.array([255], np.uint8), np.array([0], np.uint8), "got 255 instead of 0"),
        ([[0.0, 1.0]], [[0.0, 2.0]], r"at \[0, 1\]"),
        ([1.0], [1.0, 2.0], r"shape \(2,\), got float64 of shape \(1,\)"),
        (np.array([1.0], np.float32), np.array([1.0]), "as float64 .* got float32"),
    ],
)
def test_outside_is_refused_with_the_largest_difference(got, expected, words):
    with pytest.raises(DeploymentError, match=words) as caught:
        check(got, expected)
    assert "'probabilities'" in str(caught.value)


def test_another_number_of_outputs_is_refused():
    with pytest.raises(DeploymentError, match="expected 1 outputs, got 0"):
        check_outputs([], (np.zeros(1),), (), rtol=0, atol=0, who="x")


def archive(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def pickled():
    stream = io.BytesIO()
    np.savez(stream, input_0=np.array([{}], dtype=object), output_0=np.zeros(1))
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(None, id="missing"),
        pytest.param(b"", id="empty"),
        pytest.param(b"random bytes", id="random"),
        pytest.param(archive(input_0=np.zeros(100), output_0=np.zeros(100))[:-40], id="truncated"),
        pytest.param(pickled(), id="pickled"),
        pytest.param(archive(input_0=np.zeros(1)), id="no-outputs"),
        pytest.param(archive(input_0=np.zeros(1), output_0=np.zeros(1), output_2=np.zeros(1)), id="a-gap"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, data):
    path = tmp_path / "golden.npz"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError, match=r"golden\.npz.*[Cc]ompress the model again"):
        read_golden(path)


def test_damage_inside_the_archive_is_refused(tmp_path):
    path = tmp_path / "golden.npz"
    data = bytearray(archive(input_0=np.arange(1000.0), output_0=np.zeros(1)))
    data[500] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(InputError, match="Bad CRC-32"):
        read_golden(path)
    assert zipfile.is_zipfile(path)


def test_arrays_come_in_their_order(tmp_path):
    path = tmp_path / "golden.npz"
    arrays = {f"input_{n}": np.array([n]) for n in range(11)}
    path.write_bytes(archive(output_0=np.zeros(2), **arrays))
    golden = read_golden(path)
    assert [int(array[0]) for array in golden.inputs] == list(range(11))
    assert len(golden.outputs) == 1
