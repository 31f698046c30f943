"""What the runner says, read strictly. docs/runner.md describes the events.

Everything here comes from a device and is untrusted: a line that is not exactly an event is an error, and texts lose
their control characters before they reach a terminal.
"""

from __future__ import annotations

import signal
from typing import Annotated, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from pocketbench.checked.yaml import Strict
from pocketbench.compression.manifest import TensorFacts
from pocketbench.harness.errors import RunnerCrashError, RunnerError
from pocketbench.harness.transports.base import Completed

__all__ = [
    "SCHEMA_VERSION",
    "EngineEvent",
    "Event",
    "FirstInferenceEvent",
    "InferredEvent",
    "MemoryEvent",
    "ModelEvent",
    "SamplesEvent",
    "one_event",
    "parse_events",
    "read_launch",
]

SCHEMA_VERSION = 1
_EVENT_START = b'{"schema":'
_WORDS_LIMIT = 2000  # characters of an engine's own words in one of our messages

Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
Bytes = Count | None


class _Event(Strict):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
    schema_version: Literal[1] = Field(alias="schema")


class StageEvent(_Event):
    """What starts now; a crash from here on belongs to it."""

    event: Literal["stage"]
    stage: str


class EngineEvent(_Event):
    """The engine is loaded. LiteRT's library does not tell its version."""

    event: Literal["engine"]
    name: Literal["litert", "onnxruntime"]
    version: str | None
    engine_load_ns: Count


class ModelEvent(_Event):
    """The model is ready; in describe mode only loaded."""

    event: Literal["model"]
    model_init_ns: Count
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]


class FirstInferenceEvent(_Event):
    """The first inference of the process."""

    event: Literal["first_inference"]
    first_inference_ns: Count


class MemoryEvent(_Event):
    """Memory of the process at a stage; None where the kernel does not say or it was not asked."""

    event: Literal["memory"]
    stage: Literal["start", "engine_loaded", "model_loaded", "first_inference", "end"]
    resident_bytes: Bytes
    peak_resident_bytes: Bytes
    pss_bytes: Bytes
    private_clean_bytes: Bytes
    private_dirty_bytes: Bytes


class SamplesEvent(_Event):
    """The samples file is complete: so many warm-up iterations, then so many steady ones."""

    event: Literal["samples"]
    warmup: Count
    steady: Annotated[int, Field(ge=1)]
    flags: tuple[Literal["warmup_max_time", "max_time", "sample_limit"], ...]


class InferredEvent(_Event):
    """The output file is complete."""

    event: Literal["inferred"]
    runs: Annotated[int, Field(ge=1)]


class ErrorEvent(_Event):
    """Something failed at `stage`."""

    event: Literal["error"]
    stage: str
    message: str


class DoneEvent(_Event):
    """The last line of a launch that went well."""

    event: Literal["done"]


Event = Annotated[
    StageEvent
    | EngineEvent
    | ModelEvent
    | FirstInferenceEvent
    | MemoryEvent
    | SamplesEvent
    | InferredEvent
    | ErrorEvent
    | DoneEvent,
    Field(discriminator="event"),
]
_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)
_Kind = TypeVar("_Kind", bound=_Event)


def parse_events(stdout: bytes) -> list[Event]:
    """Events out of a standard output.

    Noise before the first event (a login message, a wrapper's chatter) is skipped, however long; after it every line
    must be an event, and the last must be complete. Raises RunnerError otherwise.
    """
    start = 0 if stdout.startswith(_EVENT_START) else stdout.find(b"\n" + _EVENT_START) + 1
    if start == 0 and not stdout.startswith(_EVENT_START):
        return []
    *lines, rest = stdout[start:].split(b"\n")
    events = [_parse_line(line) for line in lines]
    if rest:
        raise RunnerError(
            f"expected complete lines from the runner, got the last one without its end: {_shown(rest)!r}.",
            stage=_last_stage(events),
        )
    return events


def _parse_line(line: bytes) -> Event:
    try:
        return _ADAPTER.validate_json(line)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise RunnerError(
            f"expected an event of schema {SCHEMA_VERSION} from the runner, got {_shown(line)!r} "
            f"({where or 'the line'}: {problem['msg']}): is this runner from another version of pocketbench?",
            stage="protocol",
        ) from error


def read_launch(completed: Completed, device: str) -> list[Event]:
    """The events of a launch that ended well; RunnerError or RunnerCrashError for any other."""
    events = parse_events(completed.stdout)
    stage = _last_stage(events)
    engine_words = _engine_words(completed.stderr)
    said = f" The engine said: {engine_words}" if engine_words else ""
    last = events[-1] if events else None
    if isinstance(last, ErrorEvent):
        raise RunnerError(f"{device} {last.stage}: {_clean(last.message)}.{said}", stage=last.stage)
    # A shell in between says 128 + number.
    number = completed.signal or (completed.exit_code - 128 if completed.exit_code > 128 else None)
    if number is not None:
        raise RunnerCrashError(
            f"{device} the runner was ended by {_signal_name(number)} at stage {stage!r}: the engine crashed, or the "
            f"device ran out of memory.{said}",
            stage=stage,
            signal=number,
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
            f"{last.event if last else 'no event'!r}: it is truncated.{said}",
            stage=stage,
        )
    return events


def one_event(events: list[Event], kind: type[_Kind]) -> _Kind:
    """The only event of a kind; RunnerError where there is none or more than one."""
    found = [event for event in events if isinstance(event, kind)]
    if len(found) != 1:
        raise RunnerError(
            f"expected exactly one {kind.__name__} from the runner, got {len(found)}.", stage=_last_stage(events)
        )
    return found[0]


def _last_stage(events: list[Event]) -> str:
    return next((_clean(event.stage) for event in reversed(events) if isinstance(event, StageEvent)), "start")


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
    return _clean(" | ".join(line.strip() for line in lines if line.strip() and not line.startswith(quiet)))


def _clean(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text).strip()
    return printable if len(printable) <= _WORDS_LIMIT else f"{printable[:_WORDS_LIMIT]} [...]"


def _shown(line: bytes) -> str:
    return _clean(line[:200].decode(errors="replace"))
