"""A transcript: everything that went over a transport, as a text file of JSON lines that can be read before it is sent.

    {"kind": "header", "pocketbench_transcript": 1, "pocketbench_version": "0.1.0", "transport": "ssh", "edited": false}
    {"kind": "run", "started_s": 0.1, "argv": ["uname", "-m"], "stdin": {"text": ""}, "result": …
    {"kind": "content", "sha256": "9f86…", "zlib": "…"}                      large contents stand once, before their use
    {"kind": "end", "calls": 2, "sha256": "…", "complete": true}             sha256 of all lines before

Where what recorded has crashed there is no end; what stands there until then is a transcript all the same.

Bytes are text where most of them can be read, else base64, of zlib's where there are many. `edited` is set by hand
where something private was taken out: then the checksums are not compared.

Format history:
    1  first version (pocketbench 0.1)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, TypeAdapter, model_validator

from pocketbench.checked.yaml import Strict

__all__ = [
    "CONTENT_BYTES",
    "INLINE_BYTES",
    "TRANSCRIPT_BYTES",
    "Bytes",
    "Content",
    "End",
    "Failure",
    "Header",
    "Line",
    "LineAdapter",
    "PullCall",
    "PushCall",
    "Result",
    "RunCall",
    "as_text_or_base64",
    "error_name",
    "plain_text",
    "sha256_of",
]

# What is larger stands in a line of its own, once however often it came.
INLINE_BYTES = 4096
# Samples of a launch of a million iterations are 16 MB.
CONTENT_BYTES = 64_000_000
TRANSCRIPT_BYTES = 256_000_000
_READABLE_SHARE = 0.9
# Recording goes on between launches, and levels above gain little on samples.
_ZLIB_LEVEL = 1

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
ErrorName = Literal["DeviceGoneError", "DeviceTimeoutError", "InputError", "TransportError"]


class Bytes(Strict):
    """Bytes of a call: the text, base64, or the sha256 of a content that stands elsewhere or was not kept."""

    text: str | None = None
    base64: str | None = None
    sha256: Sha256 | None = None
    size_bytes: Size | None = None

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        given = [value for value in (self.text, self.base64, self.sha256) if value is not None]
        if len(given) != 1 or (self.sha256 is None) != (self.size_bytes is None):
            raise ValueError("expected one of 'text', 'base64' and 'sha256' with 'size_bytes'")
        return self

    def inline(self) -> bytes | None:
        """The bytes where they stand here; ValueError where they are not what they say."""
        return _decode(self.text, self.base64)

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.size_bytes if self.size_bytes is not None else len(self.inline() or b"")


class Header(Strict):
    """The first line. `transport` is the kind of the address: no host, no user, no serial."""

    kind: Literal["header"] = "header"
    pocketbench_transcript: Literal[1] = 1
    pocketbench_version: str
    transport: str
    edited: bool = False


class Content(Strict):
    """Bytes that later calls name by their sha256."""

    kind: Literal["content"] = "content"
    sha256: Sha256
    text: str | None = None
    zlib: str | None = None

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if (self.text is None) == (self.zlib is None):
            raise ValueError("expected either 'text' or 'zlib'")
        return self

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The line that holds `data`."""
        text, encoded = as_text_or_base64(data)
        packed = None if encoded is None else base64.b64encode(zlib.compress(data, _ZLIB_LEVEL)).decode()
        return cls(sha256=sha256_of(data), text=text, zlib=packed)

    def data(self) -> bytes:
        """The bytes; ValueError where they are not what they say."""
        data = _decode(self.text, self.zlib) or b""
        return data if self.zlib is None else _unpack(data)


class Failure(Strict):
    """An error that a call raised."""

    name: ErrorName
    message: str


class Result(Strict):
    """What a command ended with."""

    exit_code: int
    signal: int | None = None
    stdout: Bytes
    stderr: Bytes


class _Call(Strict):
    """`started_s` is counted from the beginning of the recording."""

    started_s: Seconds
    duration_s: Seconds
    error: Failure | None = None


class RunCall(_Call):
    """`Transport.run`. Of `stdin` only size and hash are kept: it may be a model, or data."""

    kind: Literal["run"] = "run"
    argv: tuple[str, ...]
    timeout_s: Seconds
    stdin: Bytes
    result: Result | None = None

    @model_validator(mode="after")
    def _ended_one_way(self) -> Self:
        if (self.result is None) == (self.error is None):
            raise ValueError("expected either 'result' or 'error'")
        return self


class PushCall(_Call):
    """`Transport.push`. The content is not kept: it is a file of the computer that recorded."""

    kind: Literal["push"] = "push"
    target: str
    mode: Annotated[int, Field(ge=0, le=0o7777)]
    sha256: Sha256
    size_bytes: Size


class PullCall(_Call):
    """`Transport.pull`."""

    kind: Literal["pull"] = "pull"
    source: str
    content: Bytes | None = None

    @model_validator(mode="after")
    def _ended_one_way(self) -> Self:
        if (self.content is None) == (self.error is None):
            raise ValueError("expected either 'content' or 'error'")
        return self


class End(Strict):
    """The last line; `sha256` is that of all bytes before it. Where not `complete`, recording stopped early."""

    kind: Literal["end"] = "end"
    calls: Size
    sha256: Sha256
    complete: bool


Line = Header | Content | RunCall | PushCall | PullCall | End
LineAdapter: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="kind")])


def sha256_of(data: bytes) -> str:
    """As 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def as_text_or_base64(data: bytes) -> tuple[str | None, str | None]:
    """`data` as (text, None) where nearly all of it is readable UTF-8, else as (None, base64)."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = None
    if text is not None and sum(c.isprintable() or c in "\n\r\t" for c in text) >= _READABLE_SHARE * len(text):
        return text, None
    return None, base64.b64encode(data).decode()


def plain_text(text: str) -> str:
    """`text` with bytes that were no UTF-8 (PEP 383) written out, since JSON cannot hold them."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")


def error_name(error: BaseException) -> ErrorName:
    """The error of the table that `error` is a kind of; a TransportError where it is none."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    names: tuple[ErrorName, ...] = ("DeviceGoneError", "DeviceTimeoutError", "InputError")
    return next((name for name in names if name in kinds), "TransportError")


def _unpack(packed: bytes) -> bytes:
    """Never more than was packed here."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, CONTENT_BYTES)
    except zlib.error as error:
        raise ValueError(f"no zlib: {error}") from error
    if not unpacker.eof:
        raise ValueError(f"expected at most {CONTENT_BYTES} bytes, all of them")
    return data


def _decode(text: str | None, encoded: str | None) -> bytes | None:
    if text is not None:
        return text.encode()
    if encoded is None:
        return None
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError(f"no base64: {error}") from error
