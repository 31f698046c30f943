"""Bytes that are no tensor file, for both of its readers: the one in Python and the one in C."""

from __future__ import annotations

import struct

import pytest

__all__ = ["FILES"]


def tensor(name: bytes, *shape: int, rank: int | None = None, zero: int = 0, data: bytes = b"") -> bytes:
    sizes = struct.pack(f"<{len(shape)}q", *shape)
    return name.ljust(16, b"\0") + struct.pack("<II", len(shape) if rank is None else rank, zero) + sizes + data


def start(count: int = 1, version: int = 1, magic: bytes = b"PBTENSOR") -> bytes:
    return magic + struct.pack("<II", version, count)


GOOD = tensor(b"float32", 1, 2, data=bytes(8))

FILES = [
    pytest.param(b"", id="empty"),
    pytest.param(b"PBTEN", id="half-a-magic"),
    pytest.param(start(magic=b"GGUFGGUF") + GOOD, id="magic"),
    pytest.param(start(version=2) + GOOD, id="version"),
    pytest.param(start(0), id="no-tensors"),
    pytest.param(start(2**32 - 1) + GOOD, id="four-billion-tensors"),
    pytest.param(start(2) + GOOD, id="one-tensor-too-few"),
    pytest.param(start() + GOOD + b"\0", id="a-byte-too-many"),
    pytest.param(start() + GOOD[:-1], id="a-byte-too-few"),
    pytest.param(start() + tensor(b"string", 1), id="string"),
    pytest.param(start() + tensor(b"\x1b[31mred\xff", 1), id="control-characters"),
    pytest.param(start() + tensor(b"f" * 16, 1), id="dtype-without-an-end"),
    pytest.param(start() + tensor(b"int8\0\0evil", 1, data=b"\0"), id="bytes-behind-the-dtype"),
    pytest.param(start() + tensor(b"float32", rank=0), id="rank-0"),
    pytest.param(start() + tensor(b"float32", *[1] * 18, data=bytes(4)), id="rank-18"),
    pytest.param(start() + tensor(b"float32", 1, rank=2**32 - 1), id="rank-of-four-billion"),
    pytest.param(start() + tensor(b"float32", 1, 2, zero=1, data=bytes(8)), id="reserved-field"),
    pytest.param(start() + tensor(b"float32", 0, 2), id="no-runs"),
    pytest.param(start() + tensor(b"float32", -1, 2), id="negative-runs"),
    pytest.param(start() + tensor(b"float32", 1, -2), id="negative-dimension"),
    pytest.param(start() + tensor(b"int8", 2, 2**63 - 1), id="runs-times-size-beyond-int64"),
    pytest.param(start() + tensor(b"int8", 1, 2**62, 2**62), id="size-beyond-size_t"),
    pytest.param(start() + tensor(b"float32", 1, 2**62), id="size-that-wraps-to-0"),
    pytest.param(start() + tensor(b"float64", 2**61, 1), id="runs-that-wrap-to-0"),
    pytest.param(start() + tensor(b"int8", 1, 2**62, 2**62, 0), id="huge-but-empty"),
    pytest.param(start() + tensor(b"int8", 1, 2**40), id="terabyte"),
    pytest.param(start(2) + GOOD + tensor(b"int8", 2, data=b"\0\0"), id="other-number-of-runs"),
]
