"""What a scan sees: one device in one way (a Sighting), and all ways to the same device put together (a FoundDevice).

Two sightings are of the same device where they share a key: its serial number, or its place in the network.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field

from pocketbench.checked.errors import InputError
from pocketbench.harness.devices.address import parse_address

__all__ = ["FoundDevice", "Seen", "Sighting", "board_key", "checked_address", "phone_keys", "put_together"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device as one source sees it.

    `address` is what it would be registered as, None where it has none. `what` is what it says it is, `name_hint` what
    its name may be made of; neither may hold control characters. `to_do` is what is in the way of registering it, with
    the remedy; None where nothing is. `registered` is its name where the registry is the source. Of what is `hearsay`,
    anybody on the network may have said it.
    """

    way: str
    address: str | None
    keys: frozenset[str]
    what: str | None = None
    name_hint: str | None = None
    to_do: str | None = None
    registered: str | None = None
    hearsay: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What one source saw, and what kept it from seeing more: a sentence, with the remedy."""

    sightings: tuple[Sighting, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """One device: see Sighting. `found_by` are the ways in which it was seen, `registered` its names."""

    address: str | None
    what: str | None
    found_by: tuple[str, ...]
    registered: tuple[str, ...]
    name_hint: str | None
    to_do: str | None

    @property
    def can_be_added(self) -> bool:
        """Whether it may be registered now."""
        return not self.registered and self.address is not None and self.to_do is None


@dataclass(slots=True)
class _Row:
    sightings: list[Sighting] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)


def put_together(sightings: Iterable[Sighting]) -> list[FoundDevice]:
    """One row for each device. The first sighting of a device says how it is reached, so the best sources come first.

    Hearsay joins the first row that it fits, but what it says of itself binds no two rows together: an announcement
    cannot hide one device behind another.
    """
    rows: list[_Row] = []
    for sighting in sightings:
        row = next((row for row in rows if row.keys & sighting.keys), None)
        if row is None:
            row = _Row()
            rows.append(row)
        if not sighting.hearsay or not row.sightings:
            row.keys |= sighting.keys
        row.sightings.append(sighting)
    return [_found(row.sightings) for row in rows]


def _found(sightings: list[Sighting]) -> FoundDevice:
    known = [sighting for sighting in sightings if sighting.registered is not None]
    seen = [sighting for sighting in sightings if sighting.registered is None]
    return FoundDevice(
        address=next((sighting.address for sighting in (*known, *seen) if sighting.address is not None), None),
        what=next((sighting.what for sighting in sightings if sighting.what is not None), None),
        found_by=tuple(dict.fromkeys(sighting.way for sighting in seen)),
        registered=tuple(sighting.registered for sighting in known if sighting.registered is not None),
        name_hint=next((sighting.name_hint for sighting in sightings if sighting.name_hint is not None), None),
        to_do=seen[0].to_do if seen else None,
    )


def phone_keys(host: str, port: int) -> frozenset[str]:
    """The keys of a phone at a place in the network; all ports of an IP address are the same phone's."""
    place = f"phone:{host.lower()}:{port}"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return frozenset({place})
    # Emulators are many at loopback.
    return frozenset({place} if address.is_loopback else {place, f"phone:{address}"})


def board_key(host: str, port: int) -> str:
    """The key of an SSH server; another port may be another machine, such as a container."""
    return f"board:{host.lower()}:{port}"


def checked_address(text: str) -> str | None:
    """`text` where it is an address that can be registered."""
    try:
        parse_address(text)
    except InputError:
        return None
    return text
