"""A benchmark program of the user's on a device: placed once, launched as often as wanted, then removed."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from pocketbench.checked.errors import InputError
from pocketbench.harness.deploy.hashing import digest_of
from pocketbench.harness.deploy.plan import is_name
from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.errors import DeviceTimeoutError, RunnerError, TransportError
from pocketbench.harness.opinion.lines import clean_lines, errors_of
from pocketbench.harness.opinion.opinion import Asked, Opinion, OpinionError, ToolName
from pocketbench.harness.opinion.tools import TOOLS, tool_arguments, tool_of
from pocketbench.harness.runner.one_command import OneCommand
from pocketbench.harness.transports.base import Completed, Transport, run_checked

__all__ = ["PlacedProgram", "Program", "placed", "take_opinion"]

_STEP_TIMEOUT_S = 60.0
_RESULT = "opinion"
_NOT_STARTED = {
    126: "It cannot be executed: is it built for this device's processor, and does its storage allow programs there?",
    127: "It, its interpreter, or its loader is not there.",
}


@dataclass(frozen=True, slots=True)
class Program:
    """A program on this computer, and the shared libraries that it is to find beside it.

    `tool` is told by its name. `interpreter` is what starts it on the device: none for a program, `python3` for a
    script unless another one is named.
    """

    path: Path
    libraries: tuple[Path, ...] = ()
    interpreter: tuple[str, ...] = ()
    tool: ToolName = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tool", tool_of(self.path))
        names = [path.name for path in (self.path, *self.libraries)]
        if len(set(names)) != len(names) or not all(map(is_name, names)):
            raise InputError(f"expected files with different names of letters, digits and . _ + -, got {names!r}.")
        for path in (self.path, *self.libraries):
            if not path.is_file():
                raise InputError(
                    f"expected a benchmark program and its libraries as files, got {path}: check the path."
                )


@dataclass(frozen=True, slots=True)
class PlacedProgram:
    """It lies in `folder` on the device; `command` starts it."""

    tool: ToolName
    folder: PurePosixPath
    command: tuple[str, ...]
    sha256: str


@contextlib.contextmanager
def placed(transport: Transport, program: Program, work_directory: PurePosixPath) -> Iterator[PlacedProgram]:
    """`program` in a folder of its own below `work_directory`, which exists; removed in the end, if the device answers.

    Raises TransportError or CommandError where it cannot be sent.
    """
    folder = work_directory / f".opinion-{secrets.token_hex(8)}"
    try:
        run_checked(transport, ("mkdir", str(folder)), timeout_s=_STEP_TIMEOUT_S)
        for path in (program.path, *program.libraries):
            transport.push(path, folder / path.name, mode=0o755)
        libraries = ("env", f"LD_LIBRARY_PATH={folder}") if program.libraries else ()
        interpreter = program.interpreter or TOOLS[program.tool].interpreter
        command = (*libraries, *interpreter, str(folder / program.path.name))
        yield PlacedProgram(program.tool, folder, command, digest_of(program.path))
    finally:
        with contextlib.suppress(TransportError):  # a device that is gone: why is already on its way up
            transport.run(("rm", "-rf", str(folder)), timeout_s=_STEP_TIMEOUT_S)


def take_opinion(transport: Transport, program: PlacedProgram, asked: Asked) -> Opinion:
    """One launch; nothing of it stays on the device.

    Raises InputError where the program cannot do what is asked, OpinionError where it failed or did something else,
    DeviceTimeoutError after `asked.time_limit_s`, TransportError where the device is gone.
    """
    command = OneCommand(program.folder)
    arguments = tool_arguments(program.tool, asked, command.file(_RESULT))
    argv = (*_binding(asked), *program.command, *arguments)
    try:
        completed, files = command.run(transport, argv, timeout_s=asked.time_limit_s, results=(_RESULT,))
    except DeviceTimeoutError as error:
        raise DeviceTimeoutError(
            f"{transport.address} expected {program.tool} to finish within {asked.time_limit_s:g} s, got no end: "
            "stopped it. Ask for fewer iterations, or allow more time."
        ) from error
    except RunnerError as error:
        raise OpinionError(
            f"{transport.address} expected {program.tool}'s result, got damaged bytes: {error}"
        ) from error
    try:
        _check_end(program.tool, completed)
        output = completed.stdout + b"\n" + completed.stderr
        opinion = TOOLS[program.tool].parse(output, files.get(_RESULT, b""), asked)
    except OpinionError as error:
        raise OpinionError(f"{transport.address} {error}") from error
    return replace(opinion, arguments=arguments, program_sha256=program.sha256)


def _binding(asked: Asked) -> tuple[str, ...]:
    """A mask is what every taskset takes: util-linux, busybox, toybox; only the first knows lists of cores."""
    return () if asked.cores is None else ("taskset", f"{sum(1 << core for core in set(asked.cores)):x}")


def _check_end(tool: ToolName, completed: Completed) -> None:
    if completed.exit_code == 0:
        return
    lines = clean_lines(completed.stdout + b"\n" + completed.stderr)
    said = errors_of(lines) or tuple(text for line in lines[-3:] if (text := clean_text(line.text)))
    number = completed.signal or completed.exit_code - 128
    end = f"signal {number}" if 0 < number <= 64 else f"exit code {completed.exit_code}"
    remedy = _NOT_STARTED.get(completed.exit_code, "Does it run there by hand, with this model?")
    words = f" It said: {'; '.join(said[:5])}." if said else ""
    raise OpinionError(f"expected {tool} to end with exit code 0, got {end}. {remedy}{words}")
