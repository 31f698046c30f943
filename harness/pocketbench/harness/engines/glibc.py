"""A C library to carry along: for boards whose own is too old for an engine, and for glibc builds on Android.

Debian and Ubuntu have the C library of another processor in packages for any computer. Where they are installed their
files are taken as they are; else apt downloads them from the sources that this computer has, and vouches for them by
its signed index. Nothing is installed. glibc is under the LGPL, libgcc and libstdc++ under the GPL with the runtime
exception: they are fetched, never shipped with pocketbench.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.compression.manifest import sha256_of
from pocketbench.harness.engines.pinned import GLIBC_PACKAGES

__all__ = ["LIBRARIES", "LOADERS", "GlibcBundle", "fetch_glibc"]

_TRIPLES = {"linux-aarch64": "aarch64-linux-gnu", "linux-x86_64": "x86_64-linux-gnu"}
LOADERS = {"linux-aarch64": "ld-linux-aarch64.so.1", "linux-x86_64": "ld-linux-x86-64.so.2"}
# What the engines and the runner ask for by name.
LIBRARIES = (
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libgcc_s.so.1",
    "libstdc++.so.6",
)
_TIMEOUT_S = 600.0
_SHOWN_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class GlibcBundle:
    """A loader and the libraries that belong to it; `digest` names all of their contents."""

    loader: Path
    libraries: tuple[Path, ...]
    digest: str


def fetch_glibc(platform: str, cache: Path, say: Callable[[str], None]) -> GlibcBundle:
    """The bundle for `platform`, in `cache` from then on; InputError with the remedy where it cannot be had."""
    folder = cache / f"glibc-{platform}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as scratch:
            source = _installed(platform) or _downloaded(platform, Path(scratch), say)
            fresh = Path(scratch) / "bundle"
            fresh.mkdir()
            for name in _names(platform):
                shutil.copyfile(source / name, fresh / name)
            try:
                fresh.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another process was faster
                    raise
    paths = [folder / name for name in _names(platform)]
    digest = hashlib.sha256("".join(f"{path.name} {sha256_of(path)}\n" for path in paths).encode())
    return GlibcBundle(paths[0], tuple(paths[1:]), digest.hexdigest())


def _names(platform: str) -> tuple[str, ...]:
    return (LOADERS[platform], *LIBRARIES)


def _installed(platform: str) -> Path | None:
    """Where Debian's packages for another processor put their files; None unless all are there."""
    folder = Path("/usr") / _TRIPLES[platform] / "lib"
    return folder if all((folder / name).is_file() for name in _names(platform)) else None


def _downloaded(platform: str, scratch: Path, say: Callable[[str], None]) -> Path:
    packages = GLIBC_PACKAGES[platform]
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise InputError(
            f"expected a C library for {platform} to carry along, got none: this needs Debian's packages "
            f"{' '.join(packages)}, which a Debian or Ubuntu computer downloads by itself. Copy the folder "
            f"engines/glibc-{platform} of pocketbench's home from such a computer."
        )
    say(f"fetching a C library for {platform} ({', '.join(packages)})")
    _run(["apt-get", "download", *packages], scratch, f"download {' '.join(packages)}")
    for package in sorted(scratch.glob("*.deb")):
        _run(["dpkg-deb", "--extract", package.name, "tree"], scratch, f"unpack {package.name}")
    folder = scratch / "tree" / "usr" / _TRIPLES[platform] / "lib"
    missing = [name for name in _names(platform) if not (folder / name).is_file()]
    if missing:
        raise InputError(f"expected {missing[0]} in {' '.join(packages)}, got none: is this another distribution?")
    return folder


def _run(command: list[str], folder: Path, purpose: str) -> None:
    completed = subprocess.run(
        command, cwd=folder, capture_output=True, check=False, text=True, errors="replace", timeout=_TIMEOUT_S
    )
    if completed.returncode != 0:
        said = " ".join(completed.stderr.split())[-_SHOWN_CHARACTERS:] or "no reason"
        raise InputError(f"expected to {purpose}, got: {said} Run `apt-get update` first, and check the network.")
