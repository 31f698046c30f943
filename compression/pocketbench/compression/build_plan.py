"""Which variants a build makes, and which of them cannot be made, before anything runs.

A variant is a recipe in a format. Each distinct way of training among the recipes gets a control per format: the base
model, trained equally longer and not compressed, since further training alone moves accuracy in either direction.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pocketbench.checked.errors import InputError
from pocketbench.compression.data import DataSpec
from pocketbench.compression.manifest import Failure, Format
from pocketbench.compression.recipes import Recipe, load_recipe
from pocketbench.compression.steps.base import TrainingOptions
from pocketbench.compression.steps.quantize import Options as QuantizeOptions
from pocketbench.compression.steps.quantize import needs_calibration
from pocketbench.compression.task_arguments import step_dumps

__all__ = ["PlannedVariant", "distinct_recipes", "plan_variants"]

Trainings = tuple[TrainingOptions, ...]


@dataclass(frozen=True, slots=True)
class PlannedVariant:
    """`problem` is there where it is known without trying that it cannot be made."""

    name: str
    format: Format
    recipe: Recipe
    role: Literal["variant", "control"] = "variant"
    control: str | None = None
    problem: Failure | None = None


def distinct_recipes(names: Sequence[str | Path]) -> list[Recipe]:
    """Load recipes; the same one given twice counts once, two that only share their name are refused."""
    if not names:
        raise InputError("expected at least one recipe, got none.")
    found: dict[str, tuple[Recipe, str]] = {}
    for name in names:
        recipe = load_recipe(name)
        other, origin = found.setdefault(recipe.name, (recipe, str(name)))
        if step_dumps(other.steps) != step_dumps(recipe.steps):
            raise InputError(
                f"expected recipes of different names, got {recipe.name!r} from {origin!r} and from {str(name)!r} with "
                "other steps: rename one of them."
            )
    return [recipe for recipe, _ in found.values()]


def plan_variants(
    recipes: Sequence[Recipe], formats: Sequence[Format], source: Literal["keras", "onnx"], data: DataSpec
) -> list[PlannedVariant]:
    """The variants in the order of `recipes`, then the controls.

    Raises InputError where no recipe can be made, most often as there is no data for it.
    """
    problems = {recipe.name: _problem(recipe, source, data) for recipe in recipes}
    if all(problems.values()):
        reasons = dict.fromkeys(problem.reason for problem in problems.values() if problem)
        raise InputError(f"no recipe can be made: {' '.join(reasons)}")
    trained = [recipe for recipe in recipes if recipe.trainings and not problems[recipe.name]]
    controls = _controls(list(dict.fromkeys(recipe.trainings for recipe in trained)))
    planned = [
        PlannedVariant(
            name=f"{recipe.name}-{file_format}",
            format=file_format,
            recipe=recipe,
            control=f"{controls[recipe.trainings].name}-{file_format}" if recipe in trained else None,
            problem=problems[recipe.name],
        )
        for recipe in recipes
        for file_format in formats
    ]
    return planned + [
        PlannedVariant(name=f"{control.name}-{file_format}", format=file_format, recipe=control, role="control")
        for control in controls.values()
        for file_format in formats
    ]


def _problem(recipe: Recipe, source: Literal["keras", "onnx"], data: DataSpec) -> Failure | None:
    if recipe.model_steps and source == "onnx":
        names = ", ".join(repr(step.name) for step in recipe.model_steps)
        return Failure(
            stage="recipe",
            reason=f"expected a Keras model for the steps {names} of the recipe {recipe.name!r}, got an ONNX file, "
            "which cannot be trained here: give the .keras model, or choose recipes that only quantize.",
        )
    if recipe.trainings and data.train is None:
        return Failure(stage="data", reason=f"the recipe {recipe.name!r} trains: give training data, got none.")
    static = any(
        isinstance(step.options, QuantizeOptions) and needs_calibration(step.options) for step in recipe.file_steps
    )
    if static and data.train is None and data.calibration is None:
        return Failure(
            stage="data",
            reason=f"the recipe {recipe.name!r} learns its ranges from data: give calibration or training "
            "data, got none.",
        )
    return None


def _controls(trainings: Sequence[Trainings]) -> dict[Trainings, Recipe]:
    """A recipe of plain fine-tuning for each way of training, named `control` where there is one way only."""
    controls: dict[Trainings, Recipe] = {}
    for training in trainings:
        epochs = sum(options.epochs for options in training)
        name = "control" if len(trainings) == 1 else f"control-{epochs}-epochs"
        taken = {control.name for control in controls.values()}
        unique = next(text for text in (name, *(f"{name}-{n}" for n in range(2, 1000))) if text not in taken)
        controls[training] = _control(unique, training, epochs)
    return controls


def _control(name: str, training: Trainings, epochs: int) -> Recipe:
    steps = [{"finetune": json.loads(options.model_dump_json())} for options in training]
    description = f"The base model trained for {epochs} more epochs and not compressed."
    # Not validated as a user's recipe: the name is reserved for this.
    return Recipe.model_construct(
        version=1,
        name=name,
        description=description,
        steps=tuple(Recipe.model_validate({"version": 1, "name": "x", "steps": steps}).steps),
    )
