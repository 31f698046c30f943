"""System properties of Android, as `getprop` lists them."""

from __future__ import annotations

import re

from pocketbench.harness.devices.parsers import clean_text

__all__ = ["parse_properties"]

_TEXT_CHARACTERS = 2_000_000
_BEGINNING = re.compile(r"^\[([A-Za-z0-9_.:@-]{1,256})\]: \[", re.MULTILINE | re.ASCII)


# [ro.product.model]: [Pixel 7]
# A value may hold "]" and newlines: it goes on until the next line that begins like a property, or the end.
def parse_properties(text: str) -> dict[str, str]:
    """Values by name, printable and on one line; empty ones and those that say "unknown" are left out.

    Where a name comes twice the first one counts: a value must not be able to take another's place.
    """
    found: dict[str, str | None] = {}
    parts = _BEGINNING.split(text[:_TEXT_CHARACTERS])
    for name, rest in zip(parts[1::2], parts[2::2], strict=True):
        found.setdefault(name, clean_text(rest.rstrip("\n").removesuffix("]")))
    return {name: value for name, value in found.items() if value and value.lower() != "unknown"}
