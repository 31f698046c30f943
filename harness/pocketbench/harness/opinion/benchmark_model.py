"""TFLite's and LiteRT's `benchmark_model`, of all years.

What it prints, without prefixes; older versions leave parts away, LiteRT's ends with a block of its own:

    Num threads: [4]
    Graph: [/data/local/tmp/mobilenet.tflite]
    Initialized session in 17.187ms.
    Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
    count=1 curr=3512391
    Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
    count=50 first=32891 curr=33978 min=32641 max=34005 avg=33209.4 std=450
    Inference timings in us: Init: 17187, First inference: 3512391, Warmup (avg): 3.51239e+06, Inference (avg): 33209.4
    Memory footprint delta from the start of the tool (MB): init=4.21094 overall=46.0859

The program ends with 0 although it stopped early, did not know a flag, or ran without the delegate asked for: all that
is refused here. Sources: tflite/tools/benchmark/benchmark_model.cc and benchmark_tflite_model.cc, and outputs that
people published from 2018 to 2026.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pocketbench.checked.errors import InputError
from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.opinion.lines import NUMBER, UNTOLD_THREADS, Line, agree, clean_lines, errors_of
from pocketbench.harness.opinion.operators import parse_operators
from pocketbench.harness.opinion.opinion import Asked, Opinion, OpinionError
from pocketbench.harness.opinion.statistic import Statistic, is_statistic, parse_statistic
from pocketbench.harness.opinion.timings import read_init_ns

__all__ = ["Echo", "benchmark_model_arguments", "parse_benchmark_model", "read_benchmark_model"]

_OURS = ("graph", "max_secs", "min_secs", "num_runs", "num_threads", "warmup_min_secs", "warmup_runs")
_FLAG = re.compile(r"--(\w{1,100})=.*", re.DOTALL | re.ASCII)
_HEADER = re.compile(
    r"Running benchmark for (?:at least )?(?P<runs>\d{1,9}) iterations?"
    rf"(?: and at least (?P<least_s>-?{NUMBER}) seconds(?: but terminate if exceeding {NUMBER} seconds)?)?\.?",
    re.ASCII,
)
_THREADS = re.compile(r"(?:Num threads|#threads used for CPU inference): \[(-?\d{1,9})\]", re.ASCII)
_GRAPH = re.compile(r"Graph: \[(.*)\]", re.ASCII)
_GROWTH = re.compile(
    r"(?:Memory footprint delta from the start of the tool|Peak memory footprint) \(MB\): "
    rf"init={NUMBER} overall=({NUMBER})",
    re.ASCII,
)
_PEAK = re.compile(rf"Overall peak memory footprint \(MB\) via periodic monitoring: ({NUMBER})", re.ASCII)
_REPLACED = re.compile(r"Replacing (\d{1,9}) out of (\d{1,9}) node\(s\) with delegate \(([^)]{1,100})\) node", re.ASCII)
# Each means that something asked for was not done, whatever the exit code says.
_REFUSED = (
    "Unconsumed cmdline flags:",
    "Duplicate flags:",
    "Failed to parse flag",
    "Failed to apply",
    "will not be executed by the delegate",
    "acceleration is unsupported on this platform",
    "Disallowed CPU fallback detected",
    "Benchmarking failed",
)
_PARTLY = "will be partially executed by the delegate"
_PROFILED = "it profiled operators, which costs time in each inference: leave --enable_op_profiling away for latency"
_MB = 1024 * 1024  # it divides kB by 1024
_MOST_MB = 2**24
_MOST_FALLBACKS = 10


def benchmark_model_arguments(asked: Asked) -> tuple[str, ...]:
    """Arguments for exactly so many iterations: without min_secs of 0 it goes on for a second, and half of one before.

    InputError where a flag of the user's would change what is asked, or has not the form --name=value.
    """
    for flag in asked.flags:
        match = _FLAG.fullmatch(flag)
        if match is None or match[1] in _OURS:
            raise InputError(
                f"expected flags for benchmark_model in the form --name=value, other than {', '.join(_OURS)}, which a "
                f"second opinion sets itself, got {flag!r}."
            )
    return (
        f"--graph={asked.model}",
        f"--num_threads={asked.threads}",
        f"--num_runs={asked.iterations}",
        f"--warmup_runs={asked.warmup_iterations}",
        *("--min_secs=0", "--warmup_min_secs=0", f"--max_secs={asked.time_limit_s:g}"),
        *asked.flags,
    )


@dataclass(frozen=True, slots=True)
class Echo:
    """What the program says that it was asked for; None where it does not say."""

    iterations: int
    warmup_iterations: int
    least_s: float | None
    warmup_least_s: float | None
    models: frozenset[str]


def parse_benchmark_model(output: bytes, asked: Asked) -> Opinion:
    """Both streams of a launch that ended with 0, one after the other; OpinionError where it is not what was asked."""
    opinion, echo = read_benchmark_model(output)
    agree("threads", asked.threads, opinion.threads if opinion.threads is not None else asked.threads)
    for model in echo.models:
        agree("the model", str(asked.model), model)
    for what, wanted, told, least_s, runs in (
        (
            "warm-up iterations",
            asked.warmup_iterations,
            echo.warmup_iterations,
            echo.warmup_least_s,
            opinion.warmup_runs,
        ),
        ("iterations", asked.iterations, echo.iterations, echo.least_s, opinion.runs),
    ):
        agree(f"at least 0 s of {what}", 0, least_s or 0)
        agree(what, wanted, told)
        agree(what, wanted, runs)
    return opinion


def read_benchmark_model(output: bytes) -> tuple[Opinion, Echo]:
    """What a launch says, whatever was asked; OpinionError where it stopped early, ignored a flag, or is damaged."""
    lines = clean_lines(output)
    _refuse(lines)
    warmup, measured = _phases(lines)
    threads = {int(match[1]) for line in lines if (match := _THREADS.fullmatch(line.text))}
    if len(threads) > 1:
        raise OpinionError(f"expected one number of threads in benchmark_model's output, got {sorted(threads)}.")
    operators = parse_operators(lines)
    opinion = Opinion(
        tool="benchmark_model",
        latency=measured.statistic.latency,
        runs=measured.statistic.count,
        warmup_runs=warmup.statistic.count,
        threads=next(iter(threads), None),
        init_ns=read_init_ns(lines, warmup.statistic, measured.statistic),
        first_inference_ns=warmup.statistic.first_ns,
        memory_growth_bytes=_memory_bytes(lines, _GROWTH),
        peak_memory_bytes=_memory_bytes(lines, _PEAK),
        operators=operators,
        problems=(
            *errors_of(lines),
            *_fallbacks(lines),
            *([] if threads else [UNTOLD_THREADS]),
            *([_PROFILED] if operators else []),
        ),
    )
    models = frozenset(match[1] for line in lines if (match := _GRAPH.fullmatch(line.text)))
    return opinion, Echo(measured.announced, warmup.announced, measured.least_s, warmup.least_s, models)


def _refuse(lines: list[Line]) -> None:
    for line in lines:
        if any(mark in line.text for mark in _REFUSED):
            raise OpinionError(
                f"expected benchmark_model to do all that was asked, got {clean_text(line.text)!r} from it: leave away "
                "what this build does not have."
            )


@dataclass(frozen=True, slots=True)
class _Phase:
    announced: int
    least_s: float | None
    statistic: Statistic


def _phases(lines: list[Line]) -> tuple[_Phase, _Phase]:
    """Warm-up and measurement: each a header, then its statistics, and nothing else of the kind."""
    found: list[_Phase] = []
    header: re.Match[str] | None = None
    for line in lines:
        match = _HEADER.fullmatch(line.text)
        if match is None and not is_statistic(line.text):
            continue
        if (match is None) == (header is None):
            raise _incomplete(lines, "its phases in disorder")
        if header is not None:
            least_s = None if header["least_s"] is None else float(header["least_s"])
            found.append(_Phase(int(header["runs"]), least_s, parse_statistic(line.text)))
        header = match
    if header is not None or len(found) != 2:
        raise _incomplete(lines, f"{len(found)} of 2 phases")
    for phase in found:
        if phase.statistic.count < phase.announced:
            raise OpinionError(
                f"expected {phase.announced} iterations from benchmark_model, got {phase.statistic.count}: it stopped "
                "early. Ask for fewer iterations, or allow more time."
            )
    return found[0], found[1]


def _incomplete(lines: list[Line], what: str) -> OpinionError:
    said = "; ".join(errors_of(lines)[:3])
    return OpinionError(
        f"expected benchmark_model to print the statistics of a warm-up and of a measurement, got {what}. "
        f"{f'It said: {said}. ' if said else ''}Is this benchmark_model?"
    )


def _memory_bytes(lines: list[Line], pattern: re.Pattern[str]) -> int | None:
    """None where it is not told, told twice, or 0: which a kernel says that does not count it."""
    found = [float(match[1]) for line in lines if (match := pattern.fullmatch(line.text))]
    return round(found[0] * _MB) if len(found) == 1 and 0 < found[0] <= _MOST_MB else None


def _fallbacks(lines: list[Line]) -> list[str]:
    """Delegates that took a part of the graph only. XNNPACK is applied unasked, and what it leaves is no news."""
    told = []
    for line in lines:
        match = _REPLACED.match(line.text)
        partly = match is not None and int(match[1]) < int(match[2]) and "XNNPack" not in match[3]
        if (partly or _PARTLY in line.text) and (text := clean_text(line.text)):
            told.append(text)
    return list(dict.fromkeys(told))[:_MOST_FALLBACKS]
