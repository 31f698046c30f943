"""Is a call the one that was recorded? Arguments are compared with all random tokens taken for equal.

A token is a run of 16 or more hexadecimal digits (marks, names of temporary files, hashes) or the identifier of a
deployment. Where a recorded token stands the replayed call has a token of its own, always the same one for the same:
the names differ from the recorded ones and agree with each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["Tokens"]

# A deployment: 20260102T030405Z-0123456789ab-01234567
_TOKEN = r"(?<![0-9A-Za-z])(?:[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}-[0-9a-f]{8}|[0-9a-f]{16,128})(?![0-9A-Za-z])"
_IN_TEXT = re.compile(_TOKEN, re.ASCII)
_IN_BYTES = re.compile(_TOKEN.encode())


class Tokens:
    """Which token of this session stands for which recorded one."""

    def __init__(self) -> None:
        self._ours: dict[str, str] = {}
        self._theirs: dict[str, str] = {}

    def match(self, recorded: Sequence[str], called: Sequence[str]) -> bool:
        """True where the texts are the same but for tokens; the pairs are remembered."""
        if len(recorded) != len(called):
            return False
        pairs: list[tuple[str, str]] = []
        for theirs, ours in zip(recorded, called, strict=True):
            if _IN_TEXT.split(theirs) != _IN_TEXT.split(ours):
                return False
            pairs += zip(_IN_TEXT.findall(theirs), _IN_TEXT.findall(ours), strict=True)
        new_ours, new_theirs = dict(self._ours), dict(self._theirs)
        for theirs, ours in pairs:
            if new_ours.setdefault(theirs, ours) != ours or new_theirs.setdefault(ours, theirs) != theirs:
                return False
        self._ours, self._theirs = new_ours, new_theirs
        return True

    def translate(self, answer: bytes) -> bytes:
        """An answer as the device would give it in this session: with our tokens in place of the recorded ones."""
        return _IN_BYTES.sub(lambda match: self._ours.get(match[0].decode(), match[0].decode()).encode(), answer)
