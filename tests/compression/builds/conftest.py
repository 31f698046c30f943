"""A model, its data, and one build of it that most tests look at."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pocketbench.compression.build import BuildProgress, BuiltVariant, build_variants
from pocketbench.compression.data import DataSpec
from pocketbench.compression.reference import FileModel, run_samples
from tests.compression.tiny import classifier, classifier_data, write_onnx

RECIPES = ("float32", "float16", "int8-dynamic", "int8", "int16x8")


@dataclass
class Build:
    """What a build of `model` gave: its variants by name, its folder, and the events on the way."""

    output: Path
    variants: dict[str, BuiltVariant]
    events: list[BuildProgress] = field(default_factory=list)

    def bytes(self) -> dict[str, bytes]:
        files = sorted(path for path in self.output.rglob("*") if path.is_file())
        return {str(path.relative_to(self.output)): path.read_bytes() for path in files}

    def messages(self) -> str:
        return "\n".join(event.message for event in self.events)


Builder = Callable[..., Build]


def build(model: Path, output: Path, **options: Any) -> Build:
    events: list[BuildProgress] = []
    defaults: dict[str, Any] = {"recipes": RECIPES, "formats": ["onnx"], "data": DataSpec(), "time_limit_s": 120.0}
    built = build_variants(model, output=output, progress=events.append, **{**defaults, **options})
    return Build(output, {variant.manifest.name: variant for variant in built}, events)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """model.onnx, train.npz and test.npz; exact.npz has the model's own outputs as labels."""
    folder = tmp_path_factory.mktemp("classifier")
    model = FileModel(write_onnx(folder, classifier()))
    classifier_data(folder)
    with np.load(folder / "test.npz") as test:
        np.savez(folder / "exact.npz", x=test["x"], y=run_samples(model, [test["x"]])[0])
    return folder


@pytest.fixture(scope="session")
def data(folder: Path) -> DataSpec:
    return DataSpec(train=str(folder / "train.npz"), evaluation=str(folder / "test.npz"))


@pytest.fixture(scope="session")
def cached(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def built(folder: Path, data: DataSpec, cached: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Every recipe of quantization, with the cache `cached`."""
    return build(folder / "model.onnx", tmp_path_factory.mktemp("built") / "variants", data=data, cache=cached)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.WARNING):
        yield caplog
