"""What the runner says, read strictly. docs/runner.md describes the events.

Everything here comes from a device and is untrusted: a line that is not exactly an event is an error, and texts lose
their control characters before they reach a terminal.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar, get_args

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from pocketbench.checked.yaml import Strict
from pocketbench.compression.manifest import TensorFacts
from pocketbench.harness.errors import RunnerError

__all__ = [
    "SCHEMA_VERSION",
    "STAGES",
    "DoneEvent",
    "EngineEvent",
    "ErrorEvent",
    "Event",
    "FirstInferenceEvent",
    "IdleEvent",
    "InferredEvent",
    "MemoryEvent",
    "ModelEvent",
    "PlacementEvent",
    "ProfileEvent",
    "SamplesEvent",
    "SensorsEvent",
    "StageEvent",
    "TensorEntry",
    "last_stage",
    "one_event",
    "parse_events",
    "without_controls",
]

SCHEMA_VERSION = 1
_EVENT_START = b'{"schema":'
_WORDS_LIMIT = 2000  # characters of an engine's own words in one of our messages

Stage = Literal[
    "start",
    "options",
    "sensors",
    "streams",
    "engine_load",
    "model_load",
    "input",
    "first_inference",
    "idle",
    "warmup",
    "run",
    "profile",
    "samples",
]
STAGES: tuple[str, ...] = get_args(Stage)


def without_controls(text: str) -> str:
    """`text` as one printable line of bounded length: it comes from a device and goes to a terminal."""
    printable = "".join(character if character.isprintable() else " " for character in text).strip()
    return printable if len(printable) <= _WORDS_LIMIT else f"{printable[:_WORDS_LIMIT]} [...]"


Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
Iterations = Annotated[int, Field(ge=0, le=1 << 22)]  # SAMPLE_LIMIT in src/bench.c
Int64 = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
Bytes = Count | None
Words = Annotated[str, AfterValidator(without_controls)]
_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class _Event(Strict):
    model_config = _STRICT
    schema_version: Literal[1] = Field(alias="schema")


class TensorEntry(Strict):
    """An input or output in the event "model": -1 in `shape` is dynamic, `scale` is null where not quantized."""

    model_config = _STRICT
    name: Words
    dtype: Literal[
        "bfloat16",
        "bool",
        "float16",
        "float32",
        "float64",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
    ]
    shape: Annotated[tuple[Annotated[int, Field(ge=-1, le=2**63 - 1)], ...], Field(max_length=16)]
    scale: float | None
    zero_point: Int64 | None

    def facts(self) -> TensorFacts:
        """The same as the rest of pocketbench knows it."""
        return TensorFacts(**self.model_dump())


class StageEvent(_Event):
    """What starts now; a crash from here on belongs to it."""

    event: Literal["stage"]
    stage: Stage


class EngineEvent(_Event):
    """The engine is loaded. LiteRT's library does not tell its version."""

    event: Literal["engine"]
    name: Literal["litert", "onnxruntime"]
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z.+_-]{1,64}$")] | None
    engine_load_ns: Count


class PlacementEvent(_Event):
    """Where the model runs, if not on the CPU alone. None where the engine does not say: its profile does then."""

    event: Literal["placement"]
    accelerator: Literal["gpu", "npu", "xnnpack", "nnapi", "qnn"]
    fully_accelerated: bool | None


class ModelEvent(_Event):
    """The model is ready; in describe mode only loaded."""

    event: Literal["model"]
    model_init_ns: Count
    inputs: tuple[TensorEntry, ...]
    outputs: tuple[TensorEntry, ...]


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
    warmup: Iterations
    steady: Annotated[Iterations, Field(ge=1)]
    flags: tuple[Literal["warmup_max_time", "max_time", "sample_limit"], ...]


class IdleEvent(_Event):
    """The process did nothing between these two times of the device's clock."""

    event: Literal["idle"]
    start_ns: Count
    end_ns: Count


class SensorsEvent(_Event):
    """The readings file is complete. `late` counts readings left out because others took too long.

    `cpu_ns` is what the sampler's process and its commands used, of `wall_ns` that it was there.
    """

    event: Literal["sensors"]
    readings: Count
    late: Count
    cpu_ns: Count
    wall_ns: Count
    flags: tuple[Literal["readings_limit"], ...]


class ProfileEvent(_Event):
    """The engine has written what each operator took in so many inferences."""

    event: Literal["profile"]
    runs: Annotated[Count, Field(ge=1)]


class InferredEvent(_Event):
    """The output file is complete."""

    event: Literal["inferred"]
    runs: Annotated[Count, Field(ge=1)]


class ErrorEvent(_Event):
    """Something failed at `stage`."""

    event: Literal["error"]
    stage: Stage
    message: Words


class DoneEvent(_Event):
    """The last line of a launch that went well."""

    event: Literal["done"]


Event = Annotated[
    StageEvent
    | EngineEvent
    | PlacementEvent
    | ModelEvent
    | FirstInferenceEvent
    | MemoryEvent
    | SamplesEvent
    | IdleEvent
    | SensorsEvent
    | ProfileEvent
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
            stage=last_stage(events),
        )
    return events


def _parse_line(line: bytes) -> Event:
    try:
        return _ADAPTER.validate_json(line)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise RunnerError(
            # Field names and values in the validator's own words are the device's as well.
            f"expected an event of schema {SCHEMA_VERSION} from the runner, got {_shown(line)!r} "
            f"({without_controls(where)[:200] or 'the line'}: {without_controls(problem['msg'])[:300]}): "
            "is this runner from another version of pocketbench?",
            stage="protocol",
        ) from error


def one_event(events: list[Event], kind: type[_Kind]) -> _Kind:
    """The only event of a kind; RunnerError where there is none or more than one."""
    found = [event for event in events if isinstance(event, kind)]
    if len(found) != 1:
        raise RunnerError(
            f"expected exactly one {kind.__name__} from the runner, got {len(found)}.", stage=last_stage(events)
        )
    return found[0]


def last_stage(events: list[Event]) -> str:
    """The stage that a launch had reached."""
    return next((event.stage for event in reversed(events) if isinstance(event, StageEvent)), "start")


def _shown(line: bytes) -> str:
    return without_controls(line[:200].decode(errors="replace"))
