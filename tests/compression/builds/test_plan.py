"""Which variants a build makes: recipes x formats, and the controls."""

from __future__ import annotations

from pathlib import Path

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.compression.build_plan import PlannedVariant, distinct_recipes, plan_variants
from pocketbench.compression.data import DataSpec
from pocketbench.compression.recipes import Recipe, load_recipe

DATA = DataSpec(train="train.npz")


def recipe(name: str, *steps: dict[str, object]) -> Recipe:
    return Recipe.model_validate({"version": 1, "name": name, "steps": list(steps)})


def plan(*recipes: Recipe, data: DataSpec = DATA, source="keras") -> dict[str, PlannedVariant]:
    planned = plan_variants(recipes, ["tflite", "onnx"], source, data)
    return {variant.name: variant for variant in planned}


def test_each_recipe_in_each_format_in_the_order_given():
    assert list(plan(load_recipe("int8"), load_recipe("float32"))) == [
        "int8-tflite",
        "int8-onnx",
        "float32-tflite",
        "float32-onnx",
    ]


def test_recipes_that_train_alike_share_one_control_per_format():
    training = {"epochs": 3, "learning_rate": 0.01}
    planned = plan(
        recipe("a", {"prune-channels": {}}, {"finetune": training}),
        recipe("b", {"finetune": training}, {"quantize": {"scheme": "int8"}}),
        recipe("c", {"prune-weights": {"sparsity": 0.5, **training}}),
        recipe("d", {"quantize": {"scheme": "float16"}}),
    )

    assert [name for name, variant in planned.items() if variant.role == "control"] == [
        "control-tflite",
        "control-onnx",
    ]
    assert {name: variant.control for name, variant in planned.items() if variant.format == "onnx"} == {
        "a-onnx": "control-onnx",
        "b-onnx": "control-onnx",
        "c-onnx": "control-onnx",
        "d-onnx": None,
        "control-onnx": None,
    }
    (step,) = planned["control-onnx"].recipe.steps
    assert step.name == "finetune"
    assert step.options.model_dump()["epochs"] == 3
    assert step.options.model_dump()["learning_rate"] == 0.01


def test_each_distinct_training_has_its_own_control():
    planned = plan(
        recipe("a", {"finetune": {"epochs": 3}}),
        recipe("b", {"finetune": {"epochs": 5}}),
        recipe("c", {"finetune": {"epochs": 5, "optimizer": "sgd"}}),
        recipe("d", {"finetune": {"epochs": 2}}, {"finetune": {"epochs": 1}}),
    )

    controls = {variant.control for variant in planned.values() if variant.format == "onnx" and variant.control}
    assert controls == {
        "control-3-epochs-onnx",
        "control-5-epochs-onnx",
        "control-5-epochs-2-onnx",
        "control-3-epochs-2-onnx",
    }
    assert controls == {name for name, variant in planned.items() if variant.role == "control" and "onnx" in name}


def test_steps_without_epochs_need_no_control():
    planned = plan(recipe("a", {"prune-weights": {"epochs": 0}}), data=DataSpec())

    assert [variant.control for variant in planned.values()] == [None, None]


@pytest.mark.parametrize("name", ["int8", "int16x8"])
def test_ranges_are_learnt_from_calibration_or_training_data(name: str):
    for data in (DataSpec(train="a.npz"), DataSpec(calibration="a.npz")):
        assert plan(load_recipe(name), data=data)[f"{name}-onnx"].problem is None
    problem = plan(load_recipe("float32"), load_recipe(name), data=DataSpec())[f"{name}-onnx"].problem
    assert problem is not None
    assert problem.stage == "data"
    assert "calibration or training data, got none" in problem.reason


def test_what_cannot_be_made_has_a_problem_and_no_control():
    planned = plan(load_recipe("float32"), load_recipe("prune-channels"), source="onnx")

    problem = planned["prune-channels-onnx"].problem
    assert problem is not None
    assert problem.stage == "recipe"
    assert "'prune-channels', 'finetune'" in problem.reason
    assert planned["prune-channels-onnx"].control is None
    assert [variant.role for variant in planned.values()] == ["variant"] * 4


@pytest.mark.parametrize(
    ("names", "source", "words"),
    [
        pytest.param(["int8"], "keras", "give calibration or training data", id="int8"),
        pytest.param(
            ["prune-channels", "int8"], "keras", r"trains: give training data, got none\. the recipe 'int8'", id="two"
        ),
        pytest.param(["low-rank"], "onnx", "expected a Keras model for the steps 'low-rank', 'finetune'", id="onnx"),
    ],
)
def test_nothing_is_planned_where_no_recipe_can_be_made(names: list[str], source, words: str):
    with pytest.raises(InputError, match=f"no recipe can be made: .*{words}"):
        plan(*map(load_recipe, names), data=DataSpec(), source=source)


def test_a_recipe_given_twice_counts_once(tmp_path: Path):
    same = tmp_path / "same.yaml"
    same.write_text("version: 1\nname: float16\nsteps: [{quantize: {scheme: float16}}]\n")

    assert [found.name for found in distinct_recipes(["float16", "float32", "float16", same])] == ["float16", "float32"]


def test_two_recipes_of_one_name_are_refused(tmp_path: Path):
    other = tmp_path / "other.yaml"
    other.write_text("version: 1\nname: float16\nsteps: [{quantize: {scheme: int8}}]\n")

    with pytest.raises(InputError, match=r"'float16' from 'float16' and from '.*other\.yaml' with other steps"):
        distinct_recipes(["float16", other])
    with pytest.raises(InputError, match="at least one recipe, got none"):
        distinct_recipes([])
