"""The devices of a plan, reached before anything is made or measured: what they are, and the engines they will run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.harness.campaign.clock import Clock, RealClock, clock_of
from pocketbench.harness.campaign.recording import transcript_paths
from pocketbench.harness.devices.connect import open_transport
from pocketbench.harness.devices.facts import DeviceFacts, read_facts
from pocketbench.harness.devices.registry import Device, Registry
from pocketbench.harness.devices.target import read_target
from pocketbench.harness.engines.catalogue import EngineBuild, EngineName, engine_for_format
from pocketbench.harness.engines.supply import ensure_engine
from pocketbench.harness.engines.target import Target
from pocketbench.harness.store.hold import hold_device
from pocketbench.harness.store.versions import pocketbench_version
from pocketbench.harness.transports.base import Transport
from pocketbench.harness.transports.recording import RecordingTransport
from pocketbench.harness.transports.ssh_secrets import Ask

__all__ = ["Reached", "reach"]


@dataclass(slots=True)
class Reached:
    """A device that answers. `engines` has a build for each name that `equip` was asked for."""

    device: Device
    transport: Transport
    facts: DeviceFacts
    target: Target
    engines: dict[EngineName, EngineBuild] = field(default_factory=dict)
    clock: Clock = field(default_factory=RealClock)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _is_undisturbed: bool = field(default=False, init=False)

    def interrupt(self) -> None:
        """End what another thread is running there, unless it is `undisturbed`."""
        with self._lock:
            if not self._is_undisturbed:
                self.transport.close()

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """For what must not be cut off: putting the device back as it was."""
        with self._lock:
            self._is_undisturbed = True
        try:
            yield
        finally:
            with self._lock:
                self._is_undisturbed = False

    def equip(self, formats: Sequence[str], *, home: Path, say: Callable[[str], None]) -> None:
        """Find the engines for `formats`, fetching what is missing; InputError where one cannot be had."""
        for name in sorted({engine_for_format(name) for name in formats} - self.engines.keys()):
            self.engines[name] = ensure_engine(name, self.target, home=home, say=say)


@contextmanager
def reach(
    names: Sequence[str],
    *,
    registry: Registry,
    home: Path,
    ask: Ask | None,
    say: Callable[[str], None],
    record: Path | None,
) -> Iterator[list[Reached]]:
    """The devices called `names`, each held so that nobody else measures there meanwhile.

    `say` is told what the user has to do on a device, and what goes over the transports is written below `record`.
    Raises InputError for a name that is not registered, two for one address, a device that is held, or where `record`
    cannot be written, TransportError for a device that does not answer.
    """
    devices = [registry.get(name) for name in names]
    by_address = {device.address: device.name for device in devices}
    for device in devices:
        if (other := by_address[device.address]) != device.name:
            raise InputError(
                f"expected different devices, got {device.name!r} and {other!r} at the same address {device.address}: "
                "leave one of them out, since both would be measured at once."
            )
    with ExitStack() as stack:
        for address in sorted(by_address):
            stack.enter_context(hold_device(home, address))
        transcripts = {} if record is None else transcript_paths(record, names)
        reached = []
        for device in devices:
            inner = open_transport(device, home=home, ask=ask, say=say)
            transport = stack.enter_context(_recorded(inner, transcripts.get(device.name)))
            target = read_target(transport)
            reached.append(Reached(device, transport, read_facts(transport), target, clock=clock_of(inner)))
        yield reached


def _recorded(transport: Transport, path: Path | None) -> Transport:
    if path is None:
        return transport
    return RecordingTransport(transport, path, pocketbench_version=pocketbench_version())
