"""What commands that reach a device share: it is found, held and connected to, and the user asked where needed."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from pocketbench.harness.cli.output import print_notice
from pocketbench.harness.home import home_directory

if TYPE_CHECKING:
    from pocketbench.harness.devices.registry import Device, Registry
    from pocketbench.harness.transports.base import Transport

__all__ = ["TerminalAsk", "connected", "device_registry"]


class TerminalAsk:
    """Asks at the terminal; nobody can be asked where there is none."""

    def password(self, prompt: str) -> str | None:
        """What was typed without an echo."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        return getpass.getpass(prompt, stream=sys.stderr)


def device_registry() -> Registry:
    """The registered devices."""
    from pocketbench.harness.devices.registry import Registry

    return Registry(home_directory() / "devices.yaml")


@contextmanager
def connected(name: str, *, changing: bool) -> Iterator[tuple[Device, Transport]]:
    """The device called `name` and a transport to it, held against other processes where it is to be changed."""
    from pocketbench.harness.devices.connect import open_transport
    from pocketbench.harness.store.hold import hold_device

    device = device_registry().get(name)
    with ExitStack() as stack:
        if changing:
            stack.enter_context(hold_device(home_directory(), device.address))
        transport = open_transport(device, home=home_directory(), ask=TerminalAsk(), say=print_notice)
        yield device, stack.enter_context(transport)
