"""Devices that announce themselves on the local network by multicast DNS (RFC 6762, RFC 6763).

Phones announce wireless debugging (Android 11 and newer, AOSP packages/modules/adb), boards with Avahi their SSH
server. Names, hosts and ports are whatever somebody on the network says: they are checked before they are shown.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from zeroconf import InterfaceChoice, ServiceBrowser, ServiceStateChange, Zeroconf

from pocketbench.harness.devices.parsers import clean_text

__all__ = ["ADB_PAIRING", "ADB_PLAIN", "ADB_TLS", "SSH", "Announcement", "browse"]

ADB_PLAIN = "_adb._tcp.local."
ADB_TLS = "_adb-tls-connect._tcp.local."
ADB_PAIRING = "_adb-tls-pairing._tcp.local."
SSH = "_ssh._tcp.local."
_SERVICES = (ADB_PLAIN, ADB_TLS, ADB_PAIRING, SSH)
# How long a host may take to give address and port after its name.
_RESOLVE_MS = 1500
_MOST = 200


@dataclass(frozen=True, slots=True)
class Announcement:
    """`service` is one of the constants above; `name` is what the device calls the instance, `host` an IP address."""

    service: str
    name: str
    host: str
    port: int


def browse(
    duration_s: float, *, interfaces: Sequence[str] | InterfaceChoice = InterfaceChoice.All
) -> list[Announcement]:
    """Listen for `duration_s`; OSError where this computer has no network to listen on."""
    found: dict[tuple[str, str], None] = {}

    def heard(service_type: str, name: str, state_change: ServiceStateChange, **_: object) -> None:
        if state_change is not ServiceStateChange.Removed and len(found) < _MOST:
            found[service_type, name] = None

    zeroconf = Zeroconf(interfaces=interfaces)
    try:
        browser = ServiceBrowser(zeroconf, list(_SERVICES), handlers=[heard])
        time.sleep(duration_s)
        browser.cancel()
        announcements = [_resolve(zeroconf, service, name) for service, name in found]
    finally:
        zeroconf.close()
    return sorted({a for a in announcements if a is not None}, key=lambda a: (a.service, a.host, a.port))


def _resolve(zeroconf: Zeroconf, service: str, name: str) -> Announcement | None:
    """Address and port of one that was heard of; None where it is gone again, or has no name to show."""
    info = zeroconf.get_service_info(service, name, timeout=_RESOLVE_MS)
    label = clean_text(name.removesuffix(f".{service}"))
    if info is None or info.port is None or not 1 <= info.port <= 65535 or not label:
        return None
    addresses = info.parsed_scoped_addresses()  # IPv4 first
    return Announcement(service, label, addresses[0], info.port) if addresses else None
