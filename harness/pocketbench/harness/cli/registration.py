"""Registering a device: it is reached, its host key confirmed once by the user, and its profile found."""

from __future__ import annotations

import sys
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

import typer

from pocketbench.checked.errors import InputError
from pocketbench.harness.cli.connection import TerminalAsk, device_registry
from pocketbench.harness.cli.output import print_notice
from pocketbench.harness.devices.address import AdbAddress, AdbTcpAddress, LocalAddress, ReplayAddress, parse_address
from pocketbench.harness.devices.connect import open_transport
from pocketbench.harness.devices.identity import home_directory_there, read_properties
from pocketbench.harness.devices.registry import ANDROID_DIRECTORY, Device, new_device
from pocketbench.harness.devices.target import read_target
from pocketbench.harness.home import home_directory
from pocketbench.harness.transports.base import Transport

if TYPE_CHECKING:
    from pocketbench.harness.transports.ssh_host_keys import UnknownHostKeyError

__all__ = ["register"]

_ANSWER_WITHIN_S = 30.0
# A chain of jump hosts shows a key each.
_MOST_KEYS = 8


def register(address: str, name: str, *, profile: str | None, directory: str | None, fingerprint: str | None) -> str:
    """Register the device and return what it is, in words. Nothing is registered where it cannot be reached."""
    from pocketbench.harness.transports.adb_transport import AdbTransport

    parsed = parse_address(address)
    registry = device_registry()
    if isinstance(parsed, LocalAddress):
        registry.add(new_device(name, address, profile=profile, directory=directory))
        return "this computer"
    if isinstance(parsed, ReplayAddress):
        absolute = f"replay:{parsed.path.absolute()}"
        registry.add(new_device(name, absolute, profile=profile, directory=directory))
        return "a transcript, which is only replayed"
    phone = isinstance(parsed, AdbAddress | AdbTcpAddress)
    # Checked before it is reached, with a directory that stands for the one that only the device can tell.
    probe = new_device(name, address, profile=profile, directory=directory or str(ANDROID_DIRECTORY))
    registry.check_free(probe)
    with open_transport(probe, home=home_directory(), ask=TerminalAsk(), say=print_notice) as transport:
        _meet(transport, fingerprint)
        target = read_target(transport)
        chosen = profile or _match(transport, "android" if phone else "linux")
        place = _directory(transport, directory, phone)
        way = f", {transport.way()}" if isinstance(transport, AdbTransport) else ""
    registry.add(Device(name, address, chosen, place))
    return f"{target.platform}, profile {chosen}, files in {place}{way}"


def _meet(transport: Transport, fingerprint: str | None) -> None:
    """Connect; each host key that is new is confirmed, and remembered."""
    from pocketbench.harness.transports.ssh_host_keys import UnknownHostKeyError, trust_host_key

    for _ in range(_MOST_KEYS):
        try:
            transport.run(("true",), timeout_s=_ANSWER_WITHIN_S)
        except UnknownHostKeyError as error:
            if not _confirmed(error, fingerprint):
                raise
            trust_host_key(home_directory(), error.name, error.key)
        else:
            return


def _confirmed(error: UnknownHostKeyError, fingerprint: str | None) -> bool:
    if fingerprint is not None:
        if fingerprint != error.key.fingerprint:
            raise InputError(
                f"expected {error.name} to show the host key {fingerprint}, got {error.key}: it is not trusted. Is it "
                "the right host, and the fingerprint that of this type of key?"
            )
        return True
    if not _at_a_terminal():
        print_notice("To register it without a terminal, give the key that it must show: --fingerprint SHA256:…")
        return False
    print_notice(f"{error.name} is new, and shows the host key\n    {error.key}")
    return typer.confirm("Is this the key of your device?", default=False, err=True)


def _at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _match(transport: Transport, platform: Literal["android", "linux"]) -> str:
    from pocketbench.device_profiles.matching import match_profile

    return match_profile(read_properties(transport), platform)


def _directory(transport: Transport, given: str | None, phone: bool) -> PurePosixPath:
    if given is not None:
        return PurePosixPath(given)
    return ANDROID_DIRECTORY if phone else home_directory_there(transport) / "pocketbench"
