"""Every step there is. A new one is a file beside this one and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pocketbench.checked.yaml import Strict
from pocketbench.compression.manifest import StepReport
from pocketbench.compression.steps import finetune, low_rank, prune_channels, prune_weights, quantize
from pocketbench.compression.steps.state import KerasState, StepContext, TrainingData

__all__ = ["FILE_STEPS", "MODEL_STEPS", "FileStep", "ModelStep"]


@dataclass(frozen=True, slots=True)
class ModelStep:
    """Changes a Keras model: `apply(state, options, data, context)` gives a new state and a report."""

    options: type[Strict]
    apply: Callable[[KerasState, Any, TrainingData, StepContext], tuple[KerasState, StepReport]]


@dataclass(frozen=True, slots=True)
class FileStep:
    """Changes the written file: `apply(source, target, format, options, calibration, seed)` gives a report."""

    options: type[Strict]
    apply: Callable[..., StepReport]


MODEL_STEPS: dict[str, ModelStep] = {
    "finetune": ModelStep(finetune.Options, finetune.apply),
    "low-rank": ModelStep(low_rank.Options, low_rank.apply),
    "prune-channels": ModelStep(prune_channels.Options, prune_channels.apply),
    "prune-weights": ModelStep(prune_weights.Options, prune_weights.apply),
}

FILE_STEPS: dict[str, FileStep] = {
    "quantize": FileStep(quantize.Options, quantize.apply),
}
