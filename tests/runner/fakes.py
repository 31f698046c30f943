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
_ZIG = (sys.executable, "-m", "ziglang")


def build_fake(engine: str, platform: str, folder: Path) -> Path:
    """Compile the fake `engine` for `platform`; fake_engines/ says what each can be told to do."""
    library = folder / platform / LIBRARIES[engine]
    library.parent.mkdir(parents=True, exist_ok=True)
    flags = ("-std=gnu11", "-D_GNU_SOURCE", "-O1", "-fPIC", "-fno-sanitize=all", "-Wall", "-Wextra")
    compiler = (*_ZIG, "cc", "-target", build.PLATFORMS[platform], *flags, "-I", str(_RUNNER_SOURCES))
    source = _SOURCES / f"{engine}.c"
    if not build.is_android(platform):
        subprocess.run([*compiler, "-shared", "-o", library, source], check=True)
        return library
    # As the runner for Android: compiled with musl's headers; what it calls is left for the device to find.
    compiled, bionic = library.with_suffix(".o"), _RUNNER_SOURCES / "android" / "bionic.h"
    subprocess.run([*compiler, "-include", bionic, "-fno-builtin-bcmp", "-c", "-o", compiled, source], check=True)
    layout = ("-z", "max-page-size=16384", "-z", "common-page-size=16384", "--hash-style=both")
    subprocess.run([*_ZIG, "ld.lld", "-shared", "-soname", library.name, *layout, "-o", library, compiled], check=True)
    return library
