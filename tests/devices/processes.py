"""Start and end the processes of emulated devices so that none outlives the test or the command that started it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

__all__ = ["children", "end", "module", "start"]

_REPOSITORY = Path(__file__).parents[2]


def start(argv: Sequence[str], log: IO[bytes] | None = None, *, talk: bool = False) -> subprocess.Popen[bytes]:
    """Start `argv` in a process group of its own; it dies with this process (prctl(2), PR_SET_PDEATHSIG).

    Call it from a thread that lives on: the kernel counts the end of that thread. With `talk`, its standard input and
    output are pipes; what it says otherwise goes to `log`.
    """
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *argv],
        stdin=subprocess.PIPE if talk else subprocess.DEVNULL,
        stdout=subprocess.PIPE if talk else log or subprocess.DEVNULL,
        stderr=log or subprocess.DEVNULL,
        start_new_session=True,
    )


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs a module of this repository, wherever it is started."""
    return ["env", f"--chdir={_REPOSITORY}", sys.executable, "-m", name, *arguments]


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill `process` with everything below it, and collect it; harmless a second time."""
    if process.poll() is None:
        for pid in [process.pid, *_descendants(process.pid)]:  # from the top: a server reports the end of a command
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    process.wait(timeout=10)


def children(pid: int) -> list[int]:
    """The processes whose parent is `pid`."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(word) for word in (task / "children").read_text().split()]
    return found


def _descendants(pid: int) -> list[int]:
    found = children(pid)
    for child in tuple(found):
        found += _descendants(child)
    return found
