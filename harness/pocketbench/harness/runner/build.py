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
from pathlib import Path

__all__ = ["PLATFORMS", "BuildError", "build", "fingerprint", "is_current"]

# glibc 2.17 (2012) is the oldest that zig can target for both, and older than any board's that we know.
PLATFORMS = {
    "linux-aarch64": "aarch64-linux-gnu.2.17",
    "linux-x86_64": "x86_64-linux-gnu.2.17",
}
PROGRAM = "pocketbench-runner"

# -mcpu=baseline and no debug information, build id or path: nothing of this computer gets into the file.
# zig cc checks for undefined behaviour by default, which needs a runtime library: off.
_FLAGS = (
    *("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g0", "-s", "-fPIE", "-pie", "-mcpu=baseline"),
    *("-fno-sanitize=all", "-fno-stack-protector", "-Wall", "-Wextra", "-Werror", "-Wl,--build-id=none"),
)
_TIMEOUT_S = 600.0  # zig's first build for a target compiles its C library's start files


class BuildError(Exception):
    """The runner could not be built; the message says why."""


def fingerprint(sources: Path) -> str:
    """What a binary is made from: every source file and the flags."""
    digest = hashlib.sha256(repr((_FLAGS, sorted(PLATFORMS.items()))).encode())
    for path in sorted(sources.glob("*.[ch]")):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
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
        fresh = Path(folder) / PROGRAM
        files = sorted(path.name for path in sources.glob("*.c"))
        command = [sys.executable, "-m", "ziglang", "cc", "-target", PLATFORMS[platform], *_FLAGS]
        try:
            completed = subprocess.run(
                [*command, "-o", str(fresh), *files, "-ldl"],
                cwd=sources,
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
        fresh.chmod(0o755)
        fresh.replace(binary)
    _stamp(binary).write_text(made_from, encoding="ascii")


def _stamp(binary: Path) -> Path:
    return binary.with_name(f"{binary.name}.sources")
