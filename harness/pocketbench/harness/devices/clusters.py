"""Which cores are of one kind and share their highest frequency: /proc/cpuinfo and cpufreq put together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pocketbench.device_profiles.core_cluster import CoreCluster
from pocketbench.harness.devices.cpuinfo import Processor
from pocketbench.harness.devices.parsers import clean_text

__all__ = ["Frequencies", "core_clusters", "parse_frequencies"]

_LINES = 20_000
_FILE = re.compile(
    r"/sys/devices/system/cpu/(?:cpufreq/policy|cpu)(\d{1,4})(?:/cpufreq)?"
    r"/(related_cpus|cpuinfo_max_freq|scaling_governor) (.{1,4096})",
    re.ASCII,
)
# A frequency outside of this, in kHz, is none.
_FREQUENCIES_KHZ = range(10_000, 10_000_001)


@dataclass(frozen=True, slots=True)
class Frequencies:
    """What cpufreq says: `max_khz` by CPU, and the governors in use, each once."""

    max_khz: Mapping[int, int]
    governors: tuple[str, ...]


# /sys/devices/system/cpu/cpufreq/policy4/related_cpus 4 5
# /sys/devices/system/cpu/cpufreq/policy4/cpuinfo_max_freq 2253000
# /sys/devices/system/cpu/cpufreq/policy4/scaling_governor schedutil
# and /sys/devices/system/cpu/cpu4/cpufreq/… of kernels before 4.2, which may say the same for each CPU of a policy
def parse_frequencies(text: str) -> Frequencies:
    """Read lines of a file and its content (admin-guide/pm/cpufreq.rst, "Policy Interface in sysfs")."""
    said: dict[int, dict[str, str]] = {}
    for line in text.splitlines()[:_LINES]:
        if match := _FILE.fullmatch(line):
            said.setdefault(int(match[1]), {}).setdefault(match[2], match[3])
    max_khz: dict[int, int] = {}
    for first, files in said.items():
        fastest = files.get("cpuinfo_max_freq", "")
        if re.fullmatch(r"\d{1,8}", fastest, re.ASCII) and int(fastest) in _FREQUENCIES_KHZ:
            related = re.findall(r"\b\d{1,4}\b", files.get("related_cpus", ""), re.ASCII)
            for cpu in map(int, related or [str(first)]):
                max_khz[cpu] = int(fastest)
    governors = {clean_text(files.get("scaling_governor", "")) for files in said.values()}
    return Frequencies(max_khz, tuple(sorted(name for name in governors if name)))


def core_clusters(processors: Sequence[Processor], frequencies: Frequencies) -> tuple[CoreCluster, ...]:
    """Clusters from the slowest to the fastest; () where the kernel's numbers make no sense."""
    numbers = [processor.number for processor in processors]
    if None in numbers or len(set(numbers)) != len(numbers):
        return ()
    members: dict[tuple[str | None, int | None, int | None, int | None], list[int]] = {}
    for processor in processors:
        assert processor.number is not None
        fastest = frequencies.max_khz.get(processor.number)
        key = (processor.core, processor.implementer, processor.part, fastest)
        members.setdefault(key, []).append(processor.number)
    clusters = [
        CoreCluster(core, tuple(sorted(cpus)), max_khz, implementer, part)
        for (core, implementer, part, max_khz), cpus in members.items()
    ]
    return tuple(sorted(clusters, key=lambda cluster: (cluster.max_khz or 0, cluster.cpus)))
