"""What runs inside a worker process: one call after the other, each with its output in a log file.

Converters segfault, hang and eat memory. So each piece of work runs in a process that may die: the parent learns the
stage from a small file, finds what the libraries printed in a log, and goes on with the rest.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pocketbench.checked.errors import InputError, PocketbenchError

__all__ = ["Failed", "Status", "TaskContext", "WorkerCall", "read_status", "run_call", "start_worker"]

_REPORT_INTERVAL_S = 0.2  # a training loop may report after each batch; nobody reads faster than this


@dataclass(frozen=True, slots=True)
class WorkerCall:
    """`function(arguments, inputs, target, context)` writes files into the folder `target`.

    `inputs` are the folders that the tasks it needs have written. All of it is pickled, so the function stands at the
    top of a module.
    """

    function: Callable[[Any, Mapping[str, Path], Path, TaskContext], None]
    arguments: Any
    inputs: Mapping[str, Path]
    target: Path
    stage: str
    status_file: Path
    log_file: Path


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a call failed. `input_error` says that what the user gave was the cause; `explained` that `reason` is a
    sentence of pocketbench's own, to which the log adds nothing.
    """

    stage: str
    reason: str
    input_error: bool = False
    explained: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """Where a call is: its stage, the part of it that is done, and a few words."""

    stage: str
    fraction: float
    text: str


class TaskContext:
    """What a task tells the parent while it runs."""

    def __init__(self, status_file: Path, stage: str) -> None:
        self._file = status_file
        self.stage = stage
        self._last_s = 0.0
        self._write(0.0, "")

    def enter(self, stage: str, fraction: float = 0.0) -> None:
        """Say that the next stage begins: a failure or a crash from here on is reported with it."""
        self.stage = stage
        self._write(fraction, "")

    def progress(self, text: str, fraction: float) -> None:
        """Say how far the task is (0 to 1), at most five times a second."""
        if time.monotonic() - self._last_s >= _REPORT_INTERVAL_S:
            self._last_s = time.monotonic()
            self._write(fraction, text)

    def _write(self, fraction: float, text: str) -> None:
        temporary = self._file.with_suffix(".new")
        temporary.write_text(f"{self.stage}\t{fraction:.4f}\t{' '.join(text.split())}", encoding="utf-8")
        temporary.replace(self._file)


def read_status(status_file: Path) -> Status | None:
    """What a call last told; None before it has told anything."""
    try:
        stage, fraction, text = status_file.read_text(encoding="utf-8").split("\t")
    except FileNotFoundError:
        return None
    return Status(stage, float(fraction), text)


def start_worker() -> None:
    """Set up a fresh worker process."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def run_call(call: WorkerCall) -> Failed | None:
    """Run `call` with its output in its log file; None where it succeeded."""
    _redirect_output(call.log_file)
    context = TaskContext(call.status_file, call.stage)
    try:
        call.target.mkdir(parents=True)
        call.function(call.arguments, call.inputs, call.target, context)
    except PocketbenchError as error:
        traceback.print_exc()
        return Failed(context.stage, str(error), input_error=isinstance(error, InputError), explained=True)
    # A converter may raise anything, and the user's own code may call sys.exit: it is one failed variant, and the log
    # has the rest.
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        return Failed(context.stage, _sentence(error))
    return None


def _sentence(error: BaseException) -> str:
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")
    return f"{type(error).__name__}: {text[:500]}"


def _redirect_output(log_file: Path) -> None:
    """Point file descriptors 1 and 2 at the log: libraries in C++ know nothing of sys.stdout."""
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _end_with_parent() -> None:
    """End this process when its parent has died (kill -9): nobody would fetch what it makes."""
    import multiprocessing
    from multiprocessing import connection

    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
