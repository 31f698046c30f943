"""Build the runner with the `ziglang` package: for every platform, on any Linux computer, always the same bytes.

Imports nothing of pocketbench and nothing that is not in the standard library: the build hook of the wheel loads this
file by path, before anything is installed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "PLATFORMS",
    "PROGRAM",
    "BuildError",
    "Symbol",
    "build",
    "fingerprint",
    "is_android",
    "is_current",
    "symbols",
]

# glibc 2.17 (2012) is the oldest that zig can target for both, and older than any board's that we know. zig has neither
# headers nor libraries of Android's C library: musl's headers serve (src/android/bionic.h), and libraries that hold
# nothing but names (_link_android).
PLATFORMS = {
    "android-arm64": "aarch64-linux-musl",
    "android-x86_64": "x86_64-linux-musl",
    "linux-aarch64": "aarch64-linux-gnu.2.17",
    "linux-x86_64": "x86_64-linux-gnu.2.17",
}
PROGRAM = "pocketbench-runner"

# -mcpu=baseline and no debug information, build id or path: nothing of this computer gets into the file.
# zig cc checks for undefined behaviour by default, which needs a runtime library: off.
_COMPILE = (
    *("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g0", "-fPIE", "-mcpu=baseline"),
    *("-fno-sanitize=all", "-fno-stack-protector", "-Wall", "-Wextra", "-Werror"),
)
_LINK = ("-s", "-pie", "-Wl,--build-id=none")
# The compiler believes that every C library for Linux has bcmp(): Android's has it not.
_COMPILE_ANDROID = ("-include", "android/bionic.h", "-fno-builtin-bcmp")
# Pages have 16 KiB on newer phones: segments, and what becomes read-only after start, have to end where pages do.
_LINK_ANDROID = (
    *("-pie", "-dynamic-linker", "/system/bin/linker64", "-s", "--build-id=none", "--hash-style=both"),
    *("-z", "max-page-size=16384", "-z", "common-page-size=16384", "-z", "now", "-z", "relro"),
)
_TIMEOUT_S = 600.0  # zig's first build for a target compiles its C library's start files


class BuildError(Exception):
    """The runner could not be built; the message says why."""


class Symbol(NamedTuple):
    """A line of src/android/symbols.txt: `kind` is function or variable, `api` the first level that has it."""

    library: str
    name: str
    kind: str
    api: int


def is_android(platform: str) -> bool:
    """True for the platforms whose C library is bionic."""
    return platform.startswith("android-")


def symbols(sources: Path) -> tuple[Symbol, ...]:
    """What the runner may use of Android's C library."""
    lines = (sources / "android" / "symbols.txt").read_text(encoding="ascii").splitlines()
    fields = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return tuple(Symbol(library, name, kind, int(api)) for library, name, kind, api in fields)


def fingerprint(sources: Path) -> str:
    """What a binary is made from: every source file and the flags."""
    flags = (_COMPILE, _LINK, _COMPILE_ANDROID, _LINK_ANDROID, sorted(PLATFORMS.items()))
    digest = hashlib.sha256(repr(flags).encode())
    for path in sorted((*sources.glob("*.[ch]"), *sources.glob("android/*"))):
        digest.update(f"{path.relative_to(sources).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_current(sources: Path, binary: Path) -> bool:
    """True where `binary` was built from what `sources` holds now."""
    try:
        return binary.is_file() and _stamp(binary).read_text(encoding="ascii") == fingerprint(sources)
    except OSError:
        return False


def build(platform: str, sources: Path, binary: Path) -> None:
    """Compile and link; `binary` appears complete or not at all."""
    if importlib.util.find_spec("ziglang") is None:
        raise BuildError(
            f"building the runner for {platform} needs the package 'ziglang', which is not installed: "
            "run `pip install ziglang==0.17.1`"
        )
    binary.parent.mkdir(parents=True, exist_ok=True)
    made_from = fingerprint(sources)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=binary.parent) as folder:
        fresh = Path(folder).resolve() / PROGRAM
        link = _link_android if is_android(platform) else _link_linux
        link(platform, sources, fresh)
        fresh.chmod(0o755)
        fresh.replace(binary)
    _stamp(binary).write_text(made_from, encoding="ascii")


def _link_linux(platform: str, sources: Path, target: Path) -> None:
    _zig(platform, sources, *_cc(platform), *_LINK, "-o", str(target), *_c_files(sources), "-ldl")


def _link_android(platform: str, sources: Path, target: Path) -> None:
    """Link with libraries that have Android's names and no code: the real ones are on the device."""
    folder, program = target.parent, target.with_name("runner.o")
    files = (*_c_files(sources), "android/start.c")
    _zig(platform, sources, *_cc(platform), *_COMPILE_ANDROID, "-c", "-o", str(program), *files)
    by_library: dict[str, list[Symbol]] = {}
    for symbol in symbols(sources):
        by_library.setdefault(symbol.library, []).append(symbol)
    for name, wanted in by_library.items():
        (folder / f"{name}.s").write_text("".join(_defined(wanted)), encoding="ascii")
        _zig(platform, folder, "cc", "-target", PLATFORMS[platform], "-c", "-o", f"{name}.o", f"{name}.s")
        _zig(platform, folder, "ld.lld", "-shared", "-soname", name, "-o", name, f"{name}.o")
    _zig(platform, folder, "ld.lld", *_LINK_ANDROID, "-o", target.name, program.name, *by_library)


def _defined(wanted: list[Symbol]) -> Iterator[str]:
    """Assembly that gives each symbol an address and the size of a pointer, which all our variables are."""
    for symbol in wanted:
        kind = "object" if symbol.kind == "variable" else "function"
        yield f".globl {symbol.name}\n.type {symbol.name}, %{kind}\n.size {symbol.name}, 8\n{symbol.name}: .quad 0\n"


def _cc(platform: str) -> tuple[str, ...]:
    return ("cc", "-target", PLATFORMS[platform], *_COMPILE)


def _c_files(sources: Path) -> list[str]:
    return sorted(path.name for path in sources.glob("*.c"))


def _zig(platform: str, folder: Path, *arguments: str) -> None:
    try:
        completed = subprocess.run(
            [sys.executable, "-m", "ziglang", *arguments],
            cwd=folder,
            capture_output=True,
            check=False,
            env={**os.environ, "SOURCE_DATE_EPOCH": "0"},
            text=True,
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"expected zig to build the runner within {_TIMEOUT_S:g} s, got no end") from None
    if completed.returncode != 0:
        raise BuildError(f"zig could not build the runner for {platform}:\n{completed.stderr.strip()}")


def _stamp(binary: Path) -> Path:
    return binary.with_name(f"{binary.name}.sources")
