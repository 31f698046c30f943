"""What is handed from step to step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

__all__ = ["KerasState", "StepContext", "TrainingData"]


@dataclass(frozen=True, slots=True)
class KerasState:
    """A Keras model on its way. A step returns a new one and leaves the model it was given as it was.

    `masks`: by path of a variable (`conv1/kernel`), True where a weight lives. What a mask prunes is exactly zero,
    and stays so in every later training.
    """

    model: keras.Model
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Samples along the first axis: one array for each input of the model, and labels where there are any.

    `inputs` may be empty: steps that train refuse that, others leave out what they would use it for.
    """

    inputs: tuple[np.ndarray, ...] = ()
    labels: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class StepContext:
    """`seed` decides every random choice; `progress(message, fraction)` is called while a step works."""

    seed: int = 0
    progress: Callable[[str, float], None] = lambda message, fraction: None
