"""The last words of `benchmark_model`: one line since 2018, a block in LiteRT's.

    Inference timings in us: Init: 855, First inference: 49060, Warmup (avg): 34825.1, Inference (avg): 33209.4
    Average inference timings in us: Warmup: 83235, Init: 38467, Inference: 79760.9
    Average inference timings in us: Warmup: 146161, Init: 4452, no stats: 137722

    Model initialization: 5.76 ms
    Warmup (first):       2.12 ms
    Warmup (avg):         0.95 ms (526 runs)
    Inference (avg):      0.95 ms (1054 runs)

They repeat what the statistics said. An output without them was cut off, and one that contradicts itself is damaged.
"""

from __future__ import annotations

import re

from pocketbench.harness.opinion.lines import NUMBER, Line, nanoseconds, same
from pocketbench.harness.opinion.opinion import OpinionError
from pocketbench.harness.opinion.statistic import Statistic

__all__ = ["read_init_ns"]

_US, _MS = 1000, 1_000_000
# The block has hundredths of milliseconds, cut or rounded.
_BLOCK_RESOLUTION_NS = 10_000
_LINES = (
    rf"Inference timings in us: Init: (?P<init>{NUMBER}), First inference: (?P<first>{NUMBER}), "
    rf"Warmup \(avg\): (?P<warmup>{NUMBER}), Inference \(avg\): (?P<mean>{NUMBER})",
    rf"Average inference timings in us: Warmup: (?P<warmup>{NUMBER}), Init: (?P<init>{NUMBER}), "
    rf"(?:no stats|Inference): (?P<mean>{NUMBER})",
)
_BLOCK = (
    rf"Model initialization: {{1,20}}(?P<init>{NUMBER}) ms",
    rf"Warmup \(first\): {{1,20}}(?P<first>{NUMBER}) ms",
    rf"Warmup \(avg\): {{1,20}}(?P<warmup>{NUMBER}) ms \(\d{{1,9}} runs\)",
    rf"Inference \(avg\): {{1,20}}(?P<mean>{NUMBER}) ms \(\d{{1,9}} runs\)",
)
_IN_LINE = [re.compile(pattern, re.ASCII) for pattern in _LINES]
_IN_BLOCK = [re.compile(pattern, re.ASCII) for pattern in _BLOCK]
_NEEDED = {"init", "warmup", "mean"}


def read_init_ns(lines: list[Line], warmup: Statistic, measured: Statistic) -> int:
    """How long loading took; OpinionError where the last words are missing or contradict the statistics."""
    told = _told(lines, _IN_LINE, _US)
    resolution_ns = _US
    if not told:
        told, resolution_ns = _told(lines, _IN_BLOCK, _MS), _BLOCK_RESOLUTION_NS
    if not told.keys() >= _NEEDED:
        raise OpinionError(
            "expected benchmark_model to end with its timings, got an output without them: it was cut off, or is of "
            "another program."
        )
    expected = {"first": warmup.first_ns, "warmup": warmup.latency.mean_ns, "mean": measured.latency.mean_ns}
    for name in told.keys() & expected.keys():
        if not same(told[name], expected[name], resolution_ns):
            raise OpinionError(
                f"expected the same {name} time twice in benchmark_model's output, got {expected[name] / _US:g} and "
                f"{told[name] / _US:g} us: the output is damaged."
            )
    return told["init"]


def _told(lines: list[Line], patterns: list[re.Pattern[str]], unit_ns: int) -> dict[str, int]:
    """What the patterns find, by the names of their groups; nothing where one of them is there twice."""
    told: dict[str, int] = {}
    for line in lines:
        for pattern in patterns:
            if match := pattern.fullmatch(line.text):
                if told.keys() & match.groupdict().keys():
                    return {}
                told |= {name: nanoseconds(value, unit_ns) for name, value in match.groupdict().items()}
    return told
