"""The line of statistics that TensorFlow's tools print (tensorflow/core/util/stats_calculator.h), in microseconds.

    count=50 first=32891 curr=33978 min=32641 max=34005 avg=33209.4 std=450
    count=25 first=187533 curr=140990 min=140071 max=195121 avg=145528 std=13583 p5=140545 median=141253 p95=187533
    count=2 curr=7441040(all same) p5=7441040 median=7441040 p95=7441040
    count=1 curr=3512391

Single times are whole microseconds, the mean has six digits, the deviation is that of a population, cut to whole ones.
A percentile is the value at place `count * percent / 100`, counted from 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.opinion.lines import NUMBER, nanoseconds
from pocketbench.harness.opinion.opinion import Latency, OpinionError

__all__ = ["Statistic", "is_statistic", "parse_statistic"]

_US = 1000
_PERCENTILES = rf"(?: p5=(?P<p5>{NUMBER}) median=(?P<median>{NUMBER}) p95=(?P<p95>{NUMBER}))?"
_VARIED = re.compile(
    rf"count=(?P<count>\d{{1,9}}) first=(?P<first>{NUMBER}) curr=(?P<curr>{NUMBER}) min=(?P<min>{NUMBER}) "
    rf"max=(?P<max>{NUMBER}) avg=(?P<avg>{NUMBER}) std=(?P<std>{NUMBER}){_PERCENTILES}",
    re.ASCII,
)
_ALL_SAME = re.compile(
    rf"count=(?P<count>\d{{1,9}}) curr=(?P<curr>{NUMBER})(?P<many>\(all same\))?{_PERCENTILES}", re.ASCII
)
# The mean of whole microseconds in six digits.
_ROUNDING = 1e-5


@dataclass(frozen=True, slots=True)
class Statistic:
    """`count` inferences; `first_ns` is the latency of the first one."""

    count: int
    first_ns: int
    latency: Latency


def is_statistic(text: str) -> bool:
    """True where a line wants to be one: then parse_statistic must be able to read it."""
    return text.startswith("count=")


def parse_statistic(text: str) -> Statistic:
    """OpinionError for a line that is damaged, or contradicts itself."""
    if match := _VARIED.fullmatch(text):
        times = {
            name: nanoseconds(value, _US) for name, value in match.groupdict().items() if value and name != "count"
        }
    elif match := _ALL_SAME.fullmatch(text):
        if (int(match["count"]) > 1) != bool(match["many"]):
            raise _damaged(text)
        value_ns = nanoseconds(match["curr"], _US)
        times = dict.fromkeys(("first", "curr", "min", "max", "avg"), value_ns) | {"std": 0}
        times |= {name: nanoseconds(match[name], _US) for name in ("p5", "median", "p95") if match[name]}
    else:
        raise _damaged(text)
    count = int(match["count"])
    if count == 0 or not _is_consistent(times):
        raise _damaged(text)
    if times["avg"] == 0:
        raise OpinionError(
            "expected a latency that the program's microseconds can tell, got a mean of 0: it is too short."
        )
    return Statistic(count, times["first"], _latency(times))


def _latency(times: dict[str, int]) -> Latency:
    return Latency(
        mean_ns=times["avg"],
        resolution_ns=_US,
        median_ns=times.get("median"),
        min_ns=times["min"],
        max_ns=times["max"],
        std_ns=times["std"],
        p5_ns=times.get("p5"),
        p95_ns=times.get("p95"),
    )


def _is_consistent(times: dict[str, int]) -> bool:
    low, high = times["min"], times["max"]
    between = all(low <= times[name] <= high for name in ("first", "curr"))
    mean = low * (1 - _ROUNDING) <= times["avg"] <= high * (1 + _ROUNDING)
    ordered = [times[name] for name in ("min", "p5", "median", "p95", "max") if name in times]
    return between and mean and ordered == sorted(ordered) and times["std"] <= high - low


def _damaged(text: str) -> OpinionError:
    return OpinionError(
        f"expected a line such as 'count=50 first=… curr=… min=… max=… avg=… std=…', got {clean_text(text)!r}: the "
        "output is damaged, or the program is none that is known."
    )
