"""LiteRT's `benchmark_litert_model.py`, which comes with the package ai-edge-litert, and the JSON that it writes.

    {"model": "m.tflite", "accelerators": ["CPU"], "fully_accelerated": true, "num_threads": 1,
     "latency": {"init_ms": 3.02, "warmup_first_ms": 0.61, "warmup_avg_ms": 0.31, "num_warmup_runs": 5, "avg_ms": 0.25,
                 "min_ms": 0.24, "max_ms": 0.33, "median_ms": 0.25, "std_ms": 0.01, "p5_ms": 0.24, "p95_ms": 0.27,
                 "num_runs": 50}, …}

Times are rounded to hundredths of milliseconds, the deviation is that of a sample, percentiles are linear between
samples. Its times include what Python adds to a call. Source: ai_edge_litert/tools/benchmark_litert_model.py (2.3).
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pocketbench.checked.errors import InputError
from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.opinion.lines import agree
from pocketbench.harness.opinion.opinion import Asked, Latency, Opinion, OpinionError

__all__ = ["litert_script_arguments", "parse_litert_script"]

_OURS = ("--model", "--num_runs", "--num_threads", "--result_json", "--warmup_runs")
_RESULT_BYTES = 1_000_000
_RESOLUTION_NS = 10_000
_MS = 1_000_000

Milliseconds = Annotated[float, Field(ge=0, le=1e9)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
# A later version may say more: what is not known is left alone.
_STRICT = ConfigDict(extra="ignore", frozen=True, strict=True, allow_inf_nan=False)


class _Latency(BaseModel):
    model_config = _STRICT
    init_ms: Milliseconds
    warmup_first_ms: Milliseconds
    num_warmup_runs: Count
    avg_ms: Milliseconds
    min_ms: Milliseconds
    max_ms: Milliseconds
    median_ms: Milliseconds
    std_ms: Milliseconds
    p5_ms: Milliseconds
    p95_ms: Milliseconds
    num_runs: Count


class _Result(BaseModel):
    model_config = _STRICT
    model: str
    accelerators: list[str]
    fully_accelerated: bool
    num_threads: Count
    latency: _Latency


def litert_script_arguments(asked: Asked, result: PurePosixPath) -> tuple[str, ...]:
    """InputError where a flag of the user's would change what is asked; argparse takes beginnings of names too."""
    for flag in asked.flags:
        name = flag.partition("=")[0]
        if len(name) > 2 and any(ours.startswith(name) for ours in _OURS):
            raise InputError(
                f"expected flags for benchmark_litert_model.py other than {', '.join(_OURS)}, which a second opinion "
                f"sets itself, got {flag!r}."
            )
    return (
        f"--model={asked.model}",
        f"--num_threads={asked.threads}",
        f"--num_runs={asked.iterations}",
        f"--warmup_runs={asked.warmup_iterations}",
        f"--result_json={result}",
        *asked.flags,
    )


def parse_litert_script(result: bytes, asked: Asked) -> Opinion:
    """The JSON of a launch that ended with 0; OpinionError where it is not what was asked."""
    if len(result) > _RESULT_BYTES:
        raise _damaged(f"{len(result)} bytes")
    try:
        told = _Result.model_validate_json(result)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise _damaged(f"{clean_text(where) or 'no JSON'}: {clean_text(problem['msg'])}") from error
    latency = told.latency
    agree("the model", str(asked.model), told.model)
    agree("threads", asked.threads, told.num_threads)
    agree("warm-up iterations", asked.warmup_iterations, latency.num_warmup_runs)
    agree("iterations", asked.iterations, latency.num_runs)
    return Opinion(
        tool="benchmark_litert_model.py",
        latency=_latency(latency),
        runs=latency.num_runs,
        warmup_runs=latency.num_warmup_runs,
        threads=told.num_threads,
        init_ns=round(latency.init_ms * _MS),
        first_inference_ns=round(latency.warmup_first_ms * _MS),
        problems=_fallbacks(told),
    )


def _latency(told: _Latency) -> Latency:
    ordered = [told.min_ms, told.p5_ms, told.median_ms, told.p95_ms, told.max_ms]
    # A sample's deviation is at most the range times the root of n / (2 n - 2), so at most the range itself.
    spread_ms = told.max_ms - told.min_ms + 2 * _RESOLUTION_NS / _MS
    if ordered != sorted(ordered) or not told.min_ms <= told.avg_ms <= told.max_ms or told.std_ms > spread_ms:
        raise _damaged(f"latencies that contradict each other ({ordered}, mean {told.avg_ms})")
    if told.avg_ms == 0 or told.median_ms == 0:
        raise OpinionError(
            "expected a latency that benchmark_litert_model.py's hundredths of milliseconds can tell, got 0: the model "
            "is too fast for it."
        )
    times = {
        f"{name}_ns": round(getattr(told, f"{name}_ms") * _MS) for name in ("median", "min", "max", "std", "p5", "p95")
    }
    return Latency(mean_ns=round(told.avg_ms * _MS), resolution_ns=_RESOLUTION_NS, **times)


def _fallbacks(told: _Result) -> tuple[str, ...]:
    others = [name for name in told.accelerators if name != "CPU"]
    if not others or told.fully_accelerated:
        return ()
    return (f"{clean_text(' and '.join(others))} did not take the whole model: the rest ran on the CPU",)


def _damaged(what: str) -> OpinionError:
    return OpinionError(
        f"expected the JSON of benchmark_litert_model.py (ai-edge-litert 2.3 or later), got {what}: use that script."
    )
