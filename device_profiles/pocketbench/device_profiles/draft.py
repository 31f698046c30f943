"""Begin a device profile with what a device itself says: what is known is filled in, the rest is left out."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import yaml

from pocketbench.checked.errors import InputError
from pocketbench.checked.yaml import parse_yaml
from pocketbench.device_profiles.arm_cores import ARM_IMPLEMENTER
from pocketbench.device_profiles.core_cluster import CoreCluster
from pocketbench.device_profiles.schema import SCHEMA_VERSION, DeviceProfile

__all__ = ["draft_profile", "profile_slug"]

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_SOURCE = "own-capture"
_USUAL_PAGE_BYTES = 4096
_HEADER = """\
# Drafted by `pocketbench device profile draft` from what the device says of itself. Check every line, give the chip its
# full name, add sensors, power methods and quirks with their sources (docs/device-profiles.md), then contribute it.
"""


class _Hexadecimal(int):
    """A number that is written as 0xd0b."""


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists are indented below their key, as in the profiles that come with pocketbench."""
        super().increase_indent(flow, indentless=False)


_Dumper.add_representer(
    _Hexadecimal, lambda dumper, number: dumper.represent_scalar("tag:yaml.org,2002:int", f"{number:#x}")
)


def draft_profile(
    *,
    name: str,
    title: str,
    platform: Literal["android", "linux"],
    properties: Mapping[str, Collection[str]],
    soc: str | None,
    clusters: Sequence[CoreCluster],
    page_size_bytes: int | None,
    note: str,
) -> str:
    """The text of the file `NAME.yaml`, which loads; `note` says of which device, with which system, and when.

    `properties` has what the device says by the names of IdentityRule. Raises InputError where `name` is no slug.
    """
    if not _SLUG.fullmatch(name):
        raise InputError(
            "expected a name of at most 64 lower case letters, digits and hyphens for a profile, got "
            f"{name!r}: for example {profile_slug(name)!r}."
        )
    profile: dict[str, Any] = {"version": SCHEMA_VERSION, "name": name, "title": title, "platform": platform}
    facts: dict[str, Any] = {
        "identity": _identity(properties),
        "soc": _fact(soc) if soc else None,
        "clusters": _clusters(clusters),
        "quirks": _quirks(page_size_bytes),
    }
    known = {key: value for key, value in facts.items() if value}
    if known:
        profile["sources"] = {_SOURCE: {"title": "measured on the device", "note": note}}
    text = _HEADER + yaml.dump(
        {**profile, **known}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110
    )
    parse_yaml(text, DeviceProfile, source=f"{name}.yaml")
    return text


def profile_slug(text: str) -> str:
    """A name for a profile made of `text`, such as the model of a device."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64].rstrip("-") or "my-device"


def _identity(properties: Mapping[str, Collection[str]]) -> list[dict[str, Any]]:
    """The first string of a device tree's list is the most specific one: the board, not its chip."""
    return [
        {"property": key, "equals": next(iter(values)), "source": _SOURCE}
        for key, values in properties.items()
        if values
    ]


def _clusters(clusters: Sequence[CoreCluster]) -> list[dict[str, Any]]:
    """All of them, or none where one is not known: half of the cores would be a wrong profile."""
    if any(cluster.core is None for cluster in clusters):
        return []
    return [_cluster(cluster) for cluster in clusters]


def _cluster(cluster: CoreCluster) -> dict[str, Any]:
    known = {
        "core": _fact(cluster.core),
        "count": _fact(len(cluster.cpus)),
        "cpus": _fact(list(cluster.cpus)),
    }
    # Other makers number their cores as they like.
    if cluster.implementer == ARM_IMPLEMENTER and cluster.part is not None:
        known["part"] = _fact(_Hexadecimal(cluster.part))
    if cluster.max_khz is not None:
        known["max_khz"] = _fact(cluster.max_khz)
    return known


def _quirks(page_size_bytes: int | None) -> list[dict[str, Any]]:
    if page_size_bytes is None or page_size_bytes == _USUAL_PAGE_BYTES:
        return []
    kib = page_size_bytes // 1024
    text = f"Pages are of {kib} KiB; memory figures are not comparable with devices of 4 KiB."
    return [{"name": f"pages-of-{kib}-kib", "text": text, "source": _SOURCE}]


def _fact(value: Any) -> dict[str, Any]:
    return {"value": value, "source": _SOURCE}
