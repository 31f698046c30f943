"""The engine builds of this computer: the libraries inside the installed ai-edge-litert and onnxruntime packages.

The packages are located, never imported: the runner loads their library by itself, so what is measured is the library
alone.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import platform as host
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pocketbench.checked.errors import InputError
from pocketbench.compression.manifest import sha256_of
from pocketbench.harness.engines.target import linux_platform

__all__ = [
    "DISPLAY_NAMES",
    "ENGINE_NAMES",
    "EngineBuild",
    "EngineName",
    "engine_for_format",
    "engine_name",
    "host_platform",
    "library_digest",
    "local_engine",
]

EngineName = Literal["litert", "onnxruntime"]
ENGINE_NAMES: tuple[EngineName, ...] = ("litert", "onnxruntime")
DISPLAY_NAMES: dict[str, str] = {"litert": "LiteRT", "onnxruntime": "ONNX Runtime"}
_ENGINE_OF_FORMAT: dict[str, EngineName] = {"onnx": "onnxruntime", "tflite": "litert"}
_MACHINES = {"aarch64": "aarch64", "amd64": "x86_64", "arm64": "aarch64", "x86_64": "x86_64"}


@dataclass(frozen=True, slots=True)
class _Source:
    """Where an engine's library is: the import package, a pattern below it, the distributions that may bring it."""

    package: str
    pattern: str
    distributions: tuple[str, ...]


_SOURCES: dict[EngineName, _Source] = {
    "litert": _Source("ai_edge_litert", "libLiteRt.so", ("ai-edge-litert", "ai-edge-litert-nightly")),
    "onnxruntime": _Source("onnxruntime", "capi/libonnxruntime.so.*", ("onnxruntime", "onnxruntime-gpu")),
}


@dataclass(frozen=True, slots=True)
class EngineBuild:
    """One build of an inference library: files on this computer, named so that a result can be traced to them.

    `platform` is what the device must be. `libraries` are files that must lie beside `library` on the device. Where
    there is a `loader`, the runner is started by it (`loader --library-path FOLDER runner …`): then `libraries` hold a
    C library too, and nothing of the device's own is used.
    """

    engine_id: str
    name: EngineName
    version: str
    platform: str
    library: Path
    sha256: str
    libraries: tuple[Path, ...] = ()
    loader: Path | None = None

    @property
    def runner_platform(self) -> str:
        """Which build of the runner loads it: with a carried C library it is the one for Linux, on Android too."""
        return self.platform if self.loader is None else linux_platform(self.platform)


def engine_for_format(format: str) -> EngineName:  # noqa: A002 the word of the file and the tables
    """Name of the engine that runs `.tflite` or `.onnx`; InputError for another format."""
    if format not in _ENGINE_OF_FORMAT:
        raise InputError(f"expected the format {' or '.join(map(repr, sorted(_ENGINE_OF_FORMAT)))}, got {format!r}.")
    return _ENGINE_OF_FORMAT[format]


def host_platform() -> str:
    """`linux-x86_64` or `linux-aarch64`; InputError elsewhere, since the runner exists for these only."""
    machine = _MACHINES.get(host.machine().lower())
    if not sys.platform.startswith("linux") or machine is None:
        raise InputError(
            f"expected a Linux computer with x86_64 or aarch64 to measure on, got {sys.platform} on "
            f"{host.machine() or 'an unknown machine'}: measure on another device."
        )
    return f"linux-{machine}"


def local_engine(name: str) -> EngineBuild:
    """The build inside the installed Python package; InputError with what to install where there is none."""
    name = engine_name(name)
    source = _SOURCES[name]
    library = _library(name, source)
    digest = library_digest(library)
    version, system = _version(source, library), host_platform()
    return EngineBuild(f"{name}-{version}-{system}-{digest[:12]}", name, version, system, library, digest)


def engine_name(name: str) -> EngineName:
    """`name` where it is an engine's; InputError for another."""
    for known in ENGINE_NAMES:
        if name == known:
            return known
    raise InputError(f"expected an engine ({', '.join(ENGINE_NAMES)}), got {name!r}.")


def _library(name: EngineName, source: _Source) -> Path:
    spec = importlib.util.find_spec(source.package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise InputError(
            f"expected the package {source.distributions[0]!r} for {DISPLAY_NAMES[name]}, which is not installed: "
            f"run `pip install {source.distributions[0]}`."
        )
    found = sorted(path for folder in folders for path in Path(folder).glob(source.pattern))
    if not found:
        raise InputError(
            f"expected {source.pattern} in {folders[0]}, got none (older packages have no stand-alone library): "
            f"run `pip install --upgrade {source.distributions[0]}`."
        )
    return found[-1]


def _version(source: _Source, library: Path) -> str:
    for distribution in source.distributions:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    # libonnxruntime.so.1.32.0: a package under another name
    match = re.search(r"\.so\.(\d+(?:\.\d+)+)$", library.name)
    return match[1] if match else "unknown"


def library_digest(library: Path) -> str:
    """Hex sha256 of a library, hashed once per state of the file: it has tens of megabytes."""
    facts = library.stat()
    return _digest(library, facts.st_mtime_ns, facts.st_size)


@functools.lru_cache(maxsize=32)
def _digest(library: Path, _mtime_ns: int, _size: int) -> str:
    return sha256_of(library)
