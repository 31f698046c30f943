"""What a user has: a folder with a model and data of their own, and the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Process = Callable[..., "subprocess.Popen[str]"]
CommandLine = Callable[..., "subprocess.CompletedProcess[str]"]


COMMAND = (sys.executable, "-c", "from pocketbench.harness.cli.main import main; main()")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What a process of pocketbench starts with: this checkout, and a home of its own."""
    sources = [ROOT / name for name in ("harness", "device_profiles", "compression", "reports")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, sources)),
        "POCKETBENCH_HOME": str(tmp_path / "home"),
    }


@pytest.fixture
def pocketbench_process(tmp_path: Path, environment: dict[str, str]) -> Process:
    """Start `pocketbench ARGS` in the test's folder, its stderr to be read as it comes."""

    def start(*argv: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *argv],
            cwd=tmp_path,
            env=environment,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    return start


@pytest.fixture
def pocketbench(tmp_path: Path, environment: dict[str, str]) -> CommandLine:
    """Run `pocketbench ARGS` in the test's folder with a home of its own; `without` names packages it must not find."""

    def run(*argv: str, timeout_s: float = 600, without: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *argv],
            cwd=tmp_path,
            env=_hiding(environment, without, tmp_path),
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )

    return run


def _hiding(environment: dict[str, str], packages: tuple[str, ...], folder: Path) -> dict[str, str]:
    """The environment with a sitecustomize that makes `packages` not found, in child processes too."""
    if not packages:
        return environment
    hiding = folder / "hiding"
    hiding.mkdir(exist_ok=True)
    (hiding / "sitecustomize.py").write_text(f"import sys; sys.modules.update(dict.fromkeys({packages!r}))\n")
    return {**environment, "PYTHONPATH": os.pathsep.join([str(hiding), environment["PYTHONPATH"]])}
