"""How a launch ended: its events, the engine's own words, or the signal that ended it."""

from __future__ import annotations

import json

import pytest

from pocketbench.harness.errors import RunnerCrashError, RunnerError
from pocketbench.harness.runner.launch import read_launch
from pocketbench.harness.transports.base import Completed

DEVICE = "ssh://pi@board:22"


def line(event: str, /, **fields: object) -> bytes:
    return json.dumps({"schema": 1, "event": event, **fields}).encode() + b"\n"


STAGE = line("stage", stage="first_inference")
DONE = line("done")
ENGINE = line("engine", name="litert", version=None, engine_load_ns=1)
MEMORY = line(
    "memory",
    stage="end",
    **dict.fromkeys(
        ("resident_bytes", "peak_resident_bytes", "pss_bytes", "private_clean_bytes", "private_dirty_bytes")
    ),
)


def completed(stdout: bytes, exit_code: int = 0, stderr: bytes = b"", signal: int | None = None) -> Completed:
    return Completed(("pocketbench-runner",), exit_code, stdout, stderr, 0.1, signal)


def failure(*arguments: object, **keywords: object) -> RunnerError:
    with pytest.raises(RunnerError) as caught:
        read_launch(completed(*arguments, **keywords), DEVICE)  # type: ignore[arg-type]
    assert str(caught.value).startswith(f"{DEVICE} ")
    assert str(caught.value).isprintable()
    return caught.value


def test_a_launch_that_ends_with_done_gives_its_events():
    assert [event.event for event in read_launch(completed(STAGE + ENGINE + DONE), DEVICE)] == [
        "stage",
        "engine",
        "done",
    ]


@pytest.mark.parametrize("exit_code", [0, 1])
def test_an_error_is_the_stage_and_the_engines_own_words(exit_code):
    stdout = STAGE + line("error", stage="model_load", message="LiteRT said no\x1b[31m.")
    stderr = b"INFO: [cpu_registry.cc:75] registered\nERROR: The model allocation is null/empty\n"

    error = failure(stdout, exit_code, stderr)

    assert not isinstance(error, RunnerCrashError)
    assert error.stage == "model_load"
    assert str(error) == (
        f"{DEVICE} model_load: LiteRT said no [31m. The engine said: ERROR: The model allocation is null/empty"
    )


@pytest.mark.parametrize(
    ("exit_code", "signal", "number", "name"),
    [
        pytest.param(139, 11, 11, "SIGSEGV", id="seen-by-the-transport"),
        pytest.param(139, None, 11, "SIGSEGV", id="said-by-a-shell"),
        pytest.param(134, None, 6, "SIGABRT", id="abort"),
        pytest.param(137, None, 9, "SIGKILL", id="killed"),
        pytest.param(168, None, 40, "signal 40", id="real-time-signal"),
    ],
)
def test_a_crash_is_reported_with_signal_and_stage(exit_code, signal, number, name):
    error = failure(STAGE, exit_code, b"Fatal: out of memory\x07", signal)

    assert isinstance(error, RunnerCrashError)
    assert (error.signal, error.stage) == (number, "first_inference")
    assert name in str(error)
    assert "Fatal: out of memory" in str(error)


def test_a_line_cut_off_by_a_crash_does_not_hide_the_crash():
    assert isinstance(failure(STAGE + b'{"schema":1,"eve', 139), RunnerCrashError)


@pytest.mark.parametrize("exit_code", [pytest.param(255, id="ssh-itself"), pytest.param(128, id="no-signal")])
def test_other_codes_are_no_crash(exit_code):
    error = failure(b"", exit_code)

    assert not isinstance(error, RunnerCrashError)
    assert f"got exit code {exit_code} at stage 'start'" in str(error)


@pytest.mark.parametrize("exit_code", [126, 127])
def test_a_runner_that_cannot_start_says_why_and_asks_whether_it_fits(exit_code):
    message = str(failure(b"", exit_code, b"sh: ./pocketbench-runner: not found\n"))

    assert f"to start, got exit code {exit_code}: sh: ./pocketbench-runner: not found. Is it built for" in message


@pytest.mark.parametrize(
    ("exit_code", "stderr", "words"),
    [
        # What shells of Debian 12 say of a directory mounted with noexec, and of an aarch64 program on x86_64.
        pytest.param(126, b"sh: 1: /x/runner: Permission denied\n", "register the device with another", id="noexec"),
        pytest.param(126, b"dash: 1: /x/runner: Exec format error\n", "built for another processor", id="dash"),
        pytest.param(1, b"E: mksh: /x/runner: not executable: 64-bit ELF file\n", "another processor", id="mksh"),
        pytest.param(2, b"/x/runner: line 1: \x7fELF\x02: not found\n", "built for another processor", id="busybox"),
    ],
)
def test_a_runner_that_the_device_cannot_start_is_told_apart(exit_code, stderr, words):
    assert words in str(failure(b"", exit_code, stderr))


@pytest.mark.parametrize(
    ("stdout", "exit_code", "words"),
    [
        pytest.param(b"", 0, "got 'no event': it is truncated", id="nothing"),
        pytest.param(
            b"only \x1b noise\n" * 100_000,
            0,
            "got 1300000 bytes without any event, which begin with 'only   noise only",
            id="noise",
        ),
        pytest.param(STAGE, 0, "got 'stage': it is truncated", id="no-end"),
        pytest.param(STAGE, 1, "got exit code 1 at stage 'first_inference'", id="no-reason"),
        pytest.param(DONE, 1, "got exit code 1", id="done-but-failed"),
        pytest.param(DONE + DONE, 0, "nothing from the runner after its event 'done'", id="more-after-done"),
        pytest.param(
            line("error", stage="run", message="m") + DONE, 0, "after its event 'error'", id="more-after-error"
        ),
        pytest.param(ENGINE + ENGINE + DONE, 0, "once, got ['engine'] again", id="event-twice"),
        pytest.param(MEMORY + MEMORY + DONE, 0, "once, got ['memory at end'] again", id="memory-twice"),
        pytest.param(DONE[:-1], 0, "without its end", id="truncated"),
        pytest.param(STAGE + b"\x1b[31mred\n" + DONE, 0, "expected an event", id="noise-inside"),
    ],
)
def test_a_launch_without_an_honest_end_is_an_error(stdout, exit_code, words):
    assert words in str(failure(stdout, exit_code))


def test_what_an_engine_prints_is_bounded():
    assert len(str(failure(line("error", stage="run", message="x" * 100_000), 1, b"y" * 100_000))) < 5000
