"""What a device is: its model and chip, its cores, its system, where we may work there, and which unit it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from pocketbench.device_profiles.core_cluster import CoreCluster
from pocketbench.harness.devices.android_properties import parse_properties
from pocketbench.harness.devices.answers import Answers, ask
from pocketbench.harness.devices.clusters import core_clusters, parse_frequencies
from pocketbench.harness.devices.cpuinfo import parse_cpuinfo
from pocketbench.harness.devices.facts import DeviceFacts, facts_of, maker_and_model
from pocketbench.harness.devices.parsers import clean_text, parse_device_tree_texts, parse_libc, parse_page_bytes
from pocketbench.harness.devices.serial import hash_serial
from pocketbench.harness.devices.storage import allows_programs, parse_free_bytes
from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.base import Transport

__all__ = ["DeviceIdentity", "home_directory_there", "identity_of", "read_identity", "read_properties"]

_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """`facts`, and what else a device says of itself; None where it does not.

    `properties` are those that profiles know devices by (IdentityRule). `soc` is the chip as Android or the device
    tree names it. `abi` are the kinds of programs that Android runs, the preferred one first. `libc` is such as
    `glibc 2.36`, `musl 1.2.4` or `bionic`. `free_bytes` and `runs_programs` (False on a file system mounted noexec) are
    those of the directory that was asked for. `serial_hash` is None where no salt was given.
    """

    facts: DeviceFacts
    manufacturer: str | None
    model: str | None
    soc: str | None
    clusters: tuple[CoreCluster, ...]
    android_release: str | None
    android_api: int | None
    security_patch: str | None
    abi: str | None
    libc: str | None
    page_size_bytes: int | None
    free_bytes: int | None
    runs_programs: bool | None
    serial_hash: str | None
    properties: Mapping[str, tuple[str, ...]]

    @property
    def platform(self) -> str:
        """As device profiles call it: `android` or `linux`."""
        return "android" if self.android_release is not None or self.android_api is not None else "linux"

    def summary(self) -> dict[str, object]:
        """All of it by name, each a plain value, for a table; `model` with its maker, as in the table "devices"."""
        told = {"facts", "clusters", "manufacturer", "model", "properties"}
        own = {name: getattr(self, name) for name in self.__slots__ if name not in told}
        return {**asdict(self.facts), "clusters": ", ".join(map(str, self.clusters)) or None, **own}


def read_identity(
    transport: Transport, directory: PurePosixPath | None = None, *, salt: bytes | None = None
) -> DeviceIdentity:
    """Ask the device in one round trip, also about `directory`, which need not exist yet.

    `salt` (serial.identity_salt) makes the hash of the serial number. TransportError where it cannot be reached.
    """
    return identity_of(ask(transport, directory, serial=salt is not None), salt=salt)


def identity_of(answers: Answers, *, salt: bytes | None = None) -> DeviceIdentity:
    """What these answers say."""
    properties = parse_properties(answers.text("properties"))
    cpu = parse_cpuinfo(answers.text("cpuinfo"))
    manufacturer, model = maker_and_model(answers)
    level = properties.get("ro.build.version.sdk", "")
    android_api = int(level) if re.fullmatch(r"\d{1,3}", level, re.ASCII) else None
    serial = (
        properties.get("ro.serialno")
        or next(iter(parse_device_tree_texts(answers.text("tree-serial-number"))), None)
        or cpu.serial
        or clean_text(answers.text("machine-id"))
    )
    return DeviceIdentity(
        facts=facts_of(answers),
        manufacturer=manufacturer,
        model=model,
        soc=_soc(answers, properties),
        clusters=core_clusters(cpu.processors, parse_frequencies(answers.text("frequencies"))),
        android_release=properties.get("ro.build.version.release"),
        android_api=android_api,
        security_patch=properties.get("ro.build.version.security_patch"),
        abi=properties.get("ro.product.cpu.abilist"),
        libc="bionic" if android_api is not None else parse_libc(answers.text("libc")),
        page_size_bytes=parse_page_bytes(answers.line("page")),
        free_bytes=parse_free_bytes(answers.text("space")),
        runs_programs=allows_programs(answers.text("mounts"), answers.text("place").removesuffix("\n")),
        serial_hash=None if salt is None else hash_serial(serial, salt),
        properties=_profile_properties(answers, properties),
    )


def read_properties(transport: Transport) -> Mapping[str, tuple[str, ...]]:
    """By the names that device profiles use (IdentityRule); what the device does not say is left out."""
    return read_identity(transport).properties


def home_directory_there(transport: Transport) -> PurePosixPath:
    """The home directory of the user we are on the device; TransportError where there is none."""
    completed = transport.run(("sh", "-c", "cd && pwd"), timeout_s=_TIMEOUT_S)
    text = completed.stdout.decode(errors="replace").removesuffix("\n")
    if completed.exit_code != 0 or not text.startswith("/") or not text.isprintable():
        raise TransportError(
            f"{transport.address}: expected the user's home directory, got {text[:200]!r}: say where pocketbench may "
            "keep its files there with --directory."
        )
    return PurePosixPath(text)


# ro.soc.manufacturer [QTI] and ro.soc.model [SM8650] since Android 12, before it ro.board.platform [kona]; boards:
# raspberrypi,5-model-b\0brcm,bcm2712\0 from the most specific to the most general (Devicetree Specification, 2.3.1)
def _soc(answers: Answers, properties: Mapping[str, str]) -> str | None:
    if model := properties.get("ro.soc.model"):
        return f"{properties.get('ro.soc.manufacturer', '')} {model}".strip()
    if platform := properties.get("ro.board.platform"):
        return platform
    compatible = parse_device_tree_texts(answers.text("tree-compatible"))
    return compatible[-1] if len(compatible) > 1 else None


def _profile_properties(answers: Answers, properties: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    model = properties.get("ro.product.model")
    found = {
        "device-tree-compatible": parse_device_tree_texts(answers.text("tree-compatible")),
        "ro.product.model": (model,) if model else (),
    }
    return {name: texts for name, texts in found.items() if texts}
