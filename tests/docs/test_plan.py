"""docs/plan.md has every key with its default, and its examples are plans."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from pocketbench.compression.data import DataSpec
from pocketbench.harness.campaign.asked_opinion import OpinionSpec
from pocketbench.harness.campaign.plan import LaunchSpec, Plan, load_plan
from pocketbench.harness.campaign.scenario import Scenario

PAGE = Path(__file__).parents[2] / "docs" / "plan.md"


def rows() -> dict[str, str]:
    """Key → default, of all tables."""
    found = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(found)


@pytest.mark.parametrize("schema", [Plan, DataSpec, LaunchSpec, Scenario, OpinionSpec])
def test_every_key_is_documented(schema: type[BaseModel]):
    assert set(schema.model_fields) - set(rows()) == set()


def test_no_key_is_documented_that_is_none():
    known = {name for schema in (Plan, DataSpec, LaunchSpec, Scenario, OpinionSpec) for name in schema.model_fields}

    assert set(rows()) - known == set()


@pytest.mark.parametrize("schema", [Plan, LaunchSpec, Scenario])
def test_defaults_in_figures_are_the_codes(schema: type[BaseModel]):
    documented = rows()
    for name, field in schema.model_fields.items():
        match = re.fullmatch(r"`([\d.]+|\[.*\])`", documented[name])
        if match:
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            assert yaml.safe_load(match[1]) == default, name


def test_the_examples_are_plans(tmp_path: Path):
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) + re.findall(r"`(\{version: 1.*?\})`", text, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        (tmp_path / "plan.yaml").write_text(block)
        assert load_plan(tmp_path / "plan.yaml").version == 1
