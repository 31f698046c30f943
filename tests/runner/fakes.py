"""Engines that crash, hang and lie, built from C with the compiler that builds the runner."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pocketbench.harness.runner import build

__all__ = ["LIBRARIES", "build_fake"]

LIBRARIES = {"litert": "libLiteRt.so", "onnxruntime": "libonnxruntime.so"}
_SOURCES = Path(__file__).parent / "fake_engines"
_RUNNER_SOURCES = Path(build.__file__).parent / "src"


def build_fake(engine: str, platform: str, folder: Path) -> Path:
    """Compile the fake `engine` for `platform`; fake_engines/ says what each can be told to do."""
    library = folder / platform / LIBRARIES[engine]
    library.parent.mkdir(parents=True, exist_ok=True)
    compiler = (sys.executable, "-m", "ziglang", "cc", "-target", build.PLATFORMS[platform])
    flags = ("-std=gnu11", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC", "-fno-sanitize=all", "-Wall", "-Wextra")
    subprocess.run(
        [*compiler, *flags, "-I", str(_RUNNER_SOURCES), "-o", str(library), str(_SOURCES / f"{engine}.c")], check=True
    )
    return library
