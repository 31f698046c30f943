"""Which unit is it? A device's serial number leaves this computer only as a hash that nobody else can make."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import tempfile
from pathlib import Path

from pocketbench.checked.errors import InputError

__all__ = ["hash_serial", "identity_salt"]

_SALT = "identity-salt"
_SALT_BYTES = 32
_HASH_DIGITS = 16
# What devices without a serial number say.
_PLACEHOLDER = re.compile(r"(?i)0*|unknown|none|0123456789abcdef|(?:to be filled|default string|not specified).*")


def identity_salt(home: Path) -> bytes:
    """The salt in our home folder, made once and readable by its owner only; InputError where it cannot be.

    With it the same device has the same hash in every result of this computer, and another one in anybody else's.
    """
    path = home / _SALT
    try:
        if not path.exists():
            _make(path)
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"expected to keep a salt in {path}, got: {error}. Make the folder writable, or set POCKETBENCH_HOME."
        ) from error
    if not re.fullmatch(rf"[0-9a-f]{{{2 * _SALT_BYTES}}}", text):
        raise InputError(
            f"expected {2 * _SALT_BYTES} hexadecimal digits in {path}, got something else: restore it, or remove it; "
            "then devices get other hashes than in earlier results."
        )
    return bytes.fromhex(text)


def hash_serial(serial: str | None, salt: bytes) -> str | None:
    """16 hexadecimal digits that stand for `serial`; None for none, or for one that many devices share."""
    if serial is None or _PLACEHOLDER.fullmatch(serial.strip()):
        return None
    return hmac.new(salt, serial.strip().encode(), hashlib.sha256).hexdigest()[:_HASH_DIGITS]


def _make(path: Path) -> None:
    """Complete or not at all, and never twice: of two processes at once one wins, and both read its salt."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{_SALT}-")  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(_SALT_BYTES) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        path.hardlink_to(temporary)
    except FileExistsError:
        pass
    finally:
        Path(temporary).unlink()
