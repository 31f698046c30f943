"""Builds the stand-in for Android's dynamic linker and C library: android_stand_in/linker64.c says what it shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pocketbench.harness.runner import build

__all__ = ["build_linker", "sources"]

_RUNNER_SOURCES = Path(build.__file__).parent / "src"
_SOURCE = Path(__file__).parent / "android_stand_in" / "linker64.c"
# The kernel starts the interpreter of a program without a loader: it has to be static there, which musl can.
_LINKED = {
    "android-arm64": ("aarch64-linux-musl", ("-static", "-fPIE", "-pie")),
    "android-x86_64": ("x86_64-linux-gnu.2.17", ()),
}


def sources() -> tuple[Path, ...]:
    """What the stand-in is made from."""
    return (_SOURCE, _RUNNER_SOURCES / "android" / "symbols.txt")


def build_linker(platform: str, folder: Path) -> Path:
    """`linker64` for `platform` in `folder`; zig needs half a minute for the first one of arm64 on a machine."""
    target, how = _LINKED[platform]
    folder.mkdir(parents=True, exist_ok=True)
    macros = (f"{symbol.library.replace('.', '_')}({symbol.name})\n" for symbol in build.symbols(_RUNNER_SOURCES))
    (folder / "offers.h").write_text("".join(macros))
    linker = folder / "linker64"
    flags = ("-std=gnu11", "-D_GNU_SOURCE", "-O1", "-fno-sanitize=all", "-Wall", "-Wextra", "-Werror", *how)
    command = (sys.executable, "-m", "ziglang", "cc", "-target", target, *flags, "-I", str(folder))
    subprocess.run([*command, "-o", str(linker), str(_SOURCE)], check=True)
    return linker
