"""What commands that reach a device share: it is found, held and connected to, and the user asked where needed."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pocketbench.harness.cli.output import print_notice
from pocketbench.harness.home import home_directory

if TYPE_CHECKING:
    from pocketbench.harness.devices.registry import Device, Registry
    from pocketbench.harness.transports.base import Transport

__all__ = ["CampaignRecordOption", "PrepareOption", "RecordOption", "TerminalAsk", "connected", "device_registry"]


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


RecordOption = Annotated[
    Path | None,
    typer.Option("--record", help="Write a transcript for a bug report (docs/bug-reports.md) to this new file."),
]

CampaignRecordOption = Annotated[
    Path | None,
    typer.Option(
        "--record",
        help="Write a transcript of each device for a bug report (docs/bug-reports.md) to this new folder, or of one "
        "device to this new .jsonl file.",
    ),
]


PrepareOption = Annotated[
    list[str] | None,
    typer.Option(
        "--prepare",
        help="Set the devices to this while they are measured: governor=performance, frequency=75%, fan=full, "
        "screen=on, … (docs/preparation.md); several times for several. Put back afterwards.",
    ),
]


@contextmanager
def connected(name: str, *, changing: bool, record: Path | None = None) -> Iterator[tuple[Device, Transport]]:
    """The device called `name` and a transport to it, held against other processes where it is to be changed.

    What goes over it is written to the new file `record`, where one is named.
    """
    from pocketbench.harness.devices.connect import open_transport
    from pocketbench.harness.store.hold import hold_device

    device = device_registry().get(name)
    with ExitStack() as stack:
        if changing:
            stack.enter_context(hold_device(home_directory(), device.address))
        transport = open_transport(device, home=home_directory(), ask=TerminalAsk(), say=print_notice)
        yield device, stack.enter_context(_recorded(transport, record))


def _recorded(transport: Transport, record: Path | None) -> Transport:
    if record is None:
        return transport
    from pocketbench.harness.store.versions import pocketbench_version
    from pocketbench.harness.transports.recording import RecordingTransport

    return RecordingTransport(transport, record, pocketbench_version=pocketbench_version())
