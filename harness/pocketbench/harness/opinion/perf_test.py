"""ONNX Runtime's `onnxruntime_perf_test`: what it prints, and the single latencies that it writes into a file.

    Setting intra_op_num_threads to 1
    Session creation time cost: 0.0273071 s
    First inference time cost: 20 ms
    Total inference time cost: 0.14188 s
    Total inference requests: 8
    Average inference time cost: 17.735 ms
    Peak working set size: 35299328 bytes
    Min Latency: 0.0159831 s
    P50 Latency: 0.0167086 s

Before 2020 the same was called `Total time cost:0.14188`, `Total iterations:8`, `Average time cost:17.735 ms` and
`P50 Latency is 0.0167086sec`; from 2025 on the average is `Average inference time cost total: 17.735000 ms`. The place
of a percentile is `runs * share`, counted from 0: of ten runs P90 to P999 are all the longest. The first inference is
in whole milliseconds and is the only warm-up. Source: onnxruntime/test/perftest/performance_runner.cc.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pocketbench.checked.errors import InputError
from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.measure.launch_summary import P90_FLOOR
from pocketbench.harness.opinion.lines import (
    NUMBER,
    UNTOLD_THREADS,
    Line,
    agree,
    clean_lines,
    errors_of,
    nanoseconds,
    same,
)
from pocketbench.harness.opinion.opinion import Asked, Latency, Opinion, OpinionError
from pocketbench.harness.opinion.perf_test_rows import latency_of, parse_rows, six_digits_ns

__all__ = ["parse_perf_test", "perf_test_arguments"]

_S, _MS = 1_000_000_000, 1_000_000
_OURS = "-I, -S, -c, -m, -r, -t, -x"
_CHANGES_OURS = re.compile(r"--?(?:[ISmrx]|[ct](?:=.*|\d.*)?$)", re.ASCII)
# Without a seed its input is memory that nobody wrote to, which may be full of slow denormal numbers.
_SEED = "1"
_THREADS = re.compile(r"Setting intra_op_num_threads to (-?\d{1,9})", re.ASCII)
_FACTS = {
    name: re.compile(rf"(?:{label}) ?(?:: ?|is )({number}) ?(?:{unit})", re.ASCII)
    for name, label, number, unit in (
        ("session", "Session creation time cost", NUMBER, "s"),
        ("first", "First inference time cost", r"\d{1,9}", "ms"),
        ("total", "Total inference time cost|Total time cost", NUMBER, "s|"),
        ("runs", "Total inference requests|Total iterations", r"\d{1,9}", ""),
        ("mean", "Average inference time cost(?: total)?|Average time cost", NUMBER, "ms"),
        ("peak", "Peak working set size", r"\d{1,15}", "bytes|"),
        ("min", "Min Latency", NUMBER, "s|sec"),
        ("max", "Max Latency", NUMBER, "s|sec"),
        ("p50", "P50 Latency", NUMBER, "s|sec"),
        ("p90", "P90 Latency", NUMBER, "s|sec"),
        ("p95", "P95 Latency", NUMBER, "s|sec"),
    )
}
_NEEDED = ("total", "runs", "mean")
_FALLBACK = "Some nodes were not assigned to the preferred execution providers"
_MOST_FALLBACKS = 10


def perf_test_arguments(asked: Asked, result: PurePosixPath) -> tuple[str, ...]:
    """InputError where it cannot do what is asked, or a flag of the user's would change it."""
    if asked.warmup_iterations != 1:
        raise InputError(
            f"expected 1 warm-up iteration for onnxruntime_perf_test, which makes no other number, got "
            f"{asked.warmup_iterations}."
        )
    for flag in asked.flags:
        if _CHANGES_OURS.match(flag):
            raise InputError(
                f"expected flags for onnxruntime_perf_test other than {_OURS}, which a second opinion sets itself, got "
                f"{flag!r}."
            )
    ours = ("-m", "times", "-r", str(asked.iterations), "-x", str(asked.threads), "-I", "-S", _SEED)
    return (*ours, *asked.flags, str(asked.model), str(result))


