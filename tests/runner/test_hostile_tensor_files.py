"""The runner's own reader of tensor files: refuses what Python's refuses, and reads what it reads."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from pocketbench.harness.runner.tensors import read_tensors, write_tensors
from tests.runner.conftest import ECHO
from tests.runner.hostile_files import FILES


@pytest.fixture
def infer(launch, fakes, tmp_path):
    """Infer with the fake engine: the orders of the model, then the exit code and the last event."""

    def infer(orders: str = ECHO, **changes: object):
        (tmp_path / "model").write_text(orders)
        options = {"engine": "onnxruntime", "library": fakes["onnxruntime"], "model": tmp_path / "model"}
        options |= {"input": tmp_path / "in", "output": tmp_path / "out"} | changes
        completed = launch("infer", *(part for name, value in options.items() for part in (f"--{name}", value)))
        return completed.exit_code, json.loads(completed.stdout.splitlines()[-1])

    return infer


@pytest.mark.parametrize("data", FILES)
def test_a_hostile_file_is_refused_with_a_sentence(infer, tmp_path, data):
    (tmp_path / "in").write_bytes(data)

    exit_code, event = infer("input x 1 1 2\noutput y 1 1 2\n")  # nothing but the file itself is wrong

    assert exit_code == 1
    assert (event["event"], event["stage"]) == ("error", "input")
    assert event["message"].startswith("expected ")
    assert str(tmp_path / "in") in event["message"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("number", "orders"),
    [
        pytest.param(0, "", id="no-tensors-for-no-inputs"),
        pytest.param(2, "input x 1 1 2\ninput z 3 0\n", id="other-number-of-runs"),
    ],
)
def test_a_file_is_refused_even_where_the_model_would_take_it(infer, tmp_path, number, orders):
    tensors = [
        b"float32".ljust(16, b"\0") + struct.pack("<IIqq", 2, 0, 1, 2) + bytes(8),
        b"int8".ljust(16, b"\0") + struct.pack("<IIq", 1, 0, 2) + bytes(2),
    ]
    (tmp_path / "in").write_bytes(b"PBTENSOR" + struct.pack("<II", 1, number) + b"".join(tensors[:number]))

    exit_code, event = infer(f"{orders}output y 1 1 2\n")

    assert (exit_code, event["stage"]) == (1, "input")


def test_every_truncation_is_refused(infer, tmp_path):
    write_tensors(tmp_path / "in", [np.ones((2, 2, 3), np.float32)])
    data = (tmp_path / "in").read_bytes()

    for length in range(0, len(data), 3):
        (tmp_path / "in").write_bytes(data[:length])
        assert infer()[0] == 1


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        pytest.param([np.ones((1, 2, 3), np.int32)], "expected float32 for the input 'x', got int32", id="dtype"),
        pytest.param(
            [np.ones((1, 3, 2), np.float32)], "expected data of shape 2x3 for the input 'x', got 3x2", id="shape"
        ),
        pytest.param([np.ones((1, 6), np.float32)], "shape 2x3 for the input 'x', got 6", id="rank"),
        pytest.param([np.ones(1, np.float32)], "shape 2x3 for the input 'x', got scalar", id="scalar"),
        pytest.param([np.ones((1,) * 17, np.float32)], "got 1x1x1x1", id="rank-16"),
        pytest.param([np.ones((1, 2, 3), np.float32)] * 2, "the model's 1 inputs, got 2 tensors", id="number"),
    ],
)
def test_data_that_does_not_fit_the_model_is_refused_by_name(infer, tmp_path, arrays, words):
    write_tensors(tmp_path / "in", arrays)

    exit_code, event = infer()

    assert (exit_code, event["stage"]) == (1, "input")
    assert words in event["message"]


def test_sixteen_dimensions_go_in_and_out(infer, tmp_path):
    write_tensors(tmp_path / "in", [np.full((3, *[1] * 16), 7, np.float32)])

    exit_code, event = infer(f"input x 1 16 {'1 ' * 16}\noutput y 1 16 {'1 ' * 16}\n")

    assert (exit_code, event["event"]) == (0, "done")
    (output,) = read_tensors(tmp_path / "out")
    assert output.shape == (3, *[1] * 16)
    assert (output == 7).all()


def test_an_output_that_cannot_be_written_is_an_error(infer, tmp_path):
    write_tensors(tmp_path / "in", [np.ones((1, 2, 3), np.float32)])

    exit_code, event = infer(output=tmp_path / "missing" / "out")

    assert exit_code == 1
    assert "cannot create the tensor file" in event["message"]
    assert "No such file or directory" in event["message"]


def test_a_full_disk_is_an_error(infer, tmp_path):
    write_tensors(tmp_path / "in", [np.ones((1, 2, 3), np.float32)])

    exit_code, event = infer(output="/dev/full")

    assert exit_code == 1
    assert "No space left on device" in event["message"]
