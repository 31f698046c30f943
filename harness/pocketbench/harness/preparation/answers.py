"""What the scripts say of the nodes that they set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pocketbench.harness.deploy.survey import split_marked
from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.preparation.record import Change
from pocketbench.harness.preparation.survey import is_node, is_value

__all__ = ["Answer", "parse_changes", "parse_found"]

_OUTPUT_BYTES = 4_000_000


@dataclass(slots=True)
class Answer:
    """What a node said `before` and once it was set, and what was said while it was."""

    before: str | None = None
    found: str | None = None
    error: str | None = None


def parse_found(output: bytes, mark: str) -> dict[str, Answer]:
    """What apply.sh prints, by node."""
    return {node: answer for word, node, answer in _answers(output, mark) if word == "set"}


def parse_changes(output: bytes, mark: str, names: Mapping[str, str], at: str) -> list[Change]:
    """What renew.sh prints; `names` are those of the nodes for people."""
    changes = []
    for word, node, answer in _answers(output, mark):
        if word == "guardian":
            changes.append(Change(at, "guardian", None, None, "it had ended: started again"))
        elif node in names:
            changes.append(Change(at, names[node], answer.before, answer.found, answer.error))
    return changes


def _answers(output: bytes, mark: str) -> Iterator[tuple[str, str, Answer]]:
    found: list[tuple[str, str, Answer]] = []
    for word, value, _ in split_marked(output[:_OUTPUT_BYTES].replace(b"\r\n", b"\n"), mark):
        if word == "guardian" or (word in ("set", "changed") and is_node(value)):
            found.append((word, value, Answer()))
        elif word in ("before", "found") and found:
            setattr(found[-1][2], word, value if is_value(value) else None)
        elif word == "error" and found:
            found[-1][2].error = clean_text(value)
    yield from found
