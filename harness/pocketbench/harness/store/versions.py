"""Versions of what has a say in the figures, as installed here."""

from __future__ import annotations

import platform
from importlib import metadata

__all__ = ["library_versions", "pocketbench_version"]

# Engines are named by their build, see the table engines.
_LIBRARIES = ("ai-edge-litert", "keras", "numpy", "onnx", "onnxruntime", "scipy", "tensorflow", "tensorflow-cpu")


def pocketbench_version() -> str:
    """Version of the installed package; `source` where it runs from a checkout that was never installed."""
    return _installed("pocketbench") or "source"


def library_versions() -> dict[str, str]:
    """Versions by package name; what is not installed is not named."""
    versions = {name: version for name in _LIBRARIES if (version := _installed(name))}
    return {"python": platform.python_version(), **versions}


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
