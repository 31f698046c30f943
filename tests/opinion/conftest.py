"""This computer as a device, and programs that only say what they are told to."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pocketbench.harness.transports.local import LocalTransport

WriteProgram = Callable[..., Path]


@pytest.fixture
def transport() -> Iterator[LocalTransport]:
    with LocalTransport() as opened:
        yield opened


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The work directory on the device."""
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.fixture
def program(tmp_path: Path) -> WriteProgram:
    """Write a shell script `name` that prints `stdout` and `stderr` and ends with `code`; `script` runs before."""

    def write(name: str, *, stdout: str = "", stderr: str = "", code: int = 0, script: str = "") -> Path:
        path = tmp_path / name
        path.write_text(
            f"#!/bin/sh\n{script}\nprintf %s {shlex.quote(stdout)}\nprintf %s {shlex.quote(stderr)} >&2\nexit {code}\n"
        )
        return path

    return write
