"""HTML that cannot be broken by what stands in it: every text is escaped unless `element` itself made it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from pocketbench.reports.names import LONGEST, LONGEST_REASON, Command, Name, Sentence, shorten, visible

__all__ = ["Html", "absent", "element", "join", "long_text", "name", "sentence"]

# A name of up to this many characters is not broken at its hyphens.
_UNBROKEN = 20
_INTERVAL = re.compile(r"\[([^\[\], ]+), ([^\[\], ]+)\]")
_VOID = frozenset({"br", "meta"})


class Html(str):
    """Text that is HTML already; only this module and pages of our own make it."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str | int | bool | None) -> Html:
    """``element("td", "a < b", class_="number")``; attributes that are None or False are left out."""
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{_escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in _VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{join(children)}</{tag}>")


def join(children: Iterable[str]) -> Html:
    """Children one after the other, each escaped unless it is HTML."""
    return Html("".join(child if isinstance(child, Html) else _escape(child) for child in children))


def name(full: str, longest: int = LONGEST) -> Html:
    """A foreign name, isolated from the direction of the text around it; where it is cut, the title has all of it."""
    short = shorten(full, longest)
    kind = "short" if len(short) <= _UNBROKEN else None
    return element("bdi", short, class_=kind, title=full if short != full else None)


def sentence(parts: Sentence) -> Html:
    """A sentence with its names isolated, its intervals on one line, and each percentage."""
    return join(map(_part, parts))


def _part(part: str | Name | Command) -> Html | str:
    if isinstance(part, Name):
        return name(part.full, part.longest)
    if isinstance(part, Command):
        return element("code", part.text)
    return _INTERVAL.sub("[\\1,\u00a0\\2]", part).replace(" %", "\u00a0%")


def long_text(full: str) -> Html:
    """A reason or warning: on the page up to 400 characters, in the title all of it."""
    return name(full, LONGEST_REASON)


def absent(why: str = "not known") -> Html:
    """What stands where a figure is missing."""
    return element("span", "–", class_="absent", title=why, aria_label=why, role="img")


def _escape(value: str) -> str:
    return html.escape(visible(value), quote=True)
