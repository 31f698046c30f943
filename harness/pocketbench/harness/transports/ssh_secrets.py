"""Passwords and passphrases: asked for once, kept in memory for reconnecting, never written or logged."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

__all__ = ["Ask", "NobodyToAsk", "Secrets"]

_PASSWORD_ATTEMPTS = 3  # as ssh's NumberOfPasswordPrompts
_KEYRING_SERVICE = "pocketbench"


class Ask(Protocol):
    """Whoever can ask the user."""

    def password(self, prompt: str) -> str | None:
        """What the user typed without an echo; None where nobody can be asked."""
        ...


class NobodyToAsk:
    """For runs without a terminal."""

    def password(self, prompt: str) -> str | None:
        """Never an answer."""
        return None


class Secrets:
    """What the user told about one device. Two threads that connect at once ask one after the other."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._kept: dict[str, str] = {}
        self._lock = threading.Lock()

    def passwords(self, place: str) -> Iterator[str]:
        """Passwords to try for `place` (user@host:port): what worked, the keyring's, then what the user types."""
        if (kept := self._kept.get(place)) is not None:
            yield kept
        if (stored := _from_keyring(place)) is not None and stored != kept:
            yield stored
        for attempt in range(_PASSWORD_ATTEMPTS):
            answer = self.question(f"{'Not accepted. ' if attempt else ''}Password of {place}: ")
            if answer is None:
                return
            yield answer

    def passphrase(self, path: Path, again: bool) -> str | None:
        """The passphrase of the key file `path`; `again` where the last one was wrong."""
        with self._lock:
            kept = self._kept.get(str(path))
            if kept is not None and not again:
                return kept
            answer = self._ask.password(f"{'Not the right one. ' if again else ''}Passphrase of {path}: ")
            if answer is not None:
                self._kept[str(path)] = answer
            return answer

    def question(self, prompt: str) -> str | None:
        """The answer to any other question of a server."""
        with self._lock:
            return self._ask.password(prompt)

    def keep(self, place: str, password: str) -> None:
        """Remember the password that `place` accepted."""
        self._kept[place] = password


def _from_keyring(place: str) -> str | None:
    """What the user put there with `keyring set pocketbench user@host:port`; None without the package `keyring`."""
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    try:
        return keyring.get_password(_KEYRING_SERVICE, place)
    except (keyring.errors.KeyringError, RuntimeError, OSError):
        return None  # locked, or no service that keeps one
