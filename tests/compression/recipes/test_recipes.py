from __future__ import annotations

from pathlib import Path

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.compression.recipes import RECIPES, Recipe, load_recipe, recipe_names


def write(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(f"version: 1\nname: own\nsteps:\n{text}", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_valid_and_is_named_after_its_file(name: str):
    recipe = load_recipe(name)

    assert recipe.name == name
    assert recipe.description.endswith(".")


def test_the_recipes_that_are_told_are_those_on_file():
    folder = Path(__file__).parents[3] / "compression/pocketbench/compression/recipe_data"

    assert sorted(recipe_names()) == sorted(path.stem for path in folder.glob("*.yaml"))


def test_steps_keep_their_order_and_fill_in_their_defaults(tmp_path: Path):
    recipe = load_recipe(
        write(tmp_path, "  - prune-channels: {ratio: 0.25}\n  - finetune\n  - quantize: {scheme: int8}\n")
    )

    assert [step.name for step in recipe.steps] == ["prune-channels", "finetune", "quantize"]
    assert [step.name for step in recipe.model_steps] == ["prune-channels", "finetune"]
    assert [step.name for step in recipe.file_steps] == ["quantize"]
    assert recipe.steps[0].options.model_dump()["round_to"] == 8
    assert recipe.steps[1].options.model_dump()["epochs"] == 12


def test_what_is_written_out_reads_as_the_same_recipe(tmp_path: Path):
    recipe = load_recipe(write(tmp_path, "  - finetune: {epochs: 3}\n  - quantize: {scheme: float16}\n"))

    assert Recipe.model_validate(recipe.model_dump(mode="json")) == recipe


def test_trainings_are_the_steps_that_train(tmp_path: Path):
    text = "  - prune-channels\n  - finetune: {epochs: 3, batch_size: 8}\n  - finetune: {epochs: 0}\n"

    assert [(options.epochs, options.batch_size) for options in load_recipe(write(tmp_path, text)).trainings] == [
        (3, 8)
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "  - quantise: {scheme: int8}\n", ["own.yaml:4", "'quantise'", "did you mean 'quantize'"], id="step"
        ),
        pytest.param(
            "  - finetune:\n      epoch: 3\n", ["own.yaml:5", "finetune.epoch", "did you mean 'epochs'"], id="option"
        ),
        pytest.param("  - quantize: {scheme: int9}\n", ["own.yaml:4", "scheme", "'int9'", "int8"], id="value"),
        pytest.param("  - quantize\n", ["own.yaml:4", "scheme", "missing"], id="missing"),
        pytest.param("  - finetune: {epochs: -1}\n", ["own.yaml:4", "epochs", "-1"], id="range"),
        pytest.param("  - {finetune: {}, quantize: {}}\n", ["own.yaml:4", "one step"], id="two in one"),
        pytest.param("  - 7\n", ["own.yaml:4", "one step", "7"], id="number"),
        pytest.param(
            "  - quantize: {scheme: int8}\n  - finetune\n", ["before", "'finetune' after 'quantize'"], id="order"
        ),
        pytest.param(
            "  - quantize: {scheme: int8}\n  - quantize: {scheme: int8}\n",
            ["at most one 'quantize'", "got 2"],
            id="twice",
        ),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(text: str, words: list[str], tmp_path: Path):
    with pytest.raises(InputError) as caught:
        load_recipe(write(tmp_path, text))

    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("version: 1\nname: a\nstep: []\n", ["own.yaml:3", "'step'", "'steps'"], id="unknown key"),
        pytest.param("version: 2\nname: a\n", ["own.yaml:1", "version", "2"], id="version"),
        pytest.param("version: 1\n", ["'name' is missing"], id="no name"),
        pytest.param("version: 1\nname: control\n", ["own.yaml:2", "another name", "'control'"], id="reserved"),
        pytest.param("version: 1\nname: control-8-epochs\n", ["own.yaml:2", "another name"], id="reserved prefix"),
        pytest.param("version: 1\nname: ../up\n", ["own.yaml:2", "'../up'", "letters"], id="path"),
        pytest.param(f"version: 1\nname: {'a' * 65}\n", ["own.yaml:2", "64"], id="long"),
        pytest.param("version: 1\nname: a\nname: b\n", ["own.yaml:3", "'name'", "twice"], id="key twice"),
        pytest.param("- float32\n", ["own.yaml:1"], id="list"),
        pytest.param("version: [1\n", ["own.yaml", "valid YAML"], id="no YAML"),
    ],
)
def test_a_document_that_is_no_recipe_is_refused(text: str, words: list[str], tmp_path: Path):
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(InputError) as caught:
        load_recipe(tmp_path / "own.yaml")

    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message


def test_an_unknown_recipe_is_answered_with_the_nearest_names():
    with pytest.raises(InputError, match="got 'int8-dinamic'; did you mean 'int8-dynamic'"):
        load_recipe("int8-dinamic")


def test_a_missing_file_is_named():
    with pytest.raises(InputError, match=r"got nowhere/own\.yaml: No such file"):
        load_recipe("nowhere/own.yaml")
