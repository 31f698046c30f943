"""How adbd knows hosts: it gives a token, and takes its signature by a key that it trusts (AOSP daemon/auth.cpp)."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

__all__ = ["PublicKey", "is_signed_by", "parse_public_key"]

_WORDS = 64


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key as the host offers it, and whose it says it is."""

    numbers: rsa.RSAPublicNumbers
    owner: str


def parse_public_key(data: bytes) -> PublicKey:
    """Android's form (AOSP libcrypto_utils, android_pubkey.cpp), all of whose fields are checked as they are used."""
    blob, _, owner = data.rstrip(b"\0").partition(b" ")
    words, inverse, modulus, squared, exponent = struct.unpack("<II256s256sI", base64.b64decode(blob, validate=True))
    number = int.from_bytes(modulus, "little")
    assert words == _WORDS
    assert (inverse * number + 1) % (1 << 32) == 0
    assert int.from_bytes(squared, "little") == pow(1 << 2048, 2, number)
    return PublicKey(rsa.RSAPublicNumbers(exponent, number), owner.decode())


def is_signed_by(key: PublicKey, token: bytes, signature: bytes) -> bool:
    """Whether `signature` is of `token` by `key`; the token stands for a SHA-1 digest."""
    try:
        key.numbers.public_key().verify(signature, token, padding.PKCS1v15(), utils.Prehashed(hashes.SHA1()))
    except InvalidSignature:
        return False
    return True
