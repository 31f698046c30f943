"""How a launch of the runner ended: its events, or an error that says why there are none."""

from __future__ import annotations

import signal
from collections import Counter

from pocketbench.harness.errors import RunnerCrashError, RunnerError
from pocketbench.harness.runner.protocol import (
    DoneEvent,
    ErrorEvent,
    Event,
    MemoryEvent,
    StageEvent,
    last_stage,
    parse_events,
    without_controls,
)
from pocketbench.harness.transports.base import Completed

__all__ = ["read_launch"]

# A shell says 128 + n for a command that signal n ended. Linux has 64 signals; 255 is how ssh says that it failed.
_SIGNALS = range(1, 65)
# What a shell says for a program that cannot be started, or is not there.
_NOT_STARTED = (126, 127)
# What shells say of a program that they cannot start, and what it means. "Exec format error" is the kernel's (dash,
# bash), "not executable: 64-bit ELF file" mksh's; busybox takes it for a script: "line 1: \x7fELF...: not found".
_REMEDIES = {
    "Permission denied": "Programs may not be executed in its directory, for example since its storage is mounted with "
    "noexec: register the device with another --directory.",
    "Exec format error": "It is built for another processor than the device's.",
    "ELF": "It is built for another processor than the device's.",
}
_REMEDY = "Is it built for this device, and are its C library and loader there?"
_SHOWN_BYTES = 200


def read_launch(completed: Completed, device: str) -> list[Event]:
    """The events of a launch that ended well; RunnerError or RunnerCrashError for any other."""
    number = completed.signal or completed.exit_code - 128
    crashed = number in _SIGNALS
    # What a crash cuts off is no fault of the protocol.
    stdout = completed.stdout[: completed.stdout.rfind(b"\n") + 1] if crashed else completed.stdout
    try:
        events = parse_events(stdout)
        _check_sequence(events)
    except RunnerError as error:
        raise RunnerError(f"{device} {error}", stage=error.stage) from error
    stage = last_stage(events)
    words = _engine_words(completed.stderr)
    said = f" The engine said: {words}" if words else ""
    last = events[-1] if events else None
    if isinstance(last, ErrorEvent):
        raise RunnerError(f"{device} {last.stage}: {last.message.rstrip('.')}.{said}", stage=last.stage)
    if crashed:
        raise RunnerCrashError(
            f"{device} the runner was ended by {_signal_name(number)} at stage {stage!r}: the engine crashed, or the "
            f"device ran out of memory.{said}",
            stage=stage,
            signal=number,
        )
    remedy = next((remedy for said_so, remedy in _REMEDIES.items() if said_so in words), _REMEDY)
    if not events and (completed.exit_code in _NOT_STARTED or (completed.exit_code != 0 and remedy != _REMEDY)):
        raise RunnerError(
            f"{device} expected the runner to start, got exit code {completed.exit_code}: {words or 'no reason'}. "
            f"{remedy}",
            stage=stage,
        )
    if completed.exit_code != 0:
        raise RunnerError(
            f"{device} expected the runner to say why it failed, got exit code {completed.exit_code} at stage "
            f"{stage!r} and nothing else.{said}",
            stage=stage,
        )
    if not isinstance(last, DoneEvent):
        raise RunnerError(
            f"{device} expected the runner's output to end with the event 'done', got "
            f"{_instead_of_done(last, completed.stdout)}.{said}",
            stage=stage,
        )
    return events


def _instead_of_done(last: Event | None, stdout: bytes) -> str:
    if last is None and stdout.strip():
        beginning = without_controls(stdout[:_SHOWN_BYTES].decode(errors="replace"))
        return f"{len(stdout)} bytes without any event, which begin with {beginning!r}"
    return f"{last.event if last else 'no event'!r}: it is truncated"


def _check_sequence(events: list[Event]) -> None:
    """Nothing after the end, and nothing said twice: two answers to one question are none."""
    for event in events[:-1]:
        if isinstance(event, DoneEvent | ErrorEvent):
            raise RunnerError(
                f"expected nothing from the runner after its event {event.event!r}, got more.", stage=last_stage(events)
            )
    said = Counter(
        f"memory at {event.stage}" if isinstance(event, MemoryEvent) else event.event
        for event in events
        if not isinstance(event, StageEvent)
    )
    twice = sorted(name for name, times in said.items() if times > 1)
    if twice:
        raise RunnerError(f"expected each event of the runner once, got {twice} again.", stage=last_stage(events))


def _signal_name(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


# What engines print on standard error: "INFO: [cpu_registry.cc:75] XNNPACK CPU accelerator registered.",
# "ERROR: The model allocation is null/empty". The runner repeats its own message there, after its name.
def _engine_words(stderr: bytes) -> str:
    lines = stderr[-65536:].decode(errors="replace").splitlines()
    quiet = ("INFO:", "WARNING:", "pocketbench-runner:")
    return without_controls(" | ".join(line.strip() for line in lines if line.strip() and not line.startswith(quiet)))
