"""What the user asks a device to be prepared with, from words such as `governor=performance`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pocketbench.checked.errors import InputError

__all__ = ["Frequency", "Wanted", "parse_wanted"]

_FREQUENCY = re.compile(r"(?:policy(?P<policy>\d{1,4}):)?(?:(?P<percent>\d{1,3})%|(?P<mhz>\d{1,5})MHz)", re.ASCII)
_GOVERNOR = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}", re.ASCII)
_WORDS = "governor=NAME, frequency=1500MHz, frequency=75%, frequency=policy4:1800MHz, fan=full, screen=on or screen=off"


@dataclass(frozen=True, slots=True)
class Frequency:
    """A fixed frequency for one policy (cores that share theirs), or for each: in kHz, or as a share of the highest."""

    policy: int | None
    khz: int | None
    percent: int | None

    @property
    def text(self) -> str:
        """As the user writes it."""
        return f"{self.percent} %" if self.khz is None else f"{self.khz // 1000} MHz"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is not asked for is not touched."""

    governor: str | None = None
    frequencies: tuple[Frequency, ...] = ()
    fan: Literal["full"] | None = None
    screen: Literal["on", "off"] | None = None


def parse_wanted(words: Sequence[str]) -> Wanted:
    """Read what `--prepare` was given; InputError for a word that means nothing, or one thing asked for twice."""
    governor: str | None = None
    fan: Literal["full"] | None = None
    screen: Literal["on", "off"] | None = None
    frequencies: list[Frequency] = []
    seen: set[str] = set()
    for word in words:
        name, _, value = word.partition("=")
        if name == "governor" and _GOVERNOR.fullmatch(value):
            governor = value
        elif name == "frequency" and (match := _FREQUENCY.fullmatch(value)):
            frequencies.append(_frequency(match, word))
            name = f"frequency of policy{match['policy'] or 's'}"
        elif word == "fan=full":
            fan = "full"
        elif word == "screen=on":
            screen = "on"
        elif word == "screen=off":
            screen = "off"
        else:
            raise InputError(f"expected something to prepare, got {word!r}: write one of {_WORDS}.")
        if name in seen:
            raise InputError(f"expected the {name} once, got it again in {word!r}: leave one of them out.")
        seen.add(name)
    return Wanted(governor, tuple(frequencies), fan, screen)


def _frequency(match: re.Match[str], word: str) -> Frequency:
    policy = None if match["policy"] is None else int(match["policy"])
    if match["percent"] is None:
        return Frequency(policy, int(match["mhz"]) * 1000, None)
    percent = int(match["percent"])
    if not 1 <= percent <= 100:
        raise InputError(f"expected a share of the highest frequency from 1% to 100%, got {word!r}: change it.")
    return Frequency(policy, None, percent)
