"""Does anything else keep the device busy, and is there memory left?"""

from __future__ import annotations

from pocketbench.harness.checkup.rows import Row, not_known, ok, warning
from pocketbench.harness.checkup.visit import Visit
from pocketbench.harness.deploy.space import megabytes
from pocketbench.harness.devices.parsers import parse_cpu_list, parse_loadavg
from pocketbench.harness.sensors.cpu_time import parse_cpu_time
from pocketbench.harness.sensors.meminfo import parse_meminfo

__all__ = ["load", "memory", "swap"]

# One of four cores at half speed; a device that does nothing is well below, with ourselves connected to it.
_BUSY_SHARE = 0.1
_LITTLE_BYTES = 256_000_000
_LITTLE_SHARE = 0.1
# What a board swapped out long ago and never asks for again does not disturb.
_SWAPPED_BYTES = 64_000_000
_ONE_SECOND = """
head -n 1 /proc/stat
sleep 1
head -n 1 /proc/stat
"""


def load(visit: Visit) -> list[Row]:
    """How busy the cores were in the last second, and the load average.

    The average counts waiting kernel threads too, of which an idle phone has many: it is shown and does not decide.
    """
    lines = (visit.text("sh", "-c", _ONE_SECOND) or "").splitlines()
    times = [parse_cpu_time(line) for line in lines]
    average = parse_loadavg(visit.text("cat", "/proc/loadavg") or "")
    shown = "" if average is None else f", load average {average:.2f}"
    if len(times) != 2 or times[0] is None or times[1] is None:
        return [not_known("load", f"expected /proc/stat, got something else{shown}")]
    busy = times[1].busy_share_since(times[0])
    if busy is None:
        return [not_known("load", f"/proc/stat does not advance{shown}")]
    cores = parse_cpu_list(visit.file("/sys/devices/system/cpu/online") or "")
    of = f" of {cores} cores" if cores else ""
    found = f"{busy:.0%}{of} busy during one second{shown}"
    if busy <= _BUSY_SHARE:
        return [ok("load", found)]
    look = visit.adb("top") if visit.is_android else "top on the device"
    return [warning("load", f"{found}: something else runs", f"see what it is ({look}), end it or wait")]


def memory(visit: Visit) -> list[Row]:
    """What a model can have without swapping."""
    facts = parse_meminfo(visit.file("/proc/meminfo") or "")
    if facts.available_bytes is None or not facts.total_bytes:
        return [not_known("memory", "/proc/meminfo does not say what is available")]
    found = f"{megabytes(facts.available_bytes)} of {megabytes(facts.total_bytes)} available"
    share = facts.available_bytes / facts.total_bytes
    if facts.available_bytes >= _LITTLE_BYTES and share >= _LITTLE_SHARE:
        return [ok("memory", found)]
    return [warning("memory", f"{found}: a large model will be swapped or killed", "end what else runs, or restart it")]


def swap(visit: Visit) -> list[Row]:
    """Memory that was written to a card or compressed comes back slowly."""
    facts = parse_meminfo(visit.file("/proc/meminfo") or "")
    used = facts.swap_used_bytes
    if used is None or facts.swap_total_bytes is None:
        return [not_known("swap", "/proc/meminfo does not say")]
    if facts.swap_total_bytes == 0:
        return [ok("swap", "none")]
    found = f"{megabytes(used)} of {megabytes(facts.swap_total_bytes)} in use"
    if visit.is_android:
        return [ok("swap", f"{found} (compressed memory: usual on a phone)")]
    if used <= _SWAPPED_BYTES:
        return [ok("swap", found)]
    return [
        warning(
            "swap", f"{found}: what comes back from there is slow", "on the device: sudo swapoff -a && sudo swapon -a"
        )
    ]
