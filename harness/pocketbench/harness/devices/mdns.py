"""Devices that announce themselves on the local network by multicast DNS (RFC 6762, RFC 6763).

Phones announce wireless debugging (Android 11 and newer, AOSP packages/modules/adb), boards with Avahi their SSH
server. Names, hosts and ports are whatever somebody on the network says: they are checked before they are shown, and
no more of them are taken than anybody would read.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from zeroconf import BadTypeInNameException, DNSQuestionType, InterfaceChoice, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from pocketbench.harness.devices.parsers import clean_text

__all__ = ["ADB_PAIRING", "ADB_PLAIN", "ADB_TLS", "SFTP_SSH", "SSH", "WORKSTATION", "Announcement", "browse"]

ADB_PLAIN = "_adb._tcp.local."
ADB_TLS = "_adb-tls-connect._tcp.local."
ADB_PAIRING = "_adb-tls-pairing._tcp.local."
SSH = "_ssh._tcp.local."
SFTP_SSH = "_sftp-ssh._tcp.local."
# Avahi's publish-workstation=yes (avahi-daemon.conf(5)): a computer, with the port of nothing.
WORKSTATION = "_workstation._tcp.local."
_SERVICES = (ADB_PLAIN, ADB_TLS, ADB_PAIRING, SSH, SFTP_SSH, WORKSTATION)
# How long a host may take to give address and port after its name.
_RESOLVE_MS = 1500
# Of each service, so that a flood of one leaves room for the others.
_MOST_OF_A_SERVICE = 100
_MOST_ADDRESSES = 8
# The answer to a question by unicast reaches one of the programs that listen at port 5353 of this computer, which may
# be Avahi.
_TO_ALL = DNSQuestionType.QM
# A name in mDNS may be any text (RFC 6762, appendix F); one that can be written into an address is of this kind.
_HOST_NAME = re.compile(r"((?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,3}local)\.?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Announcement:
    """`service` is one of the constants above; `name` is what the device calls the instance, `host` an IP address.

    `host_name` is the name of that host (kitchen.local) where it has one that can be written into an address;
    `addresses` are all that it has, `host` the first of them.
    """

    service: str
    name: str
    host: str
    port: int
    host_name: str | None = field(default=None, compare=False)
    addresses: tuple[str, ...] = field(default=(), compare=False)


def _nobody(_: int) -> None:
    """Where nobody listens."""


def browse(
    duration_s: float,
    *,
    interfaces: Sequence[str] | InterfaceChoice = InterfaceChoice.All,
    on_flood: Callable[[int], None] = _nobody,
) -> list[Announcement]:
    """Listen for `duration_s`, and up to 1.5 s more for hosts that are slow to say where they are.

    OSError where this computer has no network to listen on. `on_flood` is told how many announcements were left out
    because there were too many.
    """
    found, left_out = asyncio.run(_browse(duration_s, interfaces))
    if left_out:
        on_flood(left_out)
    return sorted(set(found), key=lambda a: (a.service, a.host, a.port, a.name))


async def _browse(duration_s: float, interfaces: Sequence[str] | InterfaceChoice) -> tuple[list[Announcement], int]:
    heard: dict[str, dict[str, None]] = {service: {} for service in _SERVICES}
    left_out: set[str] = set()

    def hear(service_type: str, name: str, state_change: ServiceStateChange, **_: object) -> None:
        names = heard[service_type]
        if state_change is ServiceStateChange.Removed or name in names:
            return
        if len(names) < _MOST_OF_A_SERVICE:
            names[name] = None
        else:
            left_out.add(name)

    try:
        zeroconf = AsyncZeroconf(interfaces=interfaces)
    except RuntimeError as error:  # no interface has an address
        raise OSError(errno.ENETDOWN, "no interface has an address") from error
    try:
        browser = AsyncServiceBrowser(zeroconf.zeroconf, list(_SERVICES), handlers=[hear], question_type=_TO_ALL)
        await asyncio.sleep(duration_s)
        await browser.async_cancel()
        names = [(service, name) for service, names in heard.items() for name in names]
        answers = await asyncio.gather(*(_resolve(zeroconf.zeroconf, service, name) for service, name in names))
    finally:
        await zeroconf.async_close()
    return [answer for answer in answers if answer is not None], len(left_out)


async def _resolve(zeroconf: Zeroconf, service: str, name: str) -> Announcement | None:
    """Address and port of one that was heard of; None where it is gone again, or has no name to show."""
    try:
        info = AsyncServiceInfo(service, name)
    except BadTypeInNameException:
        return None
    await info.async_request(zeroconf, _RESOLVE_MS, question_type=_TO_ALL)
    label = clean_text(name.removesuffix(f".{service}"))
    addresses = tuple(text for text in info.parsed_scoped_addresses() if _is_of_a_host(text))  # IPv4 first
    if info.port is None or not 1 <= info.port <= 65535 or not label or not addresses:
        return None
    host_name = _HOST_NAME.fullmatch(info.server or "")
    return Announcement(
        service,
        label,
        addresses[0],
        info.port,
        host_name=host_name[1].lower() if host_name else None,
        addresses=addresses[:_MOST_ADDRESSES],
    )


def _is_of_a_host(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return not (address.is_unspecified or address.is_multicast or text == "255.255.255.255")
