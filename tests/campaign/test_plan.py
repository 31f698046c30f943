"""Plans: what is read from YAML, what is refused and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.compression.data import DataSpec
from pocketbench.harness.campaign.plan import Plan, load_plan, plan_for_variants

FULL = """\
version: 1
name: my-model
model: models/model.keras
recipes: [float32, ./mine.yaml, other.yaml]
formats: [tflite]
data: {train: train.npz, calibration: "python:data.calibration", evaluation: /absolute/test.npz, metric: top-5}
devices: [local]
threads: [1, 2]
cores: [0]
reference: float32-tflite
rounds: 7
seed: 3
launch: {iterations: 50, min_time_s: 0.5}
time_limit_s: 60
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_are_relative_to_the_plan_and_names_are_no_paths(tmp_path: Path):
    plan = load_plan(write(tmp_path, FULL))

    assert plan.model == tmp_path / "models" / "model.keras"
    assert plan.recipes == ("float32", str(tmp_path / "mine.yaml"), str(tmp_path / "other.yaml"))
    assert plan.data.train == str(tmp_path / "train.npz")
    assert plan.data.calibration == "python:data.calibration"
    assert plan.data.evaluation == "/absolute/test.npz"


def test_a_plan_keeps_its_meaning_as_yaml(tmp_path: Path):
    plan = load_plan(write(tmp_path, FULL))

    (tmp_path / "elsewhere").mkdir()
    again = load_plan(write(tmp_path / "elsewhere", plan.to_yaml()))

    assert again == plan
    assert again.to_yaml() == plan.to_yaml()


def test_defaults_are_written_out(tmp_path: Path):
    text = load_plan(write(tmp_path, "version: 1\nname: x\nmodel: m.onnx\n")).to_yaml()

    assert "rounds: null" in text
    assert "precision: 0.01" in text
    assert "iterations: 100" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("version: 1\nname: x\n", "expected either 'model' or 'variants', got neither", id="nothing"),
        pytest.param(
            "version: 1\nname: x\nmodel: a.onnx\nvariants: [b.onnx]\n",
            "expected either 'model' or 'variants', got both",
            id="both",
        ),
        pytest.param("version: 1\nname: x\nmodel: a.onnx\nrond: 5\n", "plan.yaml:4: unknown key 'rond'", id="key"),
        pytest.param("version: 1\nname: x\nmodel: a.onnx\nrond: 5\n", "did you mean 'rounds'", id="nearest key"),
        pytest.param(
            "version: 1\nname: x\nmodel: a.onnx\nlaunch:\n  iteration: 5\n",
            "plan.yaml:5: unknown key 'launch.iteration'; did you mean 'iterations'",
            id="key of launch",
        ),
        pytest.param("version: 2\nname: x\nmodel: a.onnx\n", "plan.yaml:1: version: expected 1, got 2", id="version"),
        pytest.param("version: 1\nmodel: a.onnx\n", "the key 'name' is missing", id="missing"),
        pytest.param("version: 1\nname: x\nmodel: a.onnx\nrounds: 0\n", "plan.yaml:4: rounds: expected", id="rounds"),
        pytest.param("version: 1\nname: x\nmodel: a.onnx\nthreads: []\n", "plan.yaml:4: threads", id="no threads"),
        pytest.param(
            "version: 1\nname: x\nmodel: a.onnx\nthreads: [1, 1]\n", "expected each of 'threads' once", id="twice"
        ),
        pytest.param(
            "version: 1\nname: x\nvariants: [a.onnx]\nrecipes: [int8]\n", "expected no 'recipes'", id="made already"
        ),
        pytest.param(
            "version: 1\nname: x\nmodel: a.onnx\nlaunch: {min_time_s: 20, max_time_s: 5}\n",
            "expected max_time_s to be at least min_time_s",
            id="launch bounds",
        ),
        pytest.param('version: 1\nname: "a\\u0007"\nmodel: a.onnx\n', "control characters", id="name"),
        pytest.param("version: 1\nname: [x\n", "expected valid YAML", id="no YAML"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_key(text: str, expected: str, tmp_path: Path):
    with pytest.raises(InputError) as error:
        load_plan(write(tmp_path, text))

    assert expected in str(error.value)


def test_bench_builds_the_same_kind_of_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    plan = plan_for_variants(
        [Path("a/x.tflite"), Path("b.onnx")],
        devices=["local"],
        threads=[1, 2],
        cores=[0, 1],
        rounds=3,
        seed=9,
        data=DataSpec(evaluation="test.npz"),
    )

    assert plan.name == "x, b"
    assert plan.variants == (tmp_path / "a/x.tflite", tmp_path / "b.onnx")
    assert plan.data.evaluation == str(tmp_path / "test.npz")
    assert (plan.threads, plan.cores, plan.rounds, plan.seed) == ((1, 2), (0, 1), 3, 9)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"rounds": 0}, "--rounds: expected greater than or equal to 1, got 0", id="rounds"),
        pytest.param({"threads": [0]}, "--threads: expected greater than or equal to 1, got 0", id="threads"),
        pytest.param({"seed": -1}, "--seed: expected", id="seed"),
        pytest.param({"devices": ["local", "local"]}, "expected each of 'devices' once", id="devices"),
    ],
)
def test_bench_names_the_option_that_is_wrong(values: dict[str, object], expected: str):
    given: dict[str, object] = {"devices": ["local"], "threads": [1], "cores": None, "rounds": 1, "seed": 0}

    with pytest.raises(InputError) as error:
        plan_for_variants([Path("x.onnx")], data=None, **{**given, **values})  # type: ignore[arg-type]

    assert expected in str(error.value)


def test_every_key_has_a_description():
    for model in (Plan, Plan.model_fields["launch"].annotation, DataSpec):
        fields = model.model_fields  # type: ignore[union-attr]
        assert [name for name, field in fields.items() if not field.description and name not in ("version",)] == []
