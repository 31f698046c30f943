"""Read a YAML file into a pydantic model; every complaint names file, line and key."""

from __future__ import annotations

import reprlib
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from pocketbench.checked.errors import InputError, nearest

__all__ = ["Strict", "load_yaml", "parse_yaml"]

Location = tuple[str | int, ...]


class Strict(BaseModel):
    """Base of every schema read from YAML: unknown keys are refused, values are immutable."""

    model_config = {"extra": "forbid", "frozen": True}


Schema = TypeVar("Schema", bound=BaseModel)


# Bounded, since a few hundred bytes of YAML with aliases can stand for gigabytes.
_SHORT = reprlib.Repr()  # its constructor takes limits from Python 3.12 on
_SHORT.maxlevel, _SHORT.maxdict, _SHORT.maxlist, _SHORT.maxstring, _SHORT.maxother = 2, 3, 4, 120, 120


class _UniqueKeyLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice (YAML 1.2 section 3.2.1.3) instead of keeping the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is no plain text", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_yaml(path: Path, schema: type[Schema]) -> Schema:
    """Read `path` and check it against `schema`; raise InputError naming file, line and key."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"expected a readable YAML file, got {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"expected UTF-8 text in {path}, got byte {error.start} that is none: is this a YAML file?"
        ) from error
    return parse_yaml(text, schema, source=str(path))


def parse_yaml(text: str, schema: type[Schema], source: str) -> Schema:
    """Check YAML `text` against `schema`; `source` names it in errors."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.load(text, Loader=_UniqueKeyLoader)  # a SafeLoader
    except yaml.YAMLError as error:
        raise InputError(_syntax_message(error, source)) from error
    except ValueError as error:  # a date like 2001-13-45, a number of thousands of digits
        raise InputError(f"{source}: expected valid YAML, but a value cannot be read: {error}.") from error
    except RecursionError as error:
        raise InputError(f"{source}: expected valid YAML, but lists or mappings are nested too deeply.") from error
    try:
        return schema.model_validate({} if data is None else data)
    except ValidationError as error:
        # An unknown key comes first: it is often the reason why another is missing.
        items = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
        raise InputError("\n".join(_problem(dict(item), root, schema, source) for item in items)) from error


def _syntax_message(error: yaml.YAMLError, source: str) -> str:
    mark = getattr(error, "problem_mark", None)
    line = f"{source}:{mark.line + 1}" if mark else source
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return f"{line}: expected valid YAML, but {problem}."


def _problem(item: dict[str, Any], root: yaml.Node | None, schema: type[BaseModel], source: str) -> str:
    location: Location = tuple(item["loc"])
    line = _line(root, location)
    where = f"{source}:{line}" if line else source
    key = ".".join(map(str, location)) or "the document"
    if item["type"] == "value_error":  # the schema's own check: its message says what came
        message = str(item["msg"]).removeprefix("Value error, ")
        return f"{where}: {key}: {message}." if location else f"{source}: {message}."
    if item["type"] == "extra_forbidden":
        return f"{where}: unknown key {key!r}; {nearest(str(location[-1]), _known_keys(schema, location))}."
    if item["type"] == "missing":
        return f"{where}: the key {key!r} is missing."
    expected = str(item["msg"]).replace("Input should be", "expected", 1)
    return f"{where}: {key}: {expected}, got {_SHORT.repr(item['input'])}."


def _line(node: yaml.Node | None, location: Location) -> int | None:
    """Line (from 1) of the deepest node on the way to `location`."""
    if node is None:
        return None
    line = int(node.start_mark.line) + 1
    for step in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(step)), None)
            if pair is None:
                continue  # pydantic puts the tag of a union into the location
            line, node = int(pair[0].start_mark.line) + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = int(node.start_mark.line) + 1
    return line


def _known_keys(schema: type[BaseModel], location: Location) -> set[str]:
    """Keys that the (sub)schema at the parent of `location` knows; all keys below it where it is a union."""
    models = [schema]
    for step in location[:-1]:
        models = [found for model in models for found in _submodels(model, step)] or models
    return {name for model in models for name in model.model_fields}


def _submodels(model: type[BaseModel], step: str | int) -> list[type[BaseModel]]:
    field = model.model_fields.get(str(step))
    return _models_in(field.annotation) if field else []


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in getattr(annotation, "__args__", ()) for found in _models_in(part)]
