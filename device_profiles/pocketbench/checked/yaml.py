"""Read a YAML file into a pydantic model; every complaint names file, line and key."""

from __future__ import annotations

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


class _UniqueKeyLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice (YAML 1.2 section 3.2.1.3) instead of keeping the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
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
    try:
        return schema.model_validate({} if data is None else data)
    except ValidationError as error:
        problems = [_problem(dict(item), root, schema, source) for item in error.errors()]
        raise InputError("\n".join(problems)) from error


def _syntax_message(error: yaml.YAMLError, source: str) -> str:
    mark = getattr(error, "problem_mark", None)
    line = f"{source}:{mark.line + 1}" if mark else source
    return f"{line}: expected YAML, got {getattr(error, 'problem', None) or error}."


def _problem(item: dict[str, Any], root: yaml.Node | None, schema: type[BaseModel], source: str) -> str:
    location: Location = tuple(item["loc"])
    line = _line(root, location)
    where = f"{source}:{line}" if line else source
    key = ".".join(map(str, location)) or "the document"
    if item["type"] == "extra_forbidden":
        return f"{where}: unknown key {key!r}; {nearest(str(location[-1]), _known_keys(schema, location))}."
    if item["type"] == "missing":
        return f"{where}: the key {key!r} is missing."
    return f"{where}: {key}: {item['msg']}, got {item['input']!r}."


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
