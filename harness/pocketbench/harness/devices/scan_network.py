"""Phones and boards that announce themselves on the local network, as sightings. All of it is hearsay."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from zeroconf import InterfaceChoice

from pocketbench.harness.devices.mdns import (
    ADB_PAIRING,
    ADB_PLAIN,
    ADB_TLS,
    SFTP_SSH,
    SSH,
    WORKSTATION,
    Announcement,
    browse,
)
from pocketbench.harness.devices.scan_adb import instance_keys
from pocketbench.harness.devices.sighting import Seen, Sighting, board_key, checked_address, phone_keys
from pocketbench.harness.transports.adb_errors import tls_only

__all__ = ["SSH_PORT", "listen", "names_known_here", "sightings_of"]

SSH_PORT = 22
# Of the same device the first one says how it is reached.
_ORDER = (ADB_PLAIN, ADB_PAIRING, ADB_TLS, SSH, SFTP_SSH, WORKSTATION)
_PHONES = frozenset({ADB_PLAIN, ADB_PAIRING, ADB_TLS})
# The computer's resolver may take seconds for a name that it does not know.
_RESOLVE_S = 2.0
_MOST_NAMES = 32


def listen(duration_s: float, interfaces: Sequence[str] | InterfaceChoice) -> Seen:
    """What announces itself within `duration_s`; 3.5 s more for slow hosts and for looking their names up."""
    left_out: list[int] = []
    try:
        announcements = browse(duration_s, interfaces=interfaces, on_flood=left_out.append)
    except OSError as error:
        return Seen(problem=f"not listened to: there is no network here ({error.strerror or error}).")
    boards = [announcement for announcement in announcements if announcement.service not in _PHONES]
    sightings = sightings_of(announcements, names_known_here(boards))
    if not left_out:
        return Seen(tuple(sightings))
    problem = (
        f"{left_out[0]} announcements were left out, as there are too many: a device that is missing here is added "
        "with `pocketbench device add ADDRESS --name NAME`."
    )
    return Seen(tuple(sightings), problem)


def sightings_of(announcements: Iterable[Announcement], known_names: frozenset[str]) -> list[Sighting]:
    """One for each announcement; `known_names` are host names that this computer can look up."""
    ordered = sorted(announcements, key=lambda announcement: _ORDER.index(announcement.service))
    return [_phone(a) if a.service in _PHONES else _board(a, known_names) for a in ordered]


def _phone(announcement: Announcement) -> Sighting:
    name, host, port = announcement.name, announcement.host, announcement.port
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    to_do = None
    if announcement.service == ADB_TLS:
        to_do = str(tls_only(name, place))
    elif announcement.service == ADB_PAIRING:
        to_do = (
            f"{name}: its pairing dialog is open: run `adb pair {place}` with the code on its screen, then `adb "
            "connect HOST:PORT` with the port of the screen Wireless debugging, and scan again."
        )
    return Sighting(
        way=_way(announcement),
        address=None if announcement.service == ADB_PAIRING else checked_address(f"adb+tcp://{place}"),
        keys=instance_keys(name) | frozenset().union(*(phone_keys(each, port) for each in _hosts(announcement))),
        what=name,
        name_hint=name.removeprefix("adb-"),
        to_do=to_do,
        hearsay=True,
    )


def _board(announcement: Announcement, known_names: frozenset[str]) -> Sighting:
    port = SSH_PORT if announcement.service == WORKSTATION else announcement.port
    name = announcement.host_name
    host = name if name in known_names and name else announcement.host
    written = f"[{host}]" if ":" in host else host
    hosts = (*_hosts(announcement), *((name,) if name else ()))
    return Sighting(
        way=_way(announcement),
        address=checked_address(f"ssh://{written}:{port}"),
        keys=frozenset(board_key(each, port) for each in hosts),
        what=announcement.name,
        name_hint=name.split(".")[0] if name else announcement.name,
        hearsay=True,
    )


def _way(announcement: Announcement) -> str:
    return f"mDNS {announcement.service.removesuffix('.local.')}"


def _hosts(announcement: Announcement) -> tuple[str, ...]:
    return announcement.addresses or (announcement.host,)


def _look_up(name: str) -> set[str]:
    """The IP addresses that this computer's resolver knows for `name`."""
    return {str(entry[4][0]) for entry in socket.getaddrinfo(name, None)}


def names_known_here(
    announcements: Iterable[Announcement],
    look_up: Callable[[str], set[str]] = _look_up,
    *,
    within_s: float = _RESOLVE_S,
) -> frozenset[str]:
    """Names that this computer finds in the network, at the address that was announced.

    A name lasts where an address changes; but kitchen.local can be looked up only where the computer has mDNS, and a
    name may be announced by somebody who does not own it.
    """
    hosts: dict[str, set[str]] = {}
    for announcement in announcements:
        if announcement.host_name is not None:
            hosts.setdefault(announcement.host_name, set()).update(_hosts(announcement))
    asked = dict(list(hosts.items())[:_MOST_NAMES])
    answers: queue.Queue[str | None] = queue.Queue()

    def ask(name: str, announced: set[str]) -> None:
        try:
            answers.put(name if look_up(name) & announced else None)
        except (OSError, UnicodeError):
            answers.put(None)

    for name, announced in asked.items():
        # A resolver cannot be interrupted; nobody waits for one that is late.
        threading.Thread(target=ask, args=(name, announced), daemon=True).start()
    known = set()
    deadline = time.monotonic() + within_s
    for _ in asked:
        try:
            known.add(answers.get(timeout=max(0.0, deadline - time.monotonic())))
        except queue.Empty:
            break
    return frozenset(name for name in known if name is not None)
