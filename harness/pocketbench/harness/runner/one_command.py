"""A launch as one command: its input goes in with it, and its result files come back behind its events.

Each command costs a device round trips and a shell; a launch of half a second must not wait for three of them.

What comes back on standard output are the runner's events, an empty line's end, the launch's token in a line of its
own, and for each result file a line with its name and size, and its bytes. All of it is the device's word: a reader
goes by the names it asked for and by what the events count, nothing else.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from pocketbench.checked.errors import InputError
from pocketbench.harness.errors import RunnerError, TransportError
from pocketbench.harness.runner.protocol import without_controls
from pocketbench.harness.transports.base import Completed, Transport

__all__ = ["OneCommand"]

_CLEAN_UP_TIMEOUT_S = 30.0
_INPUT_FAILED = 74  # EX_IOERR of sysexits.h; the runner knows 0 and 1
_SENSORS, _INPUT = "sensors", "input"

# $1 path that the names of the files begin with, $2 token, $3 bytes of the list of sensors at the start of the standard
# input, $4 whether an input follows, $5 names of the result files; then the runner's command.
# Whatever ends the script, a cut connection too, it removes the files; nothing can do so after SIGKILL. dd takes byte
# by byte: head may read more from a pipe than it prints.
_SCRIPT = """\
files=$1 token=$2 listed=$3 input=$4 results=$5
shift 5
trap 'rm -f "$files".*' EXIT
trap 'exit 1' HUP INT PIPE TERM
if [ "$listed" -gt 0 ]; then dd bs=1 count="$listed" of="$files.sensors" 2> /dev/null || exit 74; fi
if [ "$input" = yes ]; then cat > "$files.input" || exit 74; fi
"$@"
code=$?
echo
echo "$token"
if [ "$code" -eq 0 ]; then
  for name in $results; do
    [ -f "$files.$name" ] || continue
    echo "$name $(($(wc -c < "$files.$name")))"
    cat "$files.$name"
  done
fi
exit "$code"
"""


@dataclass(frozen=True, slots=True)
class OneCommand:
    """Its files lie in `folder` while it runs, under names that no other launch uses."""

    folder: PurePosixPath
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    def file(self, name: str) -> PurePosixPath:
        """Where a file of this launch is: `input`, `sensors`, or a result."""
        return self.folder / f".{self.token}.{name}"

    def run(
        self,
        transport: Transport,
        argv: Sequence[str],
        *,
        timeout_s: float,
        input_file: Path | None = None,
        sensors: bytes = b"",
        results: Sequence[str] = (),
    ) -> tuple[Completed, dict[str, bytes]]:
        """Run `argv` with `input_file` of this computer; the command with its own output, and the files of `results`.

        `sensors` is the list of sensors. There are no files unless it ended with 0. Raises InputError where
        `input_file` cannot be read, RunnerError where the device cannot take it or what comes back is damaged, and what
        the transport raises. Then too the files are removed, if the device still answers.
        """
        prefix, given = str(self.folder / f".{self.token}"), "no" if input_file is None else "yes"
        script = ("sh", "-c", _SCRIPT, "runner", prefix, self.token, str(len(sensors)), given, " ".join(results))
        stdin = sensors + (b"" if input_file is None else _content(input_file))
        try:
            completed = transport.run((*script, *argv), timeout_s=timeout_s, stdin=stdin)
        except BaseException:
            self._remove_files(transport, results)
            raise
        output, marked, rest = completed.stdout.partition(f"\n{self.token}\n".encode())
        if not marked:  # the shell was killed, or never started
            self._remove_files(transport, results)
            if completed.exit_code == _INPUT_FAILED:
                said = without_controls(completed.stderr.decode(errors="replace"))
                raise RunnerError(
                    f"{transport.address} expected to write the launch's input to {self.file(_INPUT)}, got: {said}: "
                    "make room there, or deploy again.",
                    stage="input",
                )
        return replace(completed, stdout=output), _files(rest, results)

    def _remove_files(self, transport: Transport, results: Sequence[str]) -> None:
        paths = [str(self.file(name)) for name in (_INPUT, _SENSORS, *results)]
        with contextlib.suppress(TransportError):  # a device that is gone: what it did is already on its way up
            transport.run(("rm", "-f", *paths), timeout_s=_CLEAN_UP_TIMEOUT_S)


def _files(content: bytes, names: Sequence[str]) -> dict[str, bytes]:
    """Lines of name and size, each with so many bytes behind it; each name once, in the order asked for."""
    files: dict[str, bytes] = {}
    left = list(names)
    while content:
        line, ended, content = content.partition(b"\n")
        name, _, size = line.decode(errors="replace").partition(" ")
        if not ended or name not in left or not (size.isascii() and size.isdigit() and len(size) < 12):
            raise _damaged(f"{without_controls(line[:80].decode(errors='replace'))!r}")
        if int(size) > len(content):
            raise _damaged(f"{len(content)} of {size} bytes of {name}")
        files[name], content = content[: int(size)], content[int(size) :]
        del left[: left.index(name) + 1]
    return files


def _damaged(what: str) -> RunnerError:
    return RunnerError(f"expected the launch's files, each with its name and size, got {what}.", stage="samples")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"expected a tensor file that can be read, got {path}: {error.strerror or error}.") from error
