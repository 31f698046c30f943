"""Whatever bytes a device sends: events, arrays, or one of our errors with a printable message. Never anything else."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pocketbench.harness.errors import RunnerError
from pocketbench.harness.runner.launch import read_launch
from pocketbench.harness.runner.tensors import TensorFileError, read_tensors, write_tensors
from pocketbench.harness.transports.base import Completed

TENSOR = {"name": "x", "dtype": "int8", "shape": [-1, 3], "scale": 0.5, "zero_point": -3}
LAUNCH = b"".join(
    json.dumps({"schema": 1, "event": event, **fields}).encode() + b"\n"
    for event, fields in (
        ("stage", {"stage": "engine_load"}),
        ("engine", {"name": "litert", "version": "1.0", "engine_load_ns": 1}),
        ("model", {"model_init_ns": 5, "inputs": [TENSOR], "outputs": []}),
        ("error", {"stage": "run", "message": "no"}),
    )
)
# Time says nothing here, and the folder may be the same for all examples.
FREELY = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def changed(whole: bytes) -> st.SearchStrategy[bytes]:
    """`whole` with a part replaced by other bytes or by a part of itself."""
    place = st.integers(0, len(whole))
    other = st.binary(max_size=12) | st.tuples(place, place).map(lambda ends: whole[min(ends) : max(ends)])
    return st.tuples(place, st.integers(0, 12), other).map(
        lambda change: whole[: change[0]] + change[2] + whole[change[0] + change[1] :]
    )


def error_of(completed: Completed) -> RunnerError | None:
    try:
        read_launch(completed, "local:")
    except RunnerError as error:
        return error
    return None


@FREELY
@given(st.binary() | changed(LAUNCH), st.integers(-1, 300), st.binary(max_size=40))
def test_any_output_of_a_launch_is_read_or_refused(stdout, exit_code, stderr):
    error = error_of(Completed(("runner",), exit_code, stdout, stderr, 0.1))

    assert error is None or (str(error).isprintable() and error.stage.isprintable() and len(str(error)) < 6000)


@pytest.fixture(scope="module")
def tensor_file(tmp_path_factory) -> bytes:
    path: Path = tmp_path_factory.mktemp("good") / "file"
    write_tensors(path, [np.arange(6, dtype=np.int16).reshape(2, 3), np.ones((2, 1), np.bool_)])
    return path.read_bytes()


@FREELY
@given(data=st.data())
def test_any_tensor_file_is_read_or_refused(tmp_path, tensor_file, data):
    (tmp_path / "file").write_bytes(data.draw(st.binary() | changed(tensor_file)))

    with contextlib.suppress(TensorFileError):
        assert all(len(array) >= 1 for array in read_tensors(tmp_path / "file"))
