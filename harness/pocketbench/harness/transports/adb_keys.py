"""The RSA keys by which a phone knows this computer: those of the user's adb, made as adb makes them where missing."""

from __future__ import annotations

import base64
import contextlib
import getpass
import os
import socket
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

from pocketbench.checked.errors import InputError

__all__ = ["AdbKey", "load_keys", "public_key_blob"]

_BITS = 2048
_WORDS = _BITS // 32


@dataclass(frozen=True, slots=True)
class AdbKey:
    """One key pair."""

    path: Path
    private: rsa.RSAPrivateKey

    def sign(self, token: bytes) -> bytes:
        """The answer to the 20 bytes of a device, which adb signs as if they were a SHA-1 digest."""
        return self.private.sign(token, padding.PKCS1v15(), utils.Prehashed(hashes.SHA1()))

    def public_text(self) -> bytes:
        """What the phone stores, and whose end it shows: the key in Android's form and whose it is."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # a user without a name
            user = "unknown"
        return base64.b64encode(public_key_blob(self.private.public_key())) + f" {user}@{socket.gethostname()}".encode()


def load_keys(android_directory: Path) -> list[AdbKey]:
    """The user's key in `android_directory` (~/.android), and those that ADB_VENDOR_KEYS names, in adb's order.

    Raises InputError where a key cannot be read or made.
    """
    own = android_directory / "adbkey"
    try:
        if not own.exists():
            _make(own)
        paths = [own, *_vendor_keys()]
    except OSError as error:
        raise InputError(
            f"expected the key of adb in {own} or room to make it, got: {error.strerror or error}. "
            "Make the folder writable, or move it away and let adb make a new one."
        ) from error
    return [_load(path) for path in paths]


def public_key_blob(key: rsa.RSAPublicKey) -> bytes:
    """A public key in Android's form (AOSP libcrypto_utils, android_pubkey.cpp): all numbers little-endian."""
    numbers = key.public_numbers()
    montgomery = pow(-numbers.n, -1, 1 << 32)
    squared = pow(1 << _BITS, 2, numbers.n)
    words = struct.pack("<II", _WORDS, montgomery)
    return b"".join(
        (
            words,
            numbers.n.to_bytes(_BITS // 8, "little"),
            squared.to_bytes(_BITS // 8, "little"),
            struct.pack("<I", numbers.e),
        )
    )


def _vendor_keys() -> list[Path]:
    """Files, and folders with files named *.adb_key, as adb reads the variable (AOSP client/auth.cpp)."""
    paths: list[Path] = []
    for name in os.environ.get("ADB_VENDOR_KEYS", "").split(os.pathsep):
        if name:
            path = Path(name)
            paths += sorted(path.glob("*.adb_key")) if path.is_dir() else [path]
    return paths


def _load(path: Path) -> AdbKey:
    try:
        # Not whether its primes are primes, which takes 40 ms: the phone finds out whether a signature is right.
        private = serialization.load_pem_private_key(path.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(
            f"expected a private key of adb in {path}, got: {error}. Move it away, and the next try makes a new one, "
            "which the phone asks about again."
        ) from error
    if not isinstance(private, rsa.RSAPrivateKey) or private.key_size != _BITS:
        raise InputError(f"expected an RSA key of {_BITS} bits in {path}, got another kind: move it away.")
    return AdbKey(path, private)


def _make(path: Path) -> None:
    """A new key, readable by its owner alone, with the public half beside it; complete or not there."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    key = AdbKey(path, rsa.generate_private_key(public_exponent=65537, key_size=_BITS))
    pem = key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    descriptor, name = tempfile.mkstemp(prefix=".adbkey.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as writer:
            writer.write(pem)
        with contextlib.suppress(FileExistsError):  # another process was first: its key is as good
            path.hardlink_to(name)
            path.with_name("adbkey.pub").write_bytes(key.public_text())
    finally:
        Path(name).unlink()
