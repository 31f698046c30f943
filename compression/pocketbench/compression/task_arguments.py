"""What each task of a build is told; plain data, since it is pickled into a worker process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pocketbench.compression.data import DataSpec
from pocketbench.compression.manifest import Format
from pocketbench.compression.recipes import RecipeStep

__all__ = ["ConvertArguments", "ExportArguments", "InspectArguments", "LoadArguments", "SourceArguments", "step_dumps"]


@dataclass(frozen=True, slots=True)
class InspectArguments:
    """Look at the model."""

    model: Path


@dataclass(frozen=True, slots=True)
class LoadArguments:
    """Load the data and check that it fits the model."""

    data: DataSpec
    seed: int


@dataclass(frozen=True, slots=True)
class SourceArguments:
    """Make the model of a variant: the user's own, or changed and trained by `steps`."""

    model: Path
    data: Path
    steps: tuple[RecipeStep, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class ExportArguments:
    """Write the model as a float32 file; `sparse` stores tensors that are mostly zeros as such."""

    model: Path
    format: Format
    sparse: bool


@dataclass(frozen=True, slots=True)
class ConvertArguments:
    """Make a variant's file from the float32 one, check it, and judge it."""

    data: Path
    format: Format
    steps: tuple[RecipeStep, ...]
    seed: int
    metric: str | None


def step_dumps(steps: tuple[RecipeStep, ...]) -> list[dict[str, Any]]:
    """The steps as JSON, defaults filled in."""
    return [step.model_dump(mode="json") for step in steps]
