"""What could be measured on: every source is asked at the same time, and none of them can end the scan.

    look_around(registry.list, timeout_s=3.0)

Sources are the adb server, the USB bus, the local network, and the registry.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zeroconf import InterfaceChoice

from pocketbench.checked.errors import InputError
from pocketbench.harness.devices.address import AdbAddress, AdbTcpAddress, SshAddress, parse_address
from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.devices.registry import LOCAL, Device
from pocketbench.harness.devices.scan_adb import ask_adb_server, serial_keys
from pocketbench.harness.devices.scan_network import SSH_PORT, listen
from pocketbench.harness.devices.scan_usb import look_at_usb
from pocketbench.harness.devices.sighting import FoundDevice, Seen, Sighting, board_key, phone_keys, put_together
from pocketbench.harness.transports.adb import ADB_PORT
from pocketbench.harness.transports.ssh_config import find_route

__all__ = ["Scan", "look_around", "registered_devices"]

# Beyond the listening: an adb server may take ten seconds to answer.
_GRACE_S = 15.0
_SSH_CONFIG = (Path("~/.ssh/config"), Path("/etc/ssh/ssh_config"))


@dataclass(frozen=True, slots=True)
class Scan:
    """`found` are devices, those that can be added first; `problems` what each source was kept from, by its name."""

    found: tuple[FoundDevice, ...]
    problems: dict[str, str]


def look_around(
    registered: Callable[[], Sequence[Device]],
    *,
    timeout_s: float,
    interfaces: Sequence[str] | InterfaceChoice = InterfaceChoice.All,
) -> Scan:
    """Ask all sources at once; the network is listened to for `timeout_s`. Nothing is connected to but the adb server.

    `registered` gives what is in the registry; InputError from it is a problem like any other source's.
    """
    sources: dict[str, Callable[[], Seen]] = {
        "registry": lambda: registered_devices(registered()),
        "adb server": ask_adb_server,
        "USB": look_at_usb,
        "mDNS": lambda: listen(timeout_s, interfaces),
    }
    seen = _ask_all(sources, timeout_s + _GRACE_S)
    found = put_together(sighting for name in sources for sighting in seen[name].sightings)
    problems = {name: problem for name in sources if (problem := seen[name].problem) is not None}
    return Scan(tuple(sorted(found, key=_order)), problems)


def registered_devices(devices: Sequence[Device]) -> Seen:
    """The registered devices other than this computer, as sightings to which others are joined."""
    return Seen(
        tuple(
            Sighting("registry", device.address, _keys(device), registered=device.name)
            for device in devices
            if device.name != LOCAL
        )
    )


def _ask_all(sources: dict[str, Callable[[], Seen]], within_s: float) -> dict[str, Seen]:
    answers: queue.Queue[tuple[str, Seen]] = queue.Queue()
    for name, look in sources.items():
        # As a daemon: one that never comes back keeps nobody from leaving.
        threading.Thread(target=lambda n=name, ask=look: answers.put((n, _ask(ask))), daemon=True).start()
    seen = {name: Seen(problem=f"expected an answer within {within_s:g} s, got none: scan again.") for name in sources}
    deadline = time.monotonic() + within_s
    for _ in sources:
        try:
            name, answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        seen[name] = answer
    return seen


def _ask(look: Callable[[], Seen]) -> Seen:
    try:
        return look()
    except InputError as error:
        return Seen(problem=str(error))
    except Exception as error:  # whatever a library for sockets or buses makes of what it is sent
        return Seen(problem=f"not looked at: {type(error).__name__} ({clean_text(str(error)) or 'no reason given'}).")


def _keys(device: Device) -> frozenset[str]:
    address = parse_address(device.address)
    if isinstance(address, AdbAddress):
        return serial_keys(address.serial)
    if isinstance(address, AdbTcpAddress):
        return phone_keys(address.host, address.port or ADB_PORT)
    if isinstance(address, SshAddress):
        return frozenset({board_key(address.host, address.port or SSH_PORT), _configured_key(address)})
    return frozenset()


def _configured_key(address: SshAddress) -> str:
    """Where ssh's configuration says that the host is, which may be an alias; nowhere in this network behind a jump."""
    itself = board_key(address.host, address.port or SSH_PORT)
    try:
        route = find_route([path.expanduser() for path in _SSH_CONFIG], address.host, address.user, address.port)
    except InputError:
        return itself
    return board_key(route[-1].hostname, route[-1].port) if len(route) == 1 else itself


def _order(device: FoundDevice) -> tuple[bool, bool, str]:
    return bool(device.registered), not device.can_be_added, device.address or ""
