"""A device profile to contribute, begun with what the device says of itself."""

from __future__ import annotations

from datetime import date

from pocketbench.device_profiles.draft import draft_profile
from pocketbench.harness.devices.identity import DeviceIdentity

__all__ = ["draft_for"]


def draft_for(identity: DeviceIdentity, *, name: str, pocketbench_version: str, measured_on: date) -> str:
    """The text of `NAME.yaml`; InputError where `name` cannot be that of a profile."""
    facts = identity.facts
    system = ", kernel ".join(text for text in (facts.os, facts.kernel) if text) or "an unknown system"
    return draft_profile(
        name=name,
        title=facts.model or name,
        platform="android" if identity.platform == "android" else "linux",
        properties=identity.properties,
        soc=identity.soc,
        clusters=identity.clusters,
        page_size_bytes=identity.page_size_bytes,
        note=f"one device, {system}, {measured_on.isoformat()}, by pocketbench {pocketbench_version}",
    )
