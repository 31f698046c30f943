"""Is the device as it was before an earlier preparation? What is left of one that is over is put back now."""

from __future__ import annotations

from pocketbench.checked.errors import DeviceError, InputError
from pocketbench.harness.checkup.rows import Row, fail, ok, warning
from pocketbench.harness.checkup.visit import Visit
from pocketbench.harness.errors import TransportError
from pocketbench.harness.preparation.device_scripts import place_on
from pocketbench.harness.preparation.holder import Holder
from pocketbench.harness.preparation.recovery import recover

__all__ = ["earlier_preparation"]

_QUESTION = "preparation"


def earlier_preparation(visit: Visit, holder: Holder) -> list[Row]:
    """`holder` is this process."""
    place = place_on(visit.device)
    try:
        last = recover(visit.transport, place, platform=visit.profile.platform, holder=holder)
    except TransportError:
        raise
    except InputError as error:
        return [fail(_QUESTION, str(error), None)]
    except DeviceError as error:
        return [warning(_QUESTION, str(error), None)]
    if last is None:
        return [ok(_QUESTION, "never prepared, or the kernel has put it back")]
    by = found.name if (found := Holder.parse(last.by)) else last.by
    if last.failed:
        said = "; ".join(f"{item.node} says {item.found}, not {item.before}" for item in last.failed)
        return [fail(_QUESTION, said, "restart the device, which puts it back")]
    return [ok(_QUESTION, f"everything was put back by {by} at {last.at}")]
