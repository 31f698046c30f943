"""The result file of `onnxruntime_perf_test`: a row for each inference, and behind an empty line a summary.

    20260101T000000Z-0123456789ab-01234567,0.0159831,35299328,98,0
    20260101T000000Z-0123456789ab-01234567,0.0170122,35299328,98,1

    Min Latency: 0.0159831 s

The first field is the model's folder, then come seconds, the process's peak memory in bytes, the processor's load in
percent and the number of the run. From the end of 2025 on there are two times: until a run was submitted, and until it
was done (microsoft/onnxruntime pull request 26313).
"""

from __future__ import annotations

import re

import numpy as np

from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.measure.launch_summary import launch_median, launch_p90
from pocketbench.harness.opinion.lines import NUMBER, nanoseconds, same
from pocketbench.harness.opinion.opinion import Latency, OpinionError

__all__ = ["latency_of", "parse_rows", "six_digits_ns"]

_S = 1_000_000_000
_ROW_CHARACTERS = 2000
_ROW = re.compile(
    rf"[^,\n]{{0,300}},(?:(?P<submitted>{NUMBER}),)?(?P<seconds>{NUMBER}),(?P<peak>\d{{1,15}}),(?P<load>-?\d{{1,6}}),"
    r"(?P<number>\d{1,9})",
    re.ASCII,
)
_SUMMARY = re.compile(rf"(?:Min|Max|P\d{{2,3}}) Latency(?:: | is ){NUMBER} ?s(?:ec)?", re.ASCII)
_DIGITS = 6


def parse_rows(content: bytes, runs: int, mean_ns: int) -> tuple[int, ...]:
    """Latencies in ns in the order of the runs; OpinionError unless there are `runs`, and `mean_ns` is their mean."""
    table, _, summary = content.decode(errors="replace").replace("\r\n", "\n").strip("\n").partition("\n\n")
    if any(not _SUMMARY.fullmatch(line) for line in summary.splitlines()):
        raise _damaged(f"{clean_text(summary)!r} behind the rows")
    lines = table.split("\n")
    if len(lines) != runs:
        raise _damaged(f"{len(lines)} rows for {runs} runs")
    matches = [_row(line) for line in lines]
    if [int(match["number"]) for match in matches] != list(range(runs)):
        raise _damaged("rows that are not in the order of the runs")
    if len({(match["submitted"] is None, match["peak"], match["load"]) for match in matches}) != 1:
        raise _damaged("rows of different launches")
    samples_ns = tuple(nanoseconds(match["seconds"], _S) for match in matches)
    if not same(sum(samples_ns) / runs, mean_ns, 1):
        raise _damaged(f"a mean of {sum(samples_ns) / runs:.0f} ns, where the program printed {mean_ns} ns")
    return samples_ns


def latency_of(samples_ns: tuple[int, ...]) -> Latency:
    """The same figures as of a launch of our own runner, by the same functions."""
    samples = np.asarray(samples_ns)
    mean_ns = round(float(np.mean(samples)))
    p90_ns = launch_p90(samples)
    return Latency(
        mean_ns=mean_ns,
        resolution_ns=six_digits_ns(mean_ns),
        median_ns=round(launch_median(samples)),
        min_ns=min(samples_ns),
        max_ns=max(samples_ns),
        std_ns=round(float(np.std(samples))),
        p90_ns=None if p90_ns is None else round(p90_ns),
    )


def six_digits_ns(value_ns: int) -> int:
    """The step in which a C++ stream prints `value_ns`."""
    return int(10 ** max(0, len(str(value_ns)) - _DIGITS))


def _row(line: str) -> re.Match[str]:
    match = _ROW.fullmatch(line) if len(line) <= _ROW_CHARACTERS else None
    if match is None:
        raise _damaged(f"the row {clean_text(line)!r}")
    return match


def _damaged(what: str) -> OpinionError:
    return OpinionError(
        f"expected the result file of onnxruntime_perf_test, a row with seconds, bytes, load and number for each run, "
        f"got {what}: is the program from a version that writes other rows?"
    )
