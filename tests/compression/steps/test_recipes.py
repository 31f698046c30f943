"""The recipes that pocketbench has, against the steps they name."""

from __future__ import annotations

import pytest

from pocketbench.compression.build_plan import plan_variants
from pocketbench.compression.data import DataSpec
from pocketbench.compression.recipes import RECIPES, load_recipe


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_loads_under_its_own_name_and_says_what_it_does(name: str):
    recipe = load_recipe(name)

    assert recipe.name == name
    assert recipe.description.endswith(".")


def test_the_recipes_that_train_are_held_against_one_control():
    """One more training for all: each control takes as long as a variant."""
    recipes = [load_recipe(name) for name in RECIPES]

    planned = plan_variants(recipes, ["tflite"], "keras", DataSpec.model_validate({"train": "train.npz"}))

    controls = [variant.name for variant in planned if variant.role == "control"]
    trained = [variant.name for variant in planned if variant.control]
    assert controls == ["control-tflite"]
    assert trained == ["prune-weights-tflite", "prune-channels-tflite", "low-rank-tflite"]
