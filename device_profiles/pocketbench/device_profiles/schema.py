"""What a profile holds about a kind of device. A profile is one YAML file in `data/`, checked against `DeviceProfile`.

Every fact names its source by a key of the profile's own `sources`. What is not known is absent, never guessed.

Format history:
    1  first version (pocketbench 0.1)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import Field, StringConstraints, field_validator, model_validator

from pocketbench.checked.yaml import Strict
from pocketbench.device_profiles.arm_cores import ARM_CORES

__all__ = [
    "SCHEMA_VERSION",
    "Cluster",
    "DeviceProfile",
    "Fact",
    "IdentityRule",
    "PowerMethod",
    "Quirk",
    "Sensor",
    "Source",
    "Text",
]

SCHEMA_VERSION = 1

Text = Annotated[str, StringConstraints(min_length=1, max_length=600, strip_whitespace=True)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Value = TypeVar("Value")


class Source(Strict):
    """Where facts come from: a document, a file of a public repository, a capture."""

    title: Text
    url: Annotated[str, StringConstraints(pattern=r"^https://\S{1,400}$")] | None = None
    note: Text | None = None


class Fact(Strict, Generic[Value]):
    """A value and the key of its source."""

    value: Value
    source: Slug


class Cluster(Strict):
    """Cores of one kind that share their frequency limits, listed from the slowest cluster to the fastest.

    `cpus` are the kernel's logical numbers; `part` is the "CPU part" of /proc/cpuinfo.
    """

    core: Fact[Text]
    count: Fact[Annotated[int, Field(ge=1, le=1024)]]
    cpus: Fact[tuple[Annotated[int, Field(ge=0, le=1023)], ...]] | None = None
    part: Fact[Annotated[int, Field(ge=0, le=0xFFF)]] | None = None
    max_khz: Fact[Annotated[int, Field(ge=10_000, le=10_000_000)]] | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.cpus is not None and len(set(self.cpus.value)) != self.count.value:
            raise ValueError(f"expected {self.count.value} different cpus, got {list(self.cpus.value)}")
        if self.part is not None:
            known = ARM_CORES.get(self.part.value)
            if known is not None and known != self.core.value:
                raise ValueError(f"part {self.part.value:#x} is {known}, got the core {self.core.value!r}")
        return self


class IdentityRule(Strict):
    """The device is of this kind where `property` has the value `equals`; one rule that holds is enough.

    `device-tree-compatible` holds where one of the strings in /proc/device-tree/compatible is equal; `ro.…` are
    Android system properties.
    """

    property: Literal["device-tree-compatible", "ro.product.model"]
    equals: Text
    source: Slug


class Sensor(Strict):
    """Something the device can be asked: a file to read or a command to run.

    `path` may hold `*` for one path component or a part of it. `unit` is that of the raw value.
    """

    name: Slug
    quantity: Literal[
        "battery-level",
        "charge",
        "current",
        "energy",
        "frequency",
        "frequency-residency",
        "governor",
        "load",
        "power",
        "power-state",
        "temperature",
        "throttling",
        "voltage",
    ]
    path: Annotated[str, StringConstraints(pattern=r"^/(proc|sys)/[A-Za-z0-9_.:*/-]{1,200}$")] | None = None
    command: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    unit: Text
    needs_root: bool | None = None
    note: Text | None = None
    source: Slug

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        if (self.path is None) == (self.command is None):
            raise ValueError("expected either 'path' or 'command'")
        if self.path is not None and ".." in self.path.split("/"):
            raise ValueError("expected a path without '..'")
        return self


class PowerMethod(Strict):
    """One way to power or energy, best first, and what exactly it meters.

    `external-meter` says that the device itself cannot tell.
    """

    method: Literal["battery-gauge", "external-meter", "odpm-rails", "pmic-adc", "rapl"]
    boundary: Text
    needs_root: bool | None = None
    note: Text | None = None
    source: Slug


class Quirk(Strict):
    """What a reader of this device's numbers must know."""

    name: Slug
    text: Text
    source: Slug


class DeviceProfile(Strict):
    """What is known about a kind of device."""

    version: Literal[1]
    name: Slug
    title: Text
    platform: Literal["linux", "android"]
    generic: bool = False
    """True for the profiles that serve any device of a platform."""
    sources: dict[Slug, Source] = Field(default_factory=dict)
    identity: tuple[IdentityRule, ...] = ()
    soc: Fact[Text] | None = None
    clusters: tuple[Cluster, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    power: tuple[PowerMethod, ...] = ()
    quirks: tuple[Quirk, ...] = ()

    @field_validator("sensors", "quirks")
    @classmethod
    def _names_differ(cls, items: tuple[Sensor | Quirk, ...]) -> tuple[Sensor | Quirk, ...]:
        names = [item.name for item in items]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the name {name!r} is given twice")
        return items

    @model_validator(mode="after")
    def _sources_are_known_and_used(self) -> Self:
        used = {source for _, source in self.facts()}
        for where, source in self.facts():
            if source not in self.sources:
                raise ValueError(f"{where} names the source {source!r}, which is not among {sorted(self.sources)}")
        if unused := sorted(set(self.sources) - used):
            raise ValueError(f"no fact names the sources {unused}: remove them, or name them")
        if self.identity and self.generic:
            raise ValueError("a generic profile has no identity")
        cpus = [cpu for cluster in self.clusters if cluster.cpus for cpu in cluster.cpus.value]
        if len(cpus) != len(set(cpus)):
            raise ValueError(f"the clusters share cpus: {cpus}")
        return self

    @property
    def cores(self) -> int | None:
        """Number of cores, None where the clusters are not known."""
        return sum(cluster.count.value for cluster in self.clusters) or None

    def quirk_texts(self) -> tuple[str, ...]:
        """What a reader of this device's numbers must know, a sentence each."""
        return tuple(quirk.text for quirk in self.quirks)

    def facts(self) -> Iterator[tuple[str, str]]:
        """Every fact as (where it stands, key of its source)."""
        if self.soc is not None:
            yield "soc", self.soc.source
        for index, cluster in enumerate(self.clusters):
            for name in Cluster.model_fields:
                fact = getattr(cluster, name)
                if fact is not None:
                    yield f"clusters.{index}.{name}", fact.source
        for group in ("identity", "sensors", "power", "quirks"):
            for index, item in enumerate(getattr(self, group)):
                yield f"{group}.{index}", item.source
