"""Who works on something right now: a lock that the kernel frees when its holder is gone, however it went.

Files below one folder on a local disk; flock(2) is per open file, so two holders in one process exclude each other too.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pocketbench.checked.errors import InputError
from pocketbench.harness.errors import StoreError

__all__ = ["Hold", "hold_device", "is_held"]

_TRIES, _BETWEEN_TRIES_S = 5, 0.05


class Hold:
    """Held inside `with`; InputError on entering where another process holds it."""

    def __init__(self, folder: Path, name: str, what: str) -> None:
        self._folder = folder
        self._path = folder / f"{name}.lock"
        self._what = what
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = self._path.open("a+", encoding="ascii")
        except OSError as error:
            raise StoreError(
                f"expected to write the lock {self._path}, got {error.strerror}: see that its folder can be written, "
                "or set POCKETBENCH_HOME to another folder."
            ) from error
        if not _try(file):
            file.seek(0)
            holder = file.read(20).strip() or "unknown"
            file.close()
            raise InputError(
                f"expected {self._what} to be free, got one that the pocketbench process {holder} is working on: "
                "wait for its end, or stop it first."
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The file stays: were it removed, a process that opened it before could hold what nobody else sees.
        if self._file is not None:
            self._file.close()
            self._file = None


def hold_device(home: Path, address: str) -> Hold:
    """To be entered while the device at `address` is measured or changed.

    By address: two names of one device would disturb each other as two processes would.
    """
    name = re.sub(r"[^A-Za-z0-9]+", "-", address).strip("-")
    return Hold(home / "locks", f"device-{name}", f"the device {address}")


def _try(file: IO[str]) -> bool:
    """Lock `file`. Several tries: `is_held` of another process takes the lock for a moment."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_BETWEEN_TRIES_S)
        else:
            return True
    return False


def is_held(folder: Path, name: str) -> bool:
    """True while a process holds `name`."""
    try:
        # Only read, so that whoever may read a store may ask.
        file = (folder / f"{name}.lock").open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
