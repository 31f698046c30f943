"""What every step shares: its error, and the options of steps that train."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field

from pocketbench.checked.errors import PocketbenchError, nearest
from pocketbench.checked.yaml import Strict

__all__ = ["StepError", "TrainingOptions", "excluded", "refuse_unknown_patterns"]


class StepError(PocketbenchError):
    """A step cannot do what it was asked with this model or this data, or what it made failed its proof."""


class TrainingOptions(Strict):
    """How a step trains. The learning rate falls to 0 along a cosine (`schedule: cosine`) or stays (`constant`)."""

    epochs: int = Field(default=12, ge=0)
    learning_rate: float = Field(default=1e-3, gt=0)
    batch_size: int = Field(default=32, ge=1)
    optimizer: Literal["adam", "sgd"] = "adam"
    schedule: Literal["cosine", "constant"] = "cosine"
    loss: str | None = None
    """A loss of Keras by name. Default: the one the model was compiled with, else inferred from labels and output."""


def excluded(name: str, patterns: Sequence[str]) -> bool:
    """True where the layer `name` matches one of the shell-style `patterns`."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def refuse_unknown_patterns(patterns: Sequence[str], names: Sequence[str]) -> None:
    """Raise StepError for a pattern that matches no layer: it would protect nothing."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise StepError(
                f"expected `exclude` to name layers of the model, got {pattern!r}; {nearest(pattern, names)}."
            )
