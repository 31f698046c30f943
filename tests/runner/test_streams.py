"""Streams: processes that measure the same model at the same time, and fail together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from pocketbench.harness.engines.catalogue import local_engine
from tests.runner.conftest import ECHO
from tests.runner.tiny_models import dense_onnx


@pytest.fixture
def bench(launch, fakes, tmp_path):
    def bench(orders: str, *options: object):
        (tmp_path / "model").write_text(orders)
        engine = ("--engine", "onnxruntime", "--library", fakes["onnxruntime"], "--model", tmp_path / "model")
        return launch("bench", *engine, "--samples", tmp_path / "samples", *options, timeout_s=60)

    return bench


def test_all_measure_at_the_same_time(bench, tmp_path):
    (tmp_path / "sensors").write_bytes(b"50\tnode\t/proc/uptime\n")
    sampler = ("--sensors", tmp_path / "sensors", "--readings", tmp_path / "readings")

    completed = bench(ECHO, "--streams", 3, "--iterations", 1, "--min-time-ms", 300, "--interval-us", 1000, *sampler)

    assert completed.exit_code == 0
    events = [json.loads(line)["event"] for line in completed.stdout.splitlines()]
    assert events.count("samples") == events.count("sensors") == 1
    files = [np.fromfile(tmp_path / name, "<i8").reshape(-1, 2) for name in ("samples", "samples.1", "samples.2")]
    begin, end = max(file[0, 0] for file in files), min(file[-1, 0] for file in files)
    # Of the 300 ms that each takes, they have most in common.
    assert end - begin > 150e6
    assert not (tmp_path / "samples.3").exists()


@pytest.mark.parametrize("stage", ["create_session", "run"])
def test_where_one_fails_all_do(bench, stage):
    completed = bench(ECHO + f"at {stage} segv\n", "--streams", 2)

    assert completed.exit_code != 0
    assert b'"done"' not in completed.stdout


def test_a_stream_that_fails_alone_fails_the_launch(bench, tmp_path):
    (tmp_path / "samples.1").mkdir()  # where the second one wants to write

    completed = bench(ECHO, "--streams", 2, "--iterations", 1, "--min-time-ms", 0)

    last = json.loads(completed.stdout.splitlines()[-1])
    assert (completed.exit_code, last["event"], last["stage"]) == (1, "error", "streams")
    assert "expected 2 streams to end well, but one failed" in last["message"]
    assert b"cannot create the samples file" in completed.stderr


def test_streams_that_wait_end_where_another_one_is_killed(program, tmp_path):
    """Else they would measure for as long as they were told, beside the next launch."""
    library = local_engine("onnxruntime").library  # which takes longer to load than it takes to stop a stream
    engine = ("--engine", "onnxruntime", "--library", library, "--model", dense_onnx(tmp_path / "m.onnx"))
    times = ("--samples", tmp_path / "samples", "--min-time-ms", "60000", "--max-time-ms", "60000")
    command = list(map(str, (program, "bench", *engine, *times, "--streams", "3")))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as runner:
        assert runner.stdout is not None
        while b'"engine_load"' not in runner.stdout.readline():
            continue
        _, last = Path(f"/proc/{runner.pid}/task/{runner.pid}/children").read_text().split()
        os.kill(int(last), signal.SIGSTOP)
        while b'"streams"' not in runner.stdout.readline():  # the first one waits for the others
            continue
        time.sleep(0.5)  # and so does the second
        os.kill(int(last), signal.SIGKILL)
        output, _ = runner.communicate(timeout=30)  # ends only where nobody measures on, holding its streams

    assert runner.returncode == 1
    assert b"expected 3 streams to get ready, but one failed" in output
    assert not (tmp_path / "samples.1").exists()
