"""The table of operators that `benchmark_model --enable_op_profiling=true` prints after its timings.

    Operator-wise Profiling Info for Regular Benchmark Runs:
    ============================== Run Order ==============================
                 [node type] [first]  [avg ms]      [%]    [cdf%]  [mem KB]  [times called]  [Name]
                    QUANTIZE   0.199     0.203   1.328%    1.328%     0.000               1  [tfl.quantize]:0
          Convolution IGEMM   0.428     0.051   4.317%    5.645%     0.000              13  Delegate/Convolution IGEMM:1

Columns are divided by tabs or spaces; builds before 2022 have a column [start] before [first]. The mean is of one call:
it counts as often as it was called, which some builds print as 0 for once. The same operators follow in other orders,
and what a delegate did inside comes among the others, or in a table of its own after "Delegate internal:". The times
are of runs that the profiler slows down.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.opinion.lines import NUMBER, Line, nanoseconds
from pocketbench.harness.opinion.opinion import OpinionError
from pocketbench.harness.runner.profiling import OperatorTime

__all__ = ["parse_operators"]

_MS = 1_000_000
_MOST_OPERATORS = 100_000
_ROW_CHARACTERS = 2000
_SECTION = re.compile(r"={5,60} (.{1,60}?) ={5,60}")
_REGULAR = "Operator-wise Profiling Info for Regular Benchmark Runs:"
_INTERNAL = "Delegate internal:"
_HEADER = re.compile(r"\[node type\]\s.*\[avg ms\].*\[Name\]", re.IGNORECASE)
_ROW = re.compile(
    rf"(?P<type>\S.{{0,300}}?)[ \t]+(?:{NUMBER}[ \t]+)?{NUMBER}[ \t]+(?P<avg>{NUMBER})[ \t]+{NUMBER}%[ \t]+{NUMBER}%"
    rf"[ \t]+{NUMBER}[ \t]+(?P<calls>\d{{1,6}})[ \t]+(?P<name>\S.*?)(?::\d{{1,9}})?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class _Row:
    operator: str
    name: str
    time_ns: int
    in_delegate: bool


def parse_operators(lines: list[Line]) -> tuple[OperatorTime, ...]:
    """The operators in the order of execution, empty where nothing was profiled; OpinionError for a damaged table."""
    texts = [line.text for line in lines]
    if _REGULAR in texts:
        texts = texts[texts.index(_REGULAR) :]
    own: list[_Row] = []
    internal: list[_Row] = []
    in_table, in_delegate = False, False
    for text in texts:
        if section := _SECTION.fullmatch(text):
            in_table = section[1] == "Run Order"
        elif text == _INTERNAL:
            in_table, in_delegate = False, True
        elif in_table and not _HEADER.fullmatch(text):
            if row := _row(text):
                (internal if in_delegate else own).append(row)
            else:
                in_table = False  # "Number of nodes executed: 31", and in some builds nothing before the next table
    if len(own) + len(internal) > _MOST_OPERATORS:
        raise OpinionError(f"expected at most {_MOST_OPERATORS} operators, got {len(own) + len(internal)}.")
    return _operators(own, internal)


def _row(text: str) -> _Row | None:
    match = _ROW.fullmatch(text) if len(text) <= _ROW_CHARACTERS else None
    if match is None:
        return None
    name = clean_text(match["name"].removeprefix("[").removesuffix("]")) or ""
    time_ns = nanoseconds(match["avg"], _MS) * max(1, int(match["calls"]))
    return _Row(clean_text(match["type"]) or "", name, time_ns, name.startswith("Delegate/"))


def _operators(own: list[_Row], internal: list[_Row]) -> tuple[OperatorTime, ...]:
    """A delegate is one operator of the graph: where its own are listed it is left away, not to count twice."""
    inner = any(row.in_delegate for row in own) or bool(internal)
    kept = [row for row in own if row.in_delegate or not (inner and "Delegate" in row.operator)]
    kept += [replace(row, in_delegate=True) for row in internal]
    total_ns = sum(row.time_ns for row in kept)
    return tuple(
        OperatorTime(
            position,
            row.operator,
            row.name,
            "delegate" if row.in_delegate else "interpreter",
            row.time_ns,
            row.time_ns / total_ns if total_ns else 0.0,
        )
        for position, row in enumerate(kept)
    )
