"""docs/device-profiles.md names every key of the schema, and its example is a profile."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from pocketbench.device_profiles import schema
from pocketbench.device_profiles.loader import load_profile_file

DOC = (Path(__file__).parents[2] / "docs" / "device-profiles.md").read_text(encoding="utf-8")
# The heading over each table of keys.
TABLES: dict[str, type[BaseModel]] = {
    "## Every key": schema.DeviceProfile,
    "**`sources.…`**": schema.Source,
    "**`identity`**": schema.IdentityRule,
    "**`clusters`**": schema.Cluster,
    "**`sensors`**": schema.Sensor,
    "**`power`**": schema.PowerMethod,
    "**`quirks`**": schema.Quirk,
}


@pytest.fixture
def example(tmp_path):
    (text,) = re.findall(r"```yaml\n(.*?)```", DOC, flags=re.DOTALL)
    path = tmp_path / "example-board.yaml"
    path.write_text(text, encoding="utf-8")
    return load_profile_file(path)


def table(heading: str) -> dict[str, str]:
    """Keys of the first table under `heading`, with what is said of each."""
    lines = DOC.split(f"\n{heading}", 1)[1].splitlines()
    start = lines.index("| key | what it is |")
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return {key.strip("`"): text for key, text in rows}


@pytest.mark.parametrize(("heading", "model"), TABLES.items(), ids=[model.__name__ for model in TABLES.values()])
def test_every_key_is_documented_and_no_other(heading, model):
    assert list(table(heading)) == list(model.model_fields)


def test_every_schema_has_its_table():
    classes = {item for item in map(schema.__dict__.get, schema.__all__) if isinstance(item, type)}

    assert classes - {schema.Fact} == set(TABLES.values())
    assert all(f"`{key}`" in DOC for key in schema.Fact.model_fields)


@pytest.mark.parametrize(
    ("heading", "key", "model"),
    [
        ("## Every key", "platform", schema.DeviceProfile),
        ("**`identity`**", "property", schema.IdentityRule),
        ("**`sensors`**", "quantity", schema.Sensor),
        ("**`power`**", "method", schema.PowerMethod),
    ],
)
def test_every_choice_is_documented(heading, key, model):
    assert set(get_args(model.model_fields[key].annotation)) <= set(re.findall(r"`([\w.-]+)`", table(heading)[key]))


def test_the_example_loads(example):
    assert example.cores == 6
    assert [cluster.core.value for cluster in example.clusters] == ["Cortex-A55", "Cortex-A76"]
    assert {source for _, source in example.facts()} == set(example.sources)


def test_the_example_uses_nearly_every_key(example):
    used = {
        (type(item), key)
        for item in (
            *(example, *example.sources.values(), *example.identity, *example.clusters),
            *(*example.sensors, *example.power, *example.quirks),
        )
        for key in item.model_fields_set
    }
    every = {(model, key) for model in TABLES.values() for key in model.model_fields}

    assert every - used == {
        (schema.DeviceProfile, "generic"),
        (schema.PowerMethod, "needs_root"),
        (schema.PowerMethod, "note"),
    }
