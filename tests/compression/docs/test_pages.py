"""docs/recipes.md and docs/data.md say what the code says, and their examples run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pocketbench.compression.data import DataSpec, load_dataset
from pocketbench.compression.data_sources.images import SUFFIXES
from pocketbench.compression.dataset import Dataset
from pocketbench.compression.gate import FAIL_BELOW_DB, WARN_BELOW_DB
from pocketbench.compression.manifest import TensorFacts
from pocketbench.compression.metrics import load_metric
from pocketbench.compression.quantizers.schemes import SCHEMES
from pocketbench.compression.recipes import load_recipe, recipe_names
from pocketbench.compression.steps.registry import FILE_STEPS, MODEL_STEPS, FileStep, ModelStep

ROOT = Path(__file__).parents[3]
RECIPES_PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
DATA_PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
STEPS: dict[str, ModelStep | FileStep] = {**MODEL_STEPS, **FILE_STEPS}
IMAGE = TensorFacts(name="image", shape=(-1, 8, 8, 1), dtype="float32")


def section(page: str, heading: str) -> str:
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", page, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


def first_cells(text: str) -> dict[str, list[str]]:
    """First cell of each row of the tables in `text` → its other cells."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]
    return {row[0].strip("`"): row[1:] for row in rows}


@pytest.mark.parametrize("name", sorted(STEPS))
def test_every_option_of_a_step_is_told_with_its_default(name: str):
    told = first_cells(section(RECIPES_PAGE, f"`{name}`"))
    fields = STEPS[name].options.model_fields

    assert sorted(told) == sorted(fields)
    for option, field in fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        words = told[option][0].strip("`")
        if field.is_required():
            assert words == "required"
        elif (name, option) == ("low-rank", "ratio"):  # filled in where neither ratio nor energy is given
            assert words == str(load_recipe_step(name)["ratio"])
        else:
            assert words == {None: "none", (): "[]"}.get(default, str(default)), option


def load_recipe_step(name: str) -> dict[str, object]:
    return dict(STEPS[name].options.model_validate({}).model_dump())


def test_every_step_is_told():
    assert sorted(re.findall(r"^### `(.*)`$", RECIPES_PAGE, re.MULTILINE)) == sorted(STEPS)


def test_every_recipe_is_told_and_measured():
    told = first_cells(section(RECIPES_PAGE, "The recipes that pocketbench has"))

    assert set(recipe_names()) <= set(told)
    measured = re.findall(r"^\| `([\w-]+)` (?:\| [\d.]+ ){6}\|$", RECIPES_PAGE, re.MULTILINE)
    assert measured == [*recipe_names(), "control"]


def test_every_scheme_and_every_limit_of_the_gate_is_told():
    assert all(f"`{scheme}`" in section(RECIPES_PAGE, "`quantize`") for scheme in SCHEMES)
    gate = section(RECIPES_PAGE, "The gate")
    for limits in (FAIL_BELOW_DB, WARN_BELOW_DB):
        assert all(f"{limit:.0f} dB" in gate for limit in limits.values())


def test_the_recipe_of_the_page_is_valid(tmp_path: Path):
    """It is built in tests/compression/builds/test_keras_build.py."""
    (block,) = re.findall(r"```yaml\n(.*?)```", RECIPES_PAGE, re.DOTALL)
    (tmp_path / "small-int8.yaml").write_text(block)

    recipe = load_recipe(tmp_path / "small-int8.yaml")

    assert [step.name for step in recipe.steps] == ["prune-channels", "finetune", "quantize"]


def test_every_key_of_the_data_is_told():
    assert sorted(first_cells(DATA_PAGE.split("## ")[0])) == sorted(DataSpec.model_fields)
    assert set(SUFFIXES) <= set(section(DATA_PAGE, "A folder of images by class").replace(",", "").split())


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The Python files of the page, in the current folder."""
    for name, code in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", DATA_PAGE, re.DOTALL):
        (tmp_path / name).write_text(code)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my_data.py", "my_metric.py", "write_npz.py"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    for name in ("my_data", "my_metric"):
        sys.modules.pop(name, None)


def load(source: str) -> Dataset:
    return load_dataset(source, [IMAGE])


@pytest.mark.usefixtures("examples")
def test_the_functions_of_the_page_give_data():
    training = load("python:my_data.training")

    assert len(training) == 40
    assert training.fingerprint() == load("python:my_data.named").fingerprint()
    assert training.fingerprint() == load("python:my_data.streamed").fingerprint()
    assert load("python:my_data.calibration").labels is None


def test_the_archive_of_the_page_gives_data(examples: Path):
    subprocess.run([sys.executable, "write_npz.py"], cwd=examples, check=True, env=dict(os.environ))

    assert load("train.npz").fingerprint() == load("python:my_data.training").fingerprint()


def test_the_folder_of_the_page_gives_data(tmp_path: Path):
    for name in re.findall(r"^    (images/\w+/\w+\.\w+)$", DATA_PAGE, re.MULTILINE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 10)).save(tmp_path / name)

    labels = load(str(tmp_path / "images")).labels

    assert labels is not None
    assert labels.tolist() == [0, 0, 1]


@pytest.mark.usefixtures("examples")
def test_the_metric_of_the_page_gives_a_number():
    metric = load_metric("python:my_metric.share_of_zeros_found")

    value = metric.compute([np.eye(3)[[0, 0, 1, 2]]], np.array([0, 1, 0, 2]))

    assert (value.value, value.low, metric.higher_is_better) == (0.5, None, True)
