"""From a registered device to a transport that reaches it."""

from __future__ import annotations

from pocketbench.checked.errors import InputError
from pocketbench.harness.devices.address import LocalAddress, parse_address
from pocketbench.harness.devices.registry import Device
from pocketbench.harness.transports.base import Transport
from pocketbench.harness.transports.local import LocalTransport

__all__ = ["open_transport"]


def open_transport(device: Device) -> Transport:
    """A transport to `device`; close it, or use it in `with`."""
    if isinstance(parse_address(device.address), LocalAddress):
        return LocalTransport()
    raise InputError(
        f"expected a device with the address `local:`, got {device.name!r} at {device.address}: this version of "
        "pocketbench measures on this computer only; phones over ADB and boards over SSH come with a later one."
    )
