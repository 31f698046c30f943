"""Does the device answer, and is its clock right?"""

from __future__ import annotations

import re
import statistics
import time
from typing import Protocol, runtime_checkable

from pocketbench.harness.checkup.rows import Row, fail, not_known, ok, warning
from pocketbench.harness.checkup.visit import Visit, decode, reason
from pocketbench.harness.devices.parsers import parse_uname

__all__ = ["clock", "monotonic_clock", "reachable"]

_ROUND_TRIPS = 3
_ANSWER_WITHIN_S = 30.0
# Results are dated by this computer; the device's date is that of its files and logs.
_CLOCKS_DIFFER_S = 5.0
# A wall clock that is slewed by NTP runs 0.05 % off, and the two are read one after the other.
_JUMP_S = 0.5
# A pause of one second, and between which times a sound clock may see it.
_PAUSE_S = (0.9, 5.0)
_TWO_LOOKS = """
look() { cat /proc/uptime; date +%s.%N; }
look
sleep 1
look
"""


@runtime_checkable
class _TellsItsWay(Protocol):
    """A transport that has several ways: a phone is reached directly or through an adb server."""

    def way(self) -> str: ...


def reachable(visit: Visit) -> list[Row]:
    """Raises TransportError where it does not answer."""
    visit.run("true", timeout_s=_ANSWER_WITHIN_S)  # the first one connects
    trips_s = [_timed_s(visit) for _ in range(_ROUND_TRIPS)]
    system = parse_uname(visit.text("uname", "-r", "-m") or "")
    kernel = f", Linux {system[0]} on {system[1]}" if system else ""
    way = f" {visit.transport.way()}" if isinstance(visit.transport, _TellsItsWay) else ""
    return [ok("reachable", f"answers{way} in {statistics.median(trips_s) * 1e3:.1f} ms{kernel}")]


def _timed_s(visit: Visit) -> float:
    start = time.perf_counter()
    visit.run("true", timeout_s=_ANSWER_WITHIN_S)
    return time.perf_counter() - start


def clock(visit: Visit) -> list[Row]:
    """The date of the device against ours; half the round trip is what is not known of it."""
    before = time.time()
    answer = visit.run("date", "+%s.%N")
    after = time.time()
    seen = _parse_date(decode(answer.stdout))
    if seen is None:
        return [not_known("clock", f"expected the time of `date +%s.%N`, got: {reason(answer)}")]
    seconds, resolution_s = seen
    offset_s = seconds + resolution_s / 2 - (before + after) / 2
    doubt_s = (after - before + resolution_s) / 2
    if abs(offset_s) <= doubt_s:
        return [ok("clock", f"agrees with this computer's (± {doubt_s:.2g} s)")]
    found = f"{abs(offset_s):.3g} s {'ahead of' if offset_s > 0 else 'behind'} this computer's (± {doubt_s:.2g} s)"
    if abs(offset_s) - doubt_s <= _CLOCKS_DIFFER_S:
        return [ok("clock", found)]
    mend = (
        f"{visit.adb('settings put global auto_time 1')}, with the phone in a network"
        if visit.is_android
        else "on the device: sudo timedatectl set-ntp true"
    )
    return [warning("clock", f"{found}: dates of files and logs there will mislead", f"{mend}; or mend ours")]


# 1764048000.123456789; busybox prints what it does not know: 1764048000.%N
def _parse_date(text: str) -> tuple[float, float] | None:
    """Seconds since 1970, and how fine they are."""
    match = re.fullmatch(r"(\d{1,12})(?:\.(\d{9})|\.?%?N?)\s*", text, re.ASCII)
    if match is None:
        return None
    return (float(f"{match[1]}.{match[2]}"), 0.0) if match[2] else (float(match[1]), 1.0)


def monotonic_clock(visit: Visit) -> list[Row]:
    """Latency is measured by the monotonic clock: it must run, and the wall clock beside it."""
    question = "monotonic clock"
    lines = (visit.text("sh", "-c", _TWO_LOOKS) or "").splitlines()
    if len(lines) != 4:
        return [not_known(question, "expected /proc/uptime and the date twice, got something else")]
    up_s = [_parse_uptime(line) for line in (lines[0], lines[2])]
    dates = [_parse_date(line) for line in (lines[1], lines[3])]
    if up_s[0] is None or up_s[1] is None:
        return [not_known(question, "expected /proc/uptime, got something else")]
    passed_s = up_s[1] - up_s[0]
    found = f"a pause of 1 s took {passed_s:.2f} s"
    if not _PAUSE_S[0] <= passed_s <= _PAUSE_S[1]:
        return [fail(question, f"{found}: nothing can be timed", "restart the device")]
    if dates[0] is None or dates[1] is None:
        return [ok(question, found)]
    (first_s, resolution_s), (second_s, _) = dates[0], dates[1]
    jump_s = second_s - first_s - passed_s
    if abs(jump_s) > _JUMP_S + resolution_s:
        return [
            warning(
                question,
                f"{found}, while the wall clock jumped by {jump_s:+.2f} s; figures are timed by the former",
                "wait until the device has set its clock",
            )
        ]
    return [ok(question, found)]


# 14074.20 14629.02
def _parse_uptime(text: str) -> float | None:
    match = re.fullmatch(r"(\d{1,10}\.\d\d) \d{1,12}\.\d\d", text, re.ASCII)
    return float(match[1]) if match else None