def parse_perf_test(output: bytes, rows: bytes, asked: Asked) -> Opinion:
    """Both streams of a launch that ended with 0, and its result file (empty where it could not write one).

    OpinionError where it is not what was asked, or the three do not say the same.
    """
    lines = clean_lines(output)
    facts = _facts(lines)
    runs = int(facts["runs"])
    agree("iterations", asked.iterations, runs)
    threads = _threads(lines, asked)
    mean_ns = nanoseconds(facts["mean"], _MS)
    if not same(mean_ns * runs, nanoseconds(facts["total"], _S)):
        raise _damaged(f"{runs} runs of {facts['mean']} ms in {facts['total']} s")
    samples_ns = parse_rows(rows, runs, mean_ns) if rows.strip() else ()
    first_ns = nanoseconds(facts["first"], _MS) if "first" in facts else 0
    return Opinion(
        tool="onnxruntime_perf_test",
        latency=latency_of(samples_ns) if samples_ns else _printed(facts, runs, mean_ns),
        runs=runs,
        warmup_runs=1,
        threads=threads,
        init_ns=nanoseconds(facts["session"], _S) if "session" in facts else None,
        first_inference_ns=first_ns or None,  # 0 is anything under a millisecond
        peak_memory_bytes=int(facts["peak"]) or None if "peak" in facts else None,
        samples_ns=samples_ns,
        problems=(*errors_of(lines), *_fallbacks(lines), *([UNTOLD_THREADS] if threads is None else [])),
    )


def _facts(lines: list[Line]) -> dict[str, str]:
    """What is printed once, or twice alike; OpinionError where what is needed is not there."""
    facts: dict[str, str] = {}
    for line in lines:
        for name, pattern in _FACTS.items():
            if (match := pattern.fullmatch(line.text)) and facts.setdefault(name, match[1]) != match[1]:
                raise _damaged(f"{clean_text(line.text)!r} and {facts[name]}")
    missing = [name for name in _NEEDED if name not in facts]
    if missing or int(facts["runs"]) == 0 or float(facts["mean"]) == 0:
        said = "; ".join(errors_of(lines)[:3])
        raise _damaged(f"no {' and no '.join(missing) or 'inference'}{f', but: {said}' if said else ''}")
    return facts


def _threads(lines: list[Line], asked: Asked) -> int | None:
    threads = None
    for line in lines:
        if match := _THREADS.fullmatch(line.text):
            threads = int(match[1])
            agree("threads", asked.threads, threads)
    return threads


def _printed(facts: dict[str, str], runs: int, mean_ns: int) -> Latency:
    """Out of the summary alone, where there are no rows."""
    times = {name: nanoseconds(facts[name], _S) for name in ("min", "p50", "p90", "p95", "max") if name in facts}
    ordered = list(times.values())
    low, high = times.get("min", mean_ns), times.get("max", mean_ns)
    within = low <= mean_ns <= high or same(low, mean_ns) or same(high, mean_ns)
    if ordered != sorted(ordered) or not within:
        raise _damaged(f"latencies of {ordered} ns with a mean of {mean_ns} ns")
    return Latency(
        mean_ns=mean_ns,
        resolution_ns=six_digits_ns(mean_ns),
        median_ns=times.get("p50"),
        min_ns=times.get("min"),
        max_ns=times.get("max"),
        p90_ns=times.get("p90") if runs >= P90_FLOOR else None,
        p95_ns=times.get("p95") if runs >= P90_FLOOR else None,
    )


def _fallbacks(lines: list[Line]) -> list[str]:
    told = (clean_text(line.text) for line in lines if _FALLBACK in line.text)
    return list(dict.fromkeys(text for text in told if text))[:_MOST_FALLBACKS]


def _damaged(what: str) -> OpinionError:
    return OpinionError(
        f"expected onnxruntime_perf_test to print its runs, their total and their mean, got {what}: the output is "
        "damaged, or the program is another one."
    )
