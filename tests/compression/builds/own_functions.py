"""What a user's own code can do to a worker process: metrics and data for builds, and tasks for the pool.

The metrics get the outputs of the float32 file as labels, so they can tell that file from any other.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pocketbench.checked.errors import InputError
from pocketbench.compression.worker import TaskContext

__all__ = [
    "crashes_unless_exact",
    "crashing_data",
    "exits",
    "fails",
    "gone",
    "hangs",
    "hangs_unless_exact",
    "killed",
    "noisy",
    "segfaults",
    "tells_environment",
    "writes",
]


def _exact(outputs: Sequence[np.ndarray], labels: np.ndarray) -> bool:
    return bool(np.array_equal(outputs[0], labels))


def crashes_unless_exact(outputs: Sequence[np.ndarray], labels: np.ndarray) -> float:
    if not _exact(outputs, labels):
        os.kill(os.getpid(), signal.SIGSEGV)
    return 1.0


def hangs_unless_exact(outputs: Sequence[np.ndarray], labels: np.ndarray) -> float:
    if not _exact(outputs, labels):
        time.sleep(600)
    return 1.0


def gone() -> np.ndarray:
    sys.exit(7)


def crashing_data() -> np.ndarray:
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError


def writes(arguments: Any, inputs: Mapping[str, Path], target: Path, context: TaskContext) -> None:
    (target / "made.txt").write_text(f"{arguments} {sorted(inputs)}")


def noisy(arguments: Any, inputs: Mapping[str, Path], target: Path, context: TaskContext) -> None:
    os.write(2, b"a library in C++ speaks\n")
    raise RuntimeError("\n  the reason\nand a trace of passes")


def fails(arguments: Any, inputs: Mapping[str, Path], target: Path, context: TaskContext) -> None:
    context.enter("second stage")
    raise InputError("expected this, got that.")


def exits(arguments: Any, inputs: Mapping[str, Path], target: Path, context: TaskContext) -> None:
    sys.exit(3)


def segfaults(arguments: Any, inputs: Mapping[str, Path], target: Path, context: TaskContext) -> None:
    context.enter("converting")
    os.kill(os.getpid(), signal.SIGSEGV)


def killed(arguments: Any, inputs: Mapping[str, Path], target: Path, context: TaskContext) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def tells_environment(arguments: Any, inputs: Mapping[str, Path], target: Path, context: TaskContext) -> None:
    """What the process started with, not what was set later."""
    shutil.copyfile("/proc/self/environ", target / "environ")


def hangs(arguments: Any, inputs: Mapping[str, Path], target: Path, context: TaskContext) -> None:
    (target / "pid").write_text(str(os.getpid()))
    context.enter("training")
    time.sleep(600)
