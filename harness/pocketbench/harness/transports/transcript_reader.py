"""Read a transcript strictly: what was changed or made by something else is refused with the reason.

One that ends early, as a crash leaves it, is read up to there, with a warning.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from pocketbench.checked.errors import InputError
from pocketbench.harness.transports.transcript import (
    TRANSCRIPT_BYTES,
    Bytes,
    Content,
    End,
    Header,
    Line,
    LineAdapter,
    PullCall,
    PushCall,
    RunCall,
    sha256_of,
)

__all__ = ["Call", "Transcript", "read_transcript"]

Call = RunCall | PushCall | PullCall
_log = logging.getLogger(__name__)
_RECORD_AGAIN = "record it again"
# The last line is written whatever the size.
_END_BYTES = 1000


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript in memory. Where not `complete`, the session went on after its last call."""

    path: Path
    header: Header
    calls: tuple[Call, ...]
    contents: Mapping[str, bytes]
    complete: bool

    def data(self, value: Bytes) -> bytes:
        """The bytes that a call names; InputError where they were too large to be kept."""
        if value.sha256 is None:
            return value.inline() or b""
        if value.sha256 not in self.contents:
            raise InputError(
                f"{self.path}: expected the content of an answer, got its hash only: its {value.size_bytes} bytes were "
                "too many to be recorded."
            )
        return self.contents[value.sha256]


def read_transcript(path: Path) -> Transcript:
    """Read `path`; InputError with the line where it is not a transcript as it was written."""
    reader = _Reader(path)
    header = reader.first()
    calls: list[Call] = []
    contents: dict[str, bytes] = {}
    end: End | None = None
    for number, line, before in reader.rest():
        if end is not None:
            raise _refused(path, number, "nothing after the end", "another line")
        if isinstance(line, Header):
            raise _refused(path, number, "a call", "a second header")
        if isinstance(line, End):
            end = line
            _check_end(path, number, line, len(calls), before, header.edited)
        elif isinstance(line, Content):
            contents[line.sha256] = _content(path, number, line, header.edited)
        else:
            _check_bytes(path, number, line)
            calls.append(line)
    if end is None:
        _log.warning(
            "%s: it has %d calls and no end: the recording crashed, or the file was cut off when it was sent.",
            path,
            len(calls),
        )
    return Transcript(path, header, tuple(calls), contents, end is not None and end.complete)


class _Reader:
    """Lines with their numbers, and the hash of what came before each."""

    def __init__(self, path: Path) -> None:
        try:
            size = path.stat().st_size
            if size > TRANSCRIPT_BYTES + _END_BYTES:
                raise InputError(f"expected a transcript of at most {TRANSCRIPT_BYTES} bytes, got {size} in {path}.")
            self._lines = path.read_bytes().split(b"\n")
        except OSError as error:
            raise InputError(f"expected a transcript to replay, got {path}: {error.strerror}.") from error
        self._path = path
        self._digest = hashlib.sha256()

    def first(self) -> Header:
        line = self._parse(1, self._lines[0]) if b'"pocketbench_transcript"' in self._lines[0][:4096] else None
        if not isinstance(line, Header):
            raise InputError(
                f"{self._path}: expected a transcript that `--record` wrote, got another file: its first line has no "
                "'pocketbench_transcript'."
            )
        return line

    def rest(self) -> Iterator[tuple[int, Line, str]]:
        """Whole lines: what a crash left of the last one is not one."""
        self._digest.update(self._lines[0] + b"\n")
        for index, text in enumerate(self._lines[1:-1], start=1):
            before = self._digest.hexdigest()
            yield index + 1, self._parse(index + 1, text), before
            self._digest.update(text + b"\n")

    def _parse(self, number: int, text: bytes) -> Line:
        try:
            return LineAdapter.validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            raise _refused(self._path, number, "a line of a transcript", f"{where}: {first['msg']}") from error


def _check_end(path: Path, number: int, end: End, calls: int, before: str, edited: bool) -> None:
    if edited:
        return
    if end.calls != calls:
        raise _refused(path, number, f"{end.calls} calls before the end", str(calls))
    if end.sha256 != before:
        raise InputError(
            f"{path}: expected the lines that were recorded, got others: it was damaged or edited. If something "
            'private was taken out on purpose, write "edited": true in its first line.'
        )


def _content(path: Path, number: int, line: Content, edited: bool) -> bytes:
    try:
        data = line.data()
    except ValueError as error:
        raise _refused(path, number, "a content", str(error)) from error
    if not edited and sha256_of(data) != line.sha256:
        raise _refused(path, number, "the content with its sha256", "another")
    return data


def _check_bytes(path: Path, number: int, call: Call) -> None:
    """What is not decoded until it is needed is tried here, so that a damaged file fails at once."""
    values: list[Bytes | None] = []
    if isinstance(call, RunCall):
        values = [call.stdin, *((call.result.stdout, call.result.stderr) if call.result else ())]
    elif isinstance(call, PullCall):
        values = [call.content]
    for value in values:
        try:
            if value is not None:
                value.inline()
        except ValueError as error:
            raise _refused(path, number, "bytes of a call", str(error)) from error


def _refused(path: Path, number: int, expected: str, got: str) -> InputError:
    return InputError(f"{path}:{number}: expected {expected}, got {got}: {_RECORD_AGAIN}.")
