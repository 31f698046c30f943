"""A launch as one command: its input goes in with it, and its samples come back behind its events.

Each command costs a device round trips and a shell; a launch of half a second must not wait for three of them.

What comes back on standard output are the runner's events, an empty line's end, the launch's token in a line of its
own, and the samples file as it is. All of it is the device's word: a reader goes by the events' counts, nothing else.
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

# $1 path that the names of the files begin with, $2 token, $3 whether there is an input; then the runner's command.
# Whatever ends the script, a cut connection too, it removes the files; nothing can do so after SIGKILL.
_SCRIPT = """\
files=$1 token=$2 input=$3
shift 3
trap 'rm -f "$files.input" "$files.samples"' EXIT
trap 'exit 1' HUP INT PIPE TERM
if [ "$input" = yes ]; then cat > "$files.input" || exit 74; fi
"$@"
code=$?
echo
echo "$token"
if [ "$code" -eq 0 ] && [ -f "$files.samples" ]; then cat "$files.samples"; fi
exit "$code"
"""


@dataclass(frozen=True, slots=True)
class OneCommand:
    """Its files lie in `folder` while it runs, under names that no other launch uses."""

    folder: PurePosixPath
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def input(self) -> PurePosixPath:
        """Where the runner finds its input."""
        return self.folder / f".{self.token}.input"

    @property
    def samples(self) -> PurePosixPath:
        """Where the runner is to write its samples."""
        return self.folder / f".{self.token}.samples"

    def run(
        self,
        transport: Transport,
        argv: Sequence[str],
        *,
        input_file: Path | None,
        timeout_s: float,
    ) -> tuple[Completed, bytes]:
        """Run `argv` with `input_file` of this computer; the command with its own output, and the samples.

        The samples are empty unless it ended with 0. Raises InputError where `input_file` cannot be read, RunnerError
        where the device cannot take it, and what the transport raises. Then too the files are removed, if the device
        still answers.
        """
        prefix, given = str(self.folder / f".{self.token}"), "no" if input_file is None else "yes"
        script = ("sh", "-c", _SCRIPT, "runner", prefix, self.token, given, *argv)
        stdin = b"" if input_file is None else _content(input_file)
        try:
            completed = transport.run(script, timeout_s=timeout_s, stdin=stdin)
        except BaseException:
            self._remove_files(transport)
            raise
        output, marked, samples = completed.stdout.partition(f"\n{self.token}\n".encode())
        if not marked:  # the shell was killed, or never started
            self._remove_files(transport)
            if completed.exit_code == _INPUT_FAILED:
                said = without_controls(completed.stderr.decode(errors="replace"))
                raise RunnerError(
                    f"{transport.address} expected to write the launch's input to {self.input}, got: {said}: make room "
                    "there, or deploy again.",
                    stage="input",
                )
        return replace(completed, stdout=output), samples

    def _remove_files(self, transport: Transport) -> None:
        with contextlib.suppress(TransportError):  # a device that is gone: what it did is already on its way up
            transport.run(("rm", "-f", str(self.input), str(self.samples)), timeout_s=_CLEAN_UP_TIMEOUT_S)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"expected a tensor file that can be read, got {path}: {error.strerror or error}.") from error
