"""Ask a device what it is. What it does not say is None, never a guess."""

from __future__ import annotations

from dataclasses import dataclass

from pocketbench.harness.devices.parsers import (
    clean_text,
    parse_cpu_list,
    parse_cpuinfo,
    parse_device_tree_model,
    parse_loadavg,
    parse_memory_bytes,
    parse_os_name,
    parse_uname,
)
from pocketbench.harness.transports.base import Transport

__all__ = ["DeviceFacts", "read_facts"]

_TIMEOUT_S = 15.0
_CPUFREQ = "/sys/devices/system/cpu/cpufreq"
_POLICIES = 64
# What board makers leave in the DMI table when they have nothing to say.
_PLACEHOLDERS = {
    "default string",
    "not specified",
    "system manufacturer",
    "system product name",
    "to be filled by o.e.m.",
}


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """One row of the table "devices", without the name it is registered by: what the device says of itself now."""

    model: str | None
    cpu: str | None
    cores: int | None
    memory_bytes: int | None
    os: str | None
    kernel: str | None
    architecture: str | None
    cpu_features: str | None
    governor: str | None
    load_average_1min: float | None


def read_facts(transport: Transport) -> DeviceFacts:
    """Ask the device; TransportError where it cannot be reached."""
    cpu = parse_cpuinfo(_cat(transport, "/proc/cpuinfo"))
    kernel, architecture = parse_uname(_run(transport, "uname", "-r", "-m")) or (None, None)
    return DeviceFacts(
        model=_model(transport),
        cpu=cpu.name,
        cores=parse_cpu_list(_cat(transport, "/sys/devices/system/cpu/online")) or cpu.cores,
        memory_bytes=parse_memory_bytes(_cat(transport, "/proc/meminfo")),
        os=parse_os_name(_cat(transport, "/etc/os-release")),
        kernel=kernel,
        architecture=architecture,
        cpu_features=" ".join(cpu.features) or None,
        governor=_governor(transport),
        load_average_1min=parse_loadavg(_cat(transport, "/proc/loadavg")),
    )


def _model(transport: Transport) -> str | None:
    """What the device tree (boards) or the firmware's DMI table (PCs) calls the machine."""
    if model := parse_device_tree_model(_cat(transport, "/sys/firmware/devicetree/base/model")):
        return model
    words = [clean_text(_cat(transport, f"/sys/class/dmi/id/{name}")) for name in ("sys_vendor", "product_name")]
    return " ".join(word for word in words if word and word.lower() not in _PLACEHOLDERS) or None


def _governor(transport: Transport) -> str | None:
    """The governors of all clusters, each once: `schedutil`, or `performance, schedutil`."""
    entries = _run(transport, "ls", "-1", _CPUFREQ).splitlines()[:_POLICIES]
    policies = [entry for entry in entries if entry.removeprefix("policy").isdecimal() and entry.isascii()]
    governors = [clean_text(_cat(transport, f"{_CPUFREQ}/{policy}/scaling_governor")) for policy in policies]
    return ", ".join(sorted({governor for governor in governors if governor})) or None


def _cat(transport: Transport, path: str) -> str:
    return _run(transport, "cat", path)


def _run(transport: Transport, *argv: str) -> str:
    """What the command printed; nothing where it failed: the file is not there, or not for us."""
    completed = transport.run(argv, timeout_s=_TIMEOUT_S)
    return completed.stdout.decode(errors="replace") if completed.exit_code == 0 else ""
