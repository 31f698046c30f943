"""The errors a user sees, and the exit code each ends in.

    PocketbenchError                 exit 1
    ├── InputError                   exit 2   what the user gave cannot be used
    │   └── MissingExtraError                 an optional dependency is not installed
    └── DeviceError                  exit 3   a device failed (pocketbench.harness.errors has its branches)

Every message says what was expected, what came and what to do, in one sentence where it can.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["DeviceError", "InputError", "MissingExtraError", "PocketbenchError", "nearest"]


class PocketbenchError(Exception):
    """Base of every error that pocketbench raises on purpose."""

    exit_code = 1


class InputError(PocketbenchError):
    """Bad input: nothing was written yet."""

    exit_code = 2


class MissingExtraError(InputError):
    """An optional dependency is missing; the message names the extra that brings it."""

    def __init__(self, package: str, purpose: str, extras: Iterable[str]) -> None:
        options = " or ".join(f"`pip install 'pocketbench[{extra}]'`" for extra in extras)
        super().__init__(f"{purpose} needs the package {package!r}, which is not installed: run {options}.")


class DeviceError(PocketbenchError):
    """A device could not do what was asked of it."""

    exit_code = 3


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint such as ``did you mean 'int8'? Known: …`` for an unknown `name`."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    return f"{hint}Known: {', '.join(names)}"
