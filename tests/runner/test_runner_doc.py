"""docs/runner.md names everything that the runner takes and says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from pocketbench.harness.runner import build, protocol

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "runner.md").read_text(encoding="utf-8")
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in (Path(build.__file__).parent / "src").glob("*.[ch]")}
KINDS = [*get_args(get_args(protocol.Event)[0]), protocol.TensorEntry]


def section(title: str) -> str:
    return re.split(r"^## ", DOC.split(f"## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def rows() -> dict[str, set[str]]:
    """Fields in the table of events, by event."""
    found: dict[str, set[str]] = {}
    event = ""
    for line in section("Events").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0] not in ("event", "---"):
            event = cells[0].strip("`") or event
            found.setdefault(event, set()).update(re.findall(r"`(\w+)`", cells[1]))
    return found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_event_is_documented_with_exactly_its_fields(kind):
    fields = {field.alias or name for name, field in kind.model_fields.items()} - {"schema", "event"}
    name = get_args(kind.model_fields["event"].annotation)[0] if "event" in kind.model_fields else "a tensor"

    assert rows()[name] == fields


def test_no_event_is_documented_that_is_not_there():
    assert len(rows()) == len(KINDS)


@pytest.mark.parametrize("stage", protocol.STAGES)
def test_every_stage_is_documented(stage):
    assert f"`{stage}`" in section("Events")


def test_the_stages_of_the_c_code_are_those_of_the_protocol():
    code = "\n".join(SOURCES.values())

    assert {"start", *re.findall(r'stage_enter\("(\w+)"\)', code)} == set(protocol.STAGES)


def test_the_memory_stages_and_flags_of_the_c_code_are_documented():
    code = "\n".join(SOURCES.values())
    words = [*re.findall(r'memory_report\("(\w+)"', code), "warmup_max_time", "max_time", "sample_limit"]
    words.append("readings_limit")

    assert len(words) == 9
    for word in words:
        assert f'"{word}"' in code
        assert f"`{word}`" in section("Events")


def test_every_option_is_documented_and_no_other():
    options = set(re.findall(r'\{"(--[\w-]+)"', SOURCES["options.c"]))

    assert len(options) == 21
    assert set(re.findall(r"^\| `(--[\w-]+)` ", section("Options"), flags=re.MULTILINE)) == options


def test_every_mode_is_documented():
    assert set(re.findall(r"^\| `(\w+)` ", section("Modes"), flags=re.MULTILINE)) == {
        "describe",
        "bench",
        "idle",
        "infer",
        "memory",
        "profile",
    }


def test_the_versions_of_the_formats_are_those_of_the_code():
    assert f"#define EVENT_SCHEMA {protocol.SCHEMA_VERSION}\n" in SOURCES["events.h"]
    assert f"(the version of this format, {protocol.SCHEMA_VERSION})" in DOC


def test_the_commands_in_the_table_of_what_was_verified_exist():
    files = re.findall(r"tests/runner/\w+\.py", section("What was verified, and where"))

    assert len(files) >= 6
    assert [file for file in files if not (ROOT / file).exists()] == []
