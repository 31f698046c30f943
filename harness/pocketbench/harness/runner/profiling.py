"""What each operator took, out of the profile that an engine wrote in the runner's mode `profile`.

LiteRT's profiler counts whole microseconds, ONNX Runtime's too: a time is the mean over all runs. Profiling costs time
itself, so these times say where time goes, not how much it is: that is what `bench` is for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pocketbench.harness.engines.catalogue import EngineName
from pocketbench.harness.errors import RunnerError
from pocketbench.harness.runner.protocol import without_controls

__all__ = ["PROFILE_LIMIT_BYTES", "OperatorTime", "conversions", "parse_profile"]

# 50 runs of a network of a thousand operators, at the 700 bytes that ONNX Runtime writes for each.
PROFILE_LIMIT_BYTES = 64 << 20
_MOST_OPERATORS = 100_000
_NAME_LIMIT = 300  # characters
# tflite/core/api/profiler.h: OPERATOR_INVOKE_EVENT of the interpreter's own kernels, and what a delegate runs.
_INTERPRETER, _DELEGATE = 2, {4, 8}
_KERNEL = "_kernel_time"
# Operators that change the type of numbers and compute nothing: where they are left, nothing fused them away.
_CONVERSIONS = frozenset({"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QUANTIZE", "DEQUANTIZE"})


@dataclass(frozen=True, slots=True)
class OperatorTime:
    """An operator at its `position` in the order of execution.

    `operator` is its kind in the engine's words, `name` its node's, empty where the engine does not tell. `runs_on` is
    what ran it: LiteRT's delegate (`XNNPACK`; with another accelerator which one is not told: `delegate (gpu)`) or its
    own kernels (`interpreter`), or an execution provider of ONNX Runtime (`CPU`). `time_ns` is the mean per inference,
    `share` its part of all operators' time.
    """

    position: int
    operator: str
    name: str
    runs_on: str
    time_ns: int
    share: float


def conversions(operators: Sequence[OperatorTime]) -> int:
    """How many operators do nothing but quantize or dequantize: the engine did not fuse them with a neighbour."""
    return sum(operator.operator in _CONVERSIONS or operator.operator.startswith("Convert (") for operator in operators)


def parse_profile(
    engine: EngineName, content: bytes, runs: int, *, accelerator: str = "cpu"
) -> tuple[OperatorTime, ...]:
    """The operators in the profile of `runs` inferences on `accelerator`; RunnerError where it is not one."""
    delegate = "XNNPACK" if accelerator == "cpu" else f"delegate ({accelerator})"
    parse: dict[EngineName, Callable[[bytes, int], list[list[_Timed]]]] = {
        "litert": partial(_litert_runs, delegate=delegate),
        "onnxruntime": _onnxruntime_runs,
    }
    if len(content) > PROFILE_LIMIT_BYTES:
        raise _damaged(f"more than {PROFILE_LIMIT_BYTES} bytes")
    return _mean(parse[engine](content, runs))


@dataclass(frozen=True, slots=True)
class _Timed:
    operator: str
    name: str
    runs_on: str
    time_us: int

    @property
    def key(self) -> tuple[str, str, str]:
        return self.operator, self.name, self.runs_on


def _mean(runs: list[list[_Timed]]) -> tuple[OperatorTime, ...]:
    first = [timed.key for timed in runs[0]]
    if any([timed.key for timed in run] != first for run in runs[1:]):
        raise _damaged("operators that differ from one run to the next")
    if not 1 <= len(first) <= _MOST_OPERATORS:
        raise _damaged(f"{len(first)} operators")
    times_us = [sum(column) / len(runs) for column in zip(*([t.time_us for t in run] for run in runs), strict=True)]
    total_us = sum(times_us)
    return tuple(
        OperatorTime(position, *key, time_ns=round(time_us * 1000), share=time_us / total_us if total_us else 0.0)
        for position, (key, time_us) in enumerate(zip(first, times_us, strict=True))
    )


def _litert_runs(content: bytes, runs: int, *, delegate: str) -> list[list[_Timed]]:
    """Lines of src/litert.c: run, type, source, node, time in us, tag."""
    found: list[list[_Timed]] = [[] for _ in range(runs)]
    for line in content.decode(errors="replace").splitlines():
        fields = line.split("\t", 5)
        if len(fields) != 6:
            raise _damaged(f"the line {line[:80]!r}")
        run, kind, _, _, time_us = (_whole(field) for field in fields[:5])
        if kind != _INTERPRETER and kind not in _DELEGATE:
            continue  # the whole call, or telemetry
        if not (0 <= run < runs and 0 <= time_us < 2**50):
            raise _damaged(f"the line {line[:80]!r}")
        runs_on = "interpreter" if kind == _INTERPRETER else delegate
        found[run].append(_Timed(_shown(fields[5]), "", runs_on, time_us))
    return found


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    op_name: str
    provider: str


class _NodeEvent(BaseModel):
    """An event of category "Node"; onnxruntime/core/common/profiler.cc writes them."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    name: str
    dur: int = Field(ge=0, lt=2**50)
    args: _Arguments


def _onnxruntime_runs(content: bytes, runs: int) -> list[list[_Timed]]:
    """The events "model_run" come after those of their nodes; the first is the first inference."""
    found: list[list[_Timed]] = [[]]
    for event in _events(content):
        if event.get("cat") == "Session" and event.get("name") == "model_run":
            found.append([])
        elif event.get("cat") == "Node" and str(event.get("name")).endswith(_KERNEL):
            found[-1].append(_timed(event))
    if len(found) != runs + 2:  # the first inference, and what follows the last
        raise _damaged(f"{len(found) - 1} runs, where {runs + 1} were asked for")
    return found[1:-1]


def _events(content: bytes) -> Iterator[dict[str, Any]]:
    try:
        events = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _damaged(f"no JSON ({without_controls(str(error))})") from error
    if not isinstance(events, list):
        raise _damaged("no list of events")
    for event in events:
        if not isinstance(event, dict):
            raise _damaged("an event that is no object")
        yield event


def _timed(event: dict[str, Any]) -> _Timed:
    try:
        node = _NodeEvent.model_validate(event)
    except ValidationError as error:
        raise _damaged("a node without name, operator, provider or time") from error
    provider = node.args.provider.removesuffix("ExecutionProvider")
    return _Timed(_shown(node.args.op_name), _shown(node.name.removesuffix(_KERNEL)), _shown(provider), node.dur)


def _whole(text: str) -> int:
    if not (text.removeprefix("-").isdigit() and text.isascii() and len(text) < 20):
        raise _damaged(f"the number {text[:40]!r}")
    return int(text)


def _shown(text: str) -> str:
    return without_controls(text)[:_NAME_LIMIT]


def _damaged(what: str) -> RunnerError:
    return RunnerError(f"expected the engine's profile of its operators, got {what}.", stage="profile")
