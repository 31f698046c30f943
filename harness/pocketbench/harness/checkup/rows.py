"""What the check-up answers: a row per question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Row", "Status", "fail", "not_known", "ok", "warning"]

Status = Literal["ok", "warning", "fail", "not known"]

# An engine's own message is a sentence or two; nothing that a device says may be longer than that.
_TEXT_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class Row:
    """The answer to one question.

    `fail`: what is measured now would be wrong or nothing can be measured. `warning`: it would be measured under
    conditions that the reader must know. `remedy` is the command or setting that mends it, None where there is none.
    """

    question: str
    status: Status
    found: str
    remedy: str | None = None

    def __post_init__(self) -> None:
        for name in ("question", "found", "remedy"):
            text = getattr(self, name)
            object.__setattr__(self, name, None if text is None else _one_line(text))


def ok(question: str, found: str) -> Row:
    """Nothing to do."""
    return Row(question, "ok", found)


def warning(question: str, found: str, remedy: str | None) -> Row:
    """Measured under conditions that the reader must know."""
    return Row(question, "warning", found, remedy)


def fail(question: str, found: str, remedy: str | None) -> Row:
    """Nothing, or nothing right, can be measured."""
    return Row(question, "fail", found, remedy)


def not_known(question: str, found: str, remedy: str | None = None) -> Row:
    """The device cannot or may not say."""
    return Row(question, "not known", found, remedy)


def _one_line(text: str) -> str:
    """Printable characters on one line: a part of the text may be a device's."""
    bounded = text if len(text) <= _TEXT_CHARACTERS else f"{text[:_TEXT_CHARACTERS]}…"
    return " ".join("".join(c if c.isprintable() else " " for c in bounded).split())
