"""Sentences with foreign names in them, such as a variant's: one reasoning for the page and for the terminal.

A name comes from a user or a device. It may be endless, turn the direction of the text around it, or carry escape
codes for a terminal; so a sentence keeps its names apart until it is known where they will stand.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

__all__ = [
    "LONGEST",
    "LONGEST_REASON",
    "Command",
    "Name",
    "Sentence",
    "command",
    "plain",
    "reason",
    "shorten",
    "visible",
]

LONGEST = 48
LONGEST_REASON = 400
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}|--[a-z-]{1,30}", re.ASCII)
# Line ends and tabs, and the joiners that some scripts and emoji are written with.
_HARMLESS = "\n\t\r\u200c\u200d"


@dataclass(frozen=True, slots=True)
class Name:
    """A name that a user, a file or a device gave, or a reason in their words (`reason`)."""

    full: str
    longest: int = LONGEST

    @property
    def short(self) -> str:
        """The name on one line, without characters that act on what stands beside it, cut to `longest` characters."""
        return shorten(self.full, self.longest)


def reason(full: str) -> Name:
    """Why something failed, long enough to be understood."""
    return Name(full, LONGEST_REASON)


@dataclass(frozen=True, slots=True)
class Command:
    """A command to run. Its words are ours, but for names that are words of a shell (`command`)."""

    text: str


Sentence = tuple[str | Name | Command, ...]


def command(*words: str) -> Command:
    """The command of these words; a foreign one that a shell would read as anything but a word becomes NAME."""
    return Command(" ".join(word if _WORD.fullmatch(word) else "NAME" for word in words))


def plain(sentence: Sentence) -> str:
    """The sentence for a terminal."""
    return "".join(
        part.short if isinstance(part, Name) else part.text if isinstance(part, Command) else part for part in sentence
    )


def shorten(value: str, longest: int) -> str:
    """`value` on one line of at most `longest` visible characters."""
    # Cut before cleaning too: a name of many megabytes costs no more than one of a line.
    line = " ".join(visible(value[: 4 * longest]).split())
    return line if len(line) <= longest and len(value) <= 4 * longest else f"{line[: longest - 1].rstrip()}…"


def visible(value: str) -> str:
    """`value` with every control, direction and unpaired surrogate character replaced, not line ends and joiners."""
    return "".join("\ufffd" if _acts(character) else character for character in value)


def _acts(character: str) -> bool:
    return character not in _HARMLESS and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
