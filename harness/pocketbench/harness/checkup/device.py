"""`pocketbench device check`: every question in turn, a row for each answer, as soon as it is known."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import cache, partial

from pocketbench.checked.errors import DeviceError, InputError
from pocketbench.device_profiles.schema import DeviceProfile, Sensor
from pocketbench.harness.checkup.clocking import governor, turbo
from pocketbench.harness.checkup.connection import clock, monotonic_clock, reachable
from pocketbench.harness.checkup.engines import EngineSource, engine_answers, runner_starts
from pocketbench.harness.checkup.firmware import ask_firmware
from pocketbench.harness.checkup.load import load, memory, swap
from pocketbench.harness.checkup.power import android_battery, linux_battery, power_saving, under_voltage
from pocketbench.harness.checkup.preparation import earlier_preparation
from pocketbench.harness.checkup.rows import Row, fail, not_known
from pocketbench.harness.checkup.screen import screen
from pocketbench.harness.checkup.sensors import sensor
from pocketbench.harness.checkup.storage import executable_directory, page_size, storage
from pocketbench.harness.checkup.thermal import android_thermal, linux_temperature, linux_throttling
from pocketbench.harness.checkup.visit import Visit
from pocketbench.harness.deploy.progress import ProgressCallback
from pocketbench.harness.devices.registry import Device
from pocketbench.harness.devices.target import read_target
from pocketbench.harness.engines.catalogue import DISPLAY_NAMES, ENGINE_NAMES
from pocketbench.harness.errors import TransportError
from pocketbench.harness.preparation.holder import Holder
from pocketbench.harness.transports.base import Transport

__all__ = ["check_device", "exit_code"]

_log = logging.getLogger(__name__)
_REACHABLE = "reachable"
Question = tuple[str, Callable[[], Iterator[Row] | list[Row]]]


def check_device(
    device: Device,
    transport: Transport,
    profile: DeviceProfile,
    *,
    engines: EngineSource,
    holder: Holder,
    progress: ProgressCallback | None = None,
) -> Iterator[Row]:
    """A row for each answer, as it is found.

    What an earlier preparation left is put back in the name of `holder`, this process. `engines` gives the build of an
    engine that this device would be measured with, fetched where it must be, and `progress` hears of what is sent. Only
    a device that does not answer ends the check early; whatever else goes wrong is the answer to its question. What is
    deployed stays, under names with `device-check-`: its objects serve later deployments. The caller holds the device,
    so that nothing is measured there meanwhile.
    """
    visit = Visit(device, transport, profile)
    for name, ask in _questions(visit, engines, holder, progress):
        try:
            yield from ask()
        except TransportError as error:
            # One call that broke off or took too long, or the device itself? The next call connects again.
            yield fail(name, str(error), _reach_remedy(visit))
            if name == _REACHABLE:
                return
            if not _is_there(visit):
                yield fail(_REACHABLE, "no longer: the rest was not asked", _reach_remedy(visit))
                return
        except (DeviceError, InputError) as error:
            yield fail(name, str(error), None)
        except Exception as error:  # a fault of ours in one question must not hide the others
            _log.info("the question %r of the check-up failed", name, exc_info=True)
            yield not_known(name, f"asking failed: {type(error).__name__}: {error}", "report it with this line")


def exit_code(rows: list[Row]) -> int:
    """3 where something failed, else 0."""
    return DeviceError.exit_code if any(row.status == "fail" for row in rows) else 0


def _questions(
    visit: Visit, engines: EngineSource, holder: Holder, progress: ProgressCallback | None
) -> Iterator[Question]:
    """What disturbs the device comes last: pushing engines warms it up and keeps it busy."""
    yield _REACHABLE, partial(reachable, visit)
    yield "preparation", partial(earlier_preparation, visit, holder)
    yield "clock", partial(clock, visit)
    yield "monotonic clock", partial(monotonic_clock, visit)
    yield "load", partial(load, visit)
    yield "memory", partial(memory, visit)
    yield "swap", partial(swap, visit)
    yield "governor", partial(governor, visit)
    yield from _android(visit) if visit.is_android else _linux(visit)
    yield "page size", partial(page_size, visit)
    for facts in visit.profile.sensors:
        yield f"sensor {facts.name}", partial(_sensor, visit, facts)
    yield "storage", partial(storage, visit)
    yield "executable directory", partial(executable_directory, visit)
    yield "runner", lambda: runner_starts(visit, read_target(visit.transport).platform)
    for name in ENGINE_NAMES:
        yield DISPLAY_NAMES[name], partial(engine_answers, visit, name, engines, progress)


def _android(visit: Visit) -> Iterator[Question]:
    yield "temperature", partial(android_thermal, visit)
    yield "battery", partial(android_battery, visit)
    yield "power saving", partial(power_saving, visit)
    yield "screen", partial(screen, visit)


def _linux(visit: Visit) -> Iterator[Question]:
    firmware = cache(partial(ask_firmware, visit))
    yield "turbo", partial(turbo, visit)
    yield "temperature", lambda: linux_temperature(visit, firmware())
    yield "throttling", lambda: linux_throttling(visit, firmware())
    yield "under-voltage", lambda: under_voltage(visit, firmware())
    yield "battery", partial(linux_battery, visit)


def _sensor(visit: Visit, facts: Sensor) -> list[Row]:
    return [sensor(visit, facts)]


def _is_there(visit: Visit) -> bool:
    try:
        reachable(visit)
    except TransportError:
        return False
    return True


def _reach_remedy(visit: Visit) -> str:
    if visit.device.address.startswith("adb"):
        return "plug it in, unlock it, and see that `adb devices -l` lists it as `device`"
    return f"see that it is on and in the network, and that you can log in at {visit.device.address}"
