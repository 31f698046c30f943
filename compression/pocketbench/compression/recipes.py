"""Recipes: ordered lists of steps in YAML.

    version: 1
    name: small-int8
    description: Half of the channels, fine-tuned, then int8.
    steps:
      - prune-channels: {ratio: 0.5}
      - finetune: {epochs: 8}
      - quantize: {scheme: int8}

Steps that change the model come first, steps that change the written file after them. A recipe without steps is the
model as it is, in float32.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, create_model, field_validator, model_serializer, model_validator

from pocketbench.checked.errors import InputError, nearest
from pocketbench.checked.yaml import Strict, load_yaml, parse_yaml
from pocketbench.compression.steps.base import TrainingOptions
from pocketbench.compression.steps.registry import FILE_STEPS, MODEL_STEPS

__all__ = ["RECIPES", "Recipe", "RecipeStep", "load_recipe", "recipe_names"]

# In the order in which they are shown: as it is, fewer bits, fewer weights.
RECIPES = (
    "float32",
    "float16",
    "int8-dynamic",
    "int8",
    "int16x8",
    "prune-weights",
    "prune-channels",
    "low-rank",
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class RecipeStep(Strict):
    """One step: in YAML a mapping of its name to its options (`- quantize: {scheme: int8}`)."""

    @model_validator(mode="before")
    @classmethod
    def _one_known_name(cls, value: Any) -> Any:
        """Refuse an unknown step by name; take a bare name as the step with its defaults."""
        value = {value: {}} if isinstance(value, str) else value
        if not (isinstance(value, dict) and len(value) == 1):
            raise ValueError(f"expected one step with its options, such as `- finetune: {{epochs: 8}}`, got {value!r}")
        ((name, options),) = value.items()
        if name not in cls.model_fields:
            raise ValueError(f"unknown step {name!r}; {nearest(str(name), cls.model_fields)}")
        return {name: {} if options is None else options}

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        return {self.name: self.options.model_dump(mode="json")}

    @property
    def name(self) -> str:
        """Name of the step in the registry."""
        (name,) = self.model_fields_set
        return name

    @property
    def options(self) -> Strict:
        """Its options, checked, with defaults filled in."""
        options: Strict = getattr(self, self.name)
        return options

    @property
    def training(self) -> TrainingOptions | None:
        """How the step trains; None where it does not."""
        options = self.options
        return options if isinstance(options, TrainingOptions) and options.epochs > 0 else None


if TYPE_CHECKING:
    _AnyStep = RecipeStep
else:  # a field for each step of the registry, so that pydantic names the line of a wrong option
    _AnyStep = create_model(
        "_AnyStep",
        __base__=RecipeStep,
        __module__=__name__,  # where pickle finds it: steps travel to worker processes
        **{name: (kind.options | None, None) for name, kind in sorted({**FILE_STEPS, **MODEL_STEPS}.items())},
    )


class Recipe(Strict):
    """A named list of steps. The name is part of file names: letters, digits, dots, dashes, underscores."""

    version: Literal[1]
    name: str
    description: str = Field(default="", max_length=500)
    steps: tuple[_AnyStep, ...] = ()

    @field_validator("name")
    @classmethod
    def _safe_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(
                "expected a name of at most 64 letters, digits, dots, dashes and underscores that starts with a letter "
                f"or digit, got {name!r}"
            )
        if name == "control" or name.startswith("control-"):
            raise ValueError(f"expected another name than that of the controls pocketbench makes, got {name!r}")
        return name

    @field_validator("steps")
    @classmethod
    def _in_order(cls, steps: tuple[RecipeStep, ...]) -> tuple[RecipeStep, ...]:
        names = [step.name for step in steps]
        first_file = next((place for place, name in enumerate(names) if name in FILE_STEPS), len(names))
        late = [name for name in names[first_file:] if name in MODEL_STEPS]
        if late:
            raise ValueError(
                f"expected the steps that change the model before those that change the file, "
                f"got {late[0]!r} after {names[first_file]!r}: a file that is written cannot be trained"
            )
        if names.count("quantize") > 1:
            raise ValueError(f"expected at most one 'quantize', got {names.count('quantize')}")
        return steps

    @property
    def model_steps(self) -> tuple[RecipeStep, ...]:
        """Steps that change the Keras model."""
        return tuple(step for step in self.steps if step.name in MODEL_STEPS)

    @property
    def file_steps(self) -> tuple[RecipeStep, ...]:
        """Steps that change the written file."""
        return tuple(step for step in self.steps if step.name in FILE_STEPS)

    @property
    def trainings(self) -> tuple[TrainingOptions, ...]:
        """How its steps train, in order; empty for a recipe that does not train."""
        return tuple(_trainings(self.model_steps))


def recipe_names() -> list[str]:
    """Names of the recipes that pocketbench has."""
    return list(RECIPES)


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Load a recipe of pocketbench by its name, or one of the user's from a YAML file.

    Raises InputError with the nearest names for an unknown one, with file and line for anything else.
    """
    text = str(name_or_path)
    if text in RECIPES:
        source = resources.files("pocketbench.compression") / "recipe_data" / f"{text}.yaml"
        return parse_yaml(source.read_text(encoding="utf-8"), Recipe, source=f"{text}.yaml")
    if text.endswith((".yaml", ".yml")) or "/" in text or Path(text).is_file():
        return load_yaml(Path(text), Recipe)
    raise InputError(f"expected a recipe or a YAML file, got {text!r}; {nearest(text, RECIPES)}.")


def _trainings(steps: tuple[RecipeStep, ...]) -> Iterator[TrainingOptions]:
    for step in steps:
        if step.training:
            yield TrainingOptions(**{name: getattr(step.training, name) for name in TrainingOptions.model_fields})
