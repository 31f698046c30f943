"""A device that consists of a transcript: it answers the calls that were recorded, in their order, as it did then."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NoReturn, Self

from pocketbench.checked.errors import DeviceError, InputError
from pocketbench.harness.errors import DeviceGoneError, DeviceTimeoutError, TransportError
from pocketbench.harness.transports.base import Completed
from pocketbench.harness.transports.matching import Tokens
from pocketbench.harness.transports.transcript import (
    Bytes,
    ErrorName,
    Failure,
    PullCall,
    PushCall,
    RunCall,
    plain_text,
    sha256_of,
)
from pocketbench.harness.transports.transcript_reader import Call, read_transcript

__all__ = ["ScriptedTransport", "UnexpectedCallError"]

# Scripts are arguments too: what differs comes after them.
_SHOWN_CHARACTERS, _SHOWN_OF_EACH = 1500, 100
_CHUNK_BYTES = 1 << 18
_ERRORS: dict[ErrorName, type[DeviceError | InputError]] = {
    "DeviceGoneError": DeviceGoneError,
    "DeviceTimeoutError": DeviceTimeoutError,
    "InputError": InputError,
    "TransportError": TransportError,
}


class UnexpectedCallError(DeviceError):
    """A call that the transcript does not have at this place: the session goes another way than the recorded one."""


class ScriptedTransport:
    """Answers from the transcript `path`; InputError where it is none.

    Calls are matched as Tokens says, pushes also by their content. After a call that does not match every further one
    raises the same error: what comes after it was never recorded. No time passes but on the clock of the session
    (`now_s`), and for a command that is fed from a file, which takes as long as it did, since senders measure the rate.
    """

    def __init__(self, path: Path) -> None:
        self.address = f"replay:{path}"
        self._transcript = read_transcript(path)
        self._tokens = Tokens()
        self._position = 0
        self._failed: UnexpectedCallError | None = None

    @property
    def remaining(self) -> int:
        """Recorded calls that nobody has made yet."""
        return len(self._transcript.calls) - self._position

    @property
    def now_s(self) -> float:
        """The time in the recorded session: seconds from its beginning to the end of the last call that was made."""
        if self._position == 0:
            return 0.0
        last = self._transcript.calls[self._position - 1]
        return last.started_s + last.duration_s

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        """The recorded result, with the argv of this call."""
        call = self._expected()
        texts = [plain_text(str(argument)) for argument in argv]
        if not isinstance(call, RunCall) or not self._tokens.match(call.argv, texts):
            self._refuse(call, f"the command {_shown(texts)}")
        self._position += 1
        if not isinstance(stdin, bytes):
            self._consume(stdin, call)
        _raise_recorded(call.error)
        result = call.result
        assert result is not None  # the schema has one of the two
        return Completed(
            argv=tuple(argv),
            exit_code=result.exit_code,
            stdout=self._answer(result.stdout),
            stderr=self._answer(result.stderr),
            duration_s=call.duration_s,
            signal=result.signal,
        )

    def push(self, source: Path, target: PurePosixPath, *, mode: int = 0o644) -> None:
        """Nothing is kept: what the recorded command said of it follows."""
        call = self._expected()
        try:
            digest = sha256_of(source.read_bytes())
        except OSError as error:
            raise TransportError(f"{self.address} expected to copy {source}, got: {error.strerror}.") from error
        if (
            not isinstance(call, PushCall)
            or (call.mode, call.sha256) != (mode, digest)
            or not self._tokens.match([call.target], [plain_text(str(target))])
        ):
            self._refuse(call, f"a push to {target} with mode {mode:o} and sha256 {digest}")
        self._position += 1
        _raise_recorded(call.error)

    def pull(self, source: PurePosixPath, target: Path) -> None:
        """The recorded content."""
        call = self._expected()
        if not isinstance(call, PullCall) or not self._tokens.match([call.source], [plain_text(str(source))]):
            self._refuse(call, f"a pull of {source}")
        self._position += 1
        _raise_recorded(call.error)
        assert call.content is not None  # the schema has one of the two
        self._write(target, self._transcript.data(call.content))

    def close(self) -> None:
        """Nothing waits and nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _expected(self) -> Call | None:
        """The next recorded call, None after the last."""
        if self._failed is not None:
            raise self._failed
        calls = self._transcript.calls
        return calls[self._position] if self._position < len(calls) else None

    def _refuse(self, expected: Call | None, got: str) -> NoReturn:
        end = "no further call" if self._transcript.complete else "no further call (recording stopped there)"
        self._failed = UnexpectedCallError(
            f"{self.address}: expected call {self._position + 1} to be {_describe(expected) if expected else end}, got "
            f"{got}: replay with the pocketbench version {self._transcript.header.pocketbench_version}"
            " and the options, files and device directory of the recording."
        )
        raise self._failed

    def _answer(self, value: Bytes) -> bytes:
        return self._tokens.translate(self._transcript.data(value))

    def _consume(self, stream: BinaryIO, call: RunCall) -> None:
        left = call.stdin.length
        while left > 0 and (chunk := stream.read(min(_CHUNK_BYTES, left))):
            left -= len(chunk)

    def _write(self, target: Path, data: bytes) -> None:
        temporary: Path | None = None
        try:
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as stream:
                temporary = Path(stream.name)
                stream.write(data)
            temporary.chmod(0o644)
            temporary.replace(target)
        except OSError as error:
            raise TransportError(f"{self.address} expected to write {target}, got: {error.strerror}.") from error
        finally:
            if temporary is not None:
                temporary.unlink(missing_ok=True)


def _describe(call: Call) -> str:
    if isinstance(call, RunCall):
        return f"the command {_shown(call.argv)}"
    if isinstance(call, PushCall):
        return f"a push to {call.target} with mode {call.mode:o} and sha256 {call.sha256}"
    return f"a pull of {call.source}"


def _shown(argv: Sequence[str]) -> str:
    short = (text if len(text) <= _SHOWN_OF_EACH else f"{text[:_SHOWN_OF_EACH]}…" for text in argv)
    return repr(shlex.join(short)[:_SHOWN_CHARACTERS])


def _raise_recorded(failure: Failure | None) -> None:
    if failure is not None:
        raise _ERRORS[failure.name](failure.message)
