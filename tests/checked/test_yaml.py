"""YAML against a schema: every complaint names file, line and key, and no input gets anything but an InputError."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, model_validator

from pocketbench.checked.errors import DeviceError, InputError, MissingExtraError, nearest
from pocketbench.checked.yaml import Strict, load_yaml, parse_yaml


class Step(Strict):
    name: str
    amount: float = Field(default=0.5, ge=0, le=1)


class Quantize(Strict):
    kind: Literal["quantize"]
    bits: int = 8


class Prune(Strict):
    kind: Literal["prune"]
    sparsity: float


class Plan(Strict):
    version: Literal[1]
    steps: tuple[Step, ...] = ()
    stages: tuple[Quantize | Prune, ...] = ()
    table: dict[str, Step] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _not_too_many(self):
        if len(self.steps) > 3:
            raise ValueError(f"expected at most 3 steps, got {len(self.steps)}")
        return self


def complaint(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_yaml(text, Plan, source="plan.yaml")
    return str(caught.value)


def test_good_yaml_gives_the_schema():
    plan = parse_yaml("version: 1\nsteps:\n  - {name: a, amount: 1}\n", Plan, source="plan.yaml")
    assert plan.steps == (Step(name="a", amount=1.0),)


def test_what_was_read_cannot_be_changed():
    plan = parse_yaml("version: 1", Plan, source="plan.yaml")
    with pytest.raises(ValidationError):
        plan.version = 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "plan.yaml: the key 'version' is missing.", id="empty"),
        pytest.param(
            "version: 1\nstep: []",
            "plan.yaml:2: unknown key 'step'; did you mean 'steps' or 'stages'? Known: stages, steps, table, version.",
            id="unknown",
        ),
        pytest.param(
            "version: 1\nsteps:\n  - name: a\n    amuont: 1",
            "plan.yaml:4: unknown key 'steps.0.amuont'; did you mean 'amount'? Known: amount, name.",
            id="unknown-in-list",
        ),
        pytest.param(
            "version: 1\ntable:\n  x: {nmae: a, name: b}",
            "plan.yaml:3: unknown key 'table.x.nmae'; did you mean 'name'? Known: amount, name.",
            id="unknown-in-mapping",
        ),
        pytest.param(
            "version: 1\nsteps:\n  - name: a\n    amount: 7",
            "plan.yaml:4: steps.0.amount: expected less than or equal to 1, got 7.",
            id="range",
        ),
        pytest.param("version: 2", "plan.yaml:1: version: expected 1, got 2.", id="version"),
        pytest.param(
            "version: 1\nsteps: [{name: a}, {name: b}, {name: c}, {name: d}]",
            "plan.yaml: expected at most 3 steps, got 4.",
            id="the-schema-s-own-check",
        ),
        pytest.param(
            "version: 1\nversion: 1", "plan.yaml:2: expected valid YAML, but the key 'version' is given twice."
        ),
        pytest.param(
            "version: [1", "plan.yaml:1: expected valid YAML, but expected ',' or ']', but got '<stream end>'."
        ),
        pytest.param("[a]: 1", "plan.yaml:1: expected valid YAML, but a key is no plain text.", id="list-as-key"),
        pytest.param("{{a: 1}: 1}", "plan.yaml:1: expected valid YAML, but a key is no plain text.", id="dict-as-key"),
        pytest.param(
            "version: 2001-13-45",
            "plan.yaml: expected valid YAML, but a value cannot be read: month must be in 1..12.",
            id="no-such-date",
        ),
        pytest.param(
            "[" * 5000,
            "plan.yaml: expected valid YAML, but lists or mappings are nested too deeply.",
            id="deep",
        ),
        pytest.param(
            "version: !!python/object/apply:os.system ['true']",
            "plan.yaml:1: expected valid YAML, but could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object/apply:os.system'.",
            id="code",
        ),
        pytest.param(
            "version: \x00", "plan.yaml: expected valid YAML, but special characters are not allowed.", id="nul"
        ),
    ],
)
def test_a_complaint_names_file_line_and_key(text, expected):
    assert complaint(text) == expected


def test_an_unknown_key_comes_before_the_missing_one_it_stands_for():
    first, second = complaint("version: 1\nsteps:\n  - nam: a").splitlines()
    assert "unknown key 'steps.0.nam'" in first
    assert "'steps.0.name' is missing" in second


def test_keys_of_a_union_are_offered():
    assert "did you mean 'sparsity'" in complaint("version: 1\nstages:\n  - {kind: prune, sparsty: 0.5}")


def test_what_came_is_shortened():
    aliases = "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 8))
    text = f"a0: &a0 [x, x]\n{aliases}\nversion: *a7\n"
    assert len(complaint(text)) < 3000


def test_merge_keys_work():
    text = "version: 1\ntable:\n  a: &a {name: x, amount: 0.25}\n  b:\n    <<: *a\n    name: y\n"
    assert parse_yaml(text, Plan, source="plan.yaml").table["b"] == Step(name="y", amount=0.25)


@given(st.text(alphabet=st.sampled_from("version: 1\n[]{}&*!|>-?#'\"\t,%@`~a0"), max_size=60))
def test_any_text_is_read_or_refused_with_a_sentence(text):
    refusal = None
    try:
        parse_yaml(text, Plan, source="plan.yaml")
    except InputError as error:
        refusal = str(error)
    assert refusal is None or refusal.startswith("plan.yaml")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda path: None, "No such file or directory", id="missing"),
        pytest.param(lambda path: path.mkdir(), "Is a directory", id="folder"),
        pytest.param(lambda path: path.write_bytes(b"version: \xff"), "got byte 9 that is none", id="not-text"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, make, words):
    path = tmp_path / "plan.yaml"
    make(path)
    with pytest.raises(InputError, match=words) as caught:
        load_yaml(path, Plan)
    assert str(path) in str(caught.value)


def test_nearest_offers_close_names_and_lists_all():
    assert nearest("int9", ["int8", "float32"]) == "did you mean 'int8'? Known: float32, int8"
    assert nearest("zzz", ["int8"]) == "Known: int8"


def test_a_missing_extra_says_what_to_install():
    error = MissingExtraError("keras", "Reading a Keras model", ["tensorflow", "tensorflow-cpu"])
    assert str(error) == (
        "Reading a Keras model needs the package 'keras', which is not installed: "
        "run `pip install 'pocketbench[tensorflow]'` or `pip install 'pocketbench[tensorflow-cpu]'`."
    )
    assert (error.exit_code, DeviceError.exit_code) == (2, 3)
