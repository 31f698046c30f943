"""Libraries to add, each built once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engines.libraries import EXPORTS, build_library

LibraryMaker = Callable[..., Path]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> LibraryMaker:
    """library("libonnxruntime.so", machine="aarch64", libc="bionic", ...): as libraries.build_library.

    It exports what the runner needs of ONNX Runtime unless told otherwise.
    """
    made: dict[str, Path] = {}

    def library(name: str = "libonnxruntime.so", **options: Any) -> Path:
        options.setdefault("exports", EXPORTS["onnxruntime"])
        key = f"{name} {sorted(options.items())}"
        if key not in made:
            made[key] = build_library(tmp_path_factory.mktemp("library") / name, **options)
        return made[key]

    return library


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where engines are kept."""
    return tmp_path / "home" / "engines"
