"""From a registered device to a transport that reaches it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pocketbench.harness.devices.address import AdbAddress, AdbTcpAddress, LocalAddress, ReplayAddress, parse_address
from pocketbench.harness.devices.registry import Device
from pocketbench.harness.transports.base import Transport
from pocketbench.harness.transports.local import LocalTransport
from pocketbench.harness.transports.ssh_secrets import Ask, NobodyToAsk

__all__ = ["open_transport"]


def _nobody(_: str) -> None:
    """Where nobody listens."""


def open_transport(
    device: Device, *, home: Path, ask: Ask | None = None, say: Callable[[str], None] = _nobody
) -> Transport:
    """A transport to `device`, which connects when it is first used; close it, or use it in `with`.

    `home` holds the host keys that were confirmed; `ask` is asked for passwords, and `say` is told what the user has to
    do on the device while a connection waits for it.
    """
    address = parse_address(device.address)
    if isinstance(address, LocalAddress):
        return LocalTransport()
    if isinstance(address, AdbAddress):
        from pocketbench.harness.transports.adb import phone_by_serial

        return phone_by_serial(device.name, address.serial, say=say)
    if isinstance(address, AdbTcpAddress):
        from pocketbench.harness.transports.adb import phone_by_network

        return phone_by_network(device.name, address.host, address.port, say=say)
    if isinstance(address, ReplayAddress):
        from pocketbench.harness.transports.scripted import ScriptedTransport

        return ScriptedTransport(address.path)
    from pocketbench.harness.transports.ssh import SshTransport

    return SshTransport(
        device.name, address.host, user=address.user, port=address.port, home=home, ask=ask or NobodyToAsk()
    )
