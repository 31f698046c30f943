"""What a device says of itself for the table "devices". What it does not say is None, never a guess."""

from __future__ import annotations

from dataclasses import dataclass

from pocketbench.harness.devices.android_properties import parse_properties
from pocketbench.harness.devices.answers import Answers, ask
from pocketbench.harness.devices.clusters import parse_frequencies
from pocketbench.harness.devices.cpuinfo import parse_cpuinfo
from pocketbench.harness.devices.parsers import (
    clean_text,
    parse_cpu_list,
    parse_device_tree_texts,
    parse_loadavg,
    parse_memory_bytes,
    parse_os_name,
    parse_uname,
)
from pocketbench.harness.transports.base import Transport

__all__ = ["DeviceFacts", "facts_of", "maker_and_model", "read_facts"]

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
    """Ask the device, in one round trip; TransportError where it cannot be reached."""
    return facts_of(ask(transport))


def facts_of(answers: Answers) -> DeviceFacts:
    """The row that these answers make."""
    cpu = parse_cpuinfo(answers.text("cpuinfo"))
    kernel, architecture = parse_uname(answers.line("uname")) or (None, None)
    return DeviceFacts(
        model=_name(*maker_and_model(answers)),
        cpu=cpu.name,
        cores=parse_cpu_list(answers.text("online")) or cpu.cores,
        memory_bytes=parse_memory_bytes(answers.text("meminfo")),
        os=_android(answers) or parse_os_name(answers.text("os-release")),
        kernel=kernel,
        architecture=architecture,
        cpu_features=" ".join(cpu.features) or None,
        governor=", ".join(parse_frequencies(answers.text("frequencies")).governors) or None,
        load_average_1min=parse_loadavg(answers.text("loadavg")),
    )


def maker_and_model(answers: Answers) -> tuple[str | None, str | None]:
    """As Android, the device tree (boards) or the firmware's DMI table (PCs) calls them."""
    properties = parse_properties(answers.text("properties"))
    if model := properties.get("ro.product.model"):
        return properties.get("ro.product.manufacturer"), model
    if tree := parse_device_tree_texts(answers.text("tree-model")):
        return None, tree[0]
    maker, model = (clean_text(answers.text(name)) for name in ("sys_vendor", "product_name"))
    return _said(maker), _said(model)


def _said(word: str | None) -> str | None:
    return None if word is None or word.lower() in _PLACEHOLDERS else word


def _name(maker: str | None, model: str | None) -> str | None:
    """`Google Pixel 7`; phones of some makers already begin with their name."""
    if maker and model and model.lower().startswith(maker.lower()):
        return model
    return " ".join(word for word in (maker, model) if word) or None


def _android(answers: Answers) -> str | None:
    properties = parse_properties(answers.text("properties"))
    release, level = properties.get("ro.build.version.release"), properties.get("ro.build.version.sdk")
    if release is None:
        return None
    return f"Android {release} (API {level})" if level else f"Android {release}"
