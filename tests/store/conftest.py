"""An empty store in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pocketbench.harness.store.store import Store


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def store(home):
    with Store(home) as opened:
        yield opened


@pytest.fixture
def store_process():
    """Start Python code in a process of its own; what still runs at the end is killed."""
    started = []

    def start(code, *arguments):
        root = Path(__file__).parents[2]
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
