"""Which profile a device has, by what it says of itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from pocketbench.checked.errors import InputError
from pocketbench.device_profiles.loader import load_profile, profile_names

__all__ = ["match_profile"]


def match_profile(properties: Mapping[str, Collection[str]], platform: Literal["linux", "android"]) -> str:
    """The profile of which one identity rule holds, else the generic one of the platform.

    `properties` has what the device says by the names of IdentityRule. InputError where several profiles claim it.
    """
    found = [
        name
        for name in profile_names()
        if any(rule.equals in properties.get(rule.property, ()) for rule in load_profile(name).identity)
    ]
    if len(found) > 1:
        raise InputError(
            f"expected one device profile for this device, got {', '.join(found)}: choose one with --profile."
        )
    return found[0] if found else f"generic-{platform}"
