"""Workers may crash, hang, exit and print: the parent learns where and why, and goes on."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pocketbench.compression.worker import Failed, WorkerCall, read_status
from pocketbench.compression.worker_pool import WorkerPool, threads_per_worker
from pocketbench.compression.worker_process import worker_environment
from tests.compression.builds import own_functions


def call(function, folder: Path, name: str) -> WorkerCall:
    return WorkerCall(
        function, name, {"source": folder}, folder / name, "export", folder / f"{name}.status", folder / f"{name}.log"
    )


def run(pool: WorkerPool, function, folder: Path, name: str = "task") -> Failed | None:
    started = call(function, folder, name)
    return pool.outcome(started, pool.submit(started))


@pytest.mark.parametrize(
    ("function", "stage", "words"),
    [
        pytest.param(own_functions.segfaults, "converting", "crashed (SIGSEGV)", id="crash"),
        pytest.param(own_functions.killed, "export", "killed (SIGKILL), most often because memory ran out", id="kill"),
        pytest.param(own_functions.exits, "export", "SystemExit: 3", id="exit"),
        pytest.param(own_functions.fails, "second stage", "expected this, got that.", id="refused"),
        pytest.param(own_functions.noisy, "export", "RuntimeError: the reason", id="raised"),
    ],
)
def test_a_failure_has_its_stage_and_reason_and_the_next_call_works(function, stage: str, words: str, tmp_path: Path):
    with WorkerPool(1, 60) as pool:
        failed = run(pool, function, tmp_path)
        assert failed is not None
        assert failed.stage == stage
        assert words in failed.reason
        assert failed.input_error is (function is own_functions.fails)

        assert run(pool, own_functions.writes, tmp_path, "next") is None
    assert (tmp_path / "next" / "made.txt").read_text() == "next ['source']"


def test_a_call_that_hangs_is_stopped(tmp_path: Path):
    with WorkerPool(1, 1.5) as pool:
        failed = run(pool, own_functions.hangs, tmp_path)
        assert failed == Failed(
            "training", "did not end within 1.5 s and was stopped: allow more time, or a smaller model."
        )
        assert run(pool, own_functions.writes, tmp_path, "next") is None


def test_what_libraries_print_is_in_the_log_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    with WorkerPool(1, 60) as pool:
        run(pool, own_functions.noisy, tmp_path)

    log = (tmp_path / "task.log").read_text()
    assert "a library in C++ speaks" in log
    assert "the reason" in log
    assert capfd.readouterr() == ("", "")


def test_leaving_the_pool_ends_what_still_runs(tmp_path: Path):
    with WorkerPool(1, 600) as pool:
        started = call(own_functions.hangs, tmp_path, "task")
        pool.submit(started)
        deadline = time.monotonic() + 60
        while (status := read_status(started.status_file)) is None or status.stage != "training":
            assert time.monotonic() < deadline
            time.sleep(0.05)

    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "task" / "pid").read_text()), 0)


def test_workers_start_with_an_environment_of_their_own(tmp_path: Path):
    """Later would be too late: libraries that the caller's main module imports read it when they are loaded."""
    before = dict(os.environ)
    with WorkerPool(2, 60) as pool:
        assert run(pool, own_functions.tells_environment, tmp_path) is None

    pairs = (tmp_path / "task" / "environ").read_text().split("\0")
    expected = worker_environment(threads_per_worker(2))
    assert [f"{name}={value}" for name, value in expected.items() if f"{name}={value}" not in pairs] == []
    assert dict(os.environ) == before


def test_workers_share_the_cores():
    cores = len(os.sched_getaffinity(0))

    assert threads_per_worker(1) == cores
    assert threads_per_worker(1000) == 1
