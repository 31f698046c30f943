"""A device that is lost is waited for, and what was being done is done again when it is back.

One that stays away is given up; so is a replay whose transcript does not go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from pocketbench.harness.campaign.progress import Meter
from pocketbench.harness.campaign.reach import Reached
from pocketbench.harness.errors import DeviceGoneError, DeviceTimeoutError, TransportError
from pocketbench.harness.transports.scripted import UnexpectedCallError

__all__ = ["Retrying"]

# What loses the device this often is what loses it: the rest goes on without it.
_TRIES = 3
# A phone restarts within a minute and a half, a board within half a minute; a cable is found and plugged in again.
_RETURN_WITHIN_S = 180.0
_ASK_EVERY_S = 2.0
_ANSWER_WITHIN_S = 15.0

Result = TypeVar("Result")


class Retrying:
    """Does steps on one device. `stop` ends the waiting, for another thread to set."""

    def __init__(self, reached: Reached, meter: Meter, stop: threading.Event) -> None:
        self._reached, self._meter, self._stop = reached, meter, stop
        self.returns = 0
        """How often the device came back: what was seen on it before must be looked at again."""

    def do(self, step: Callable[[], Result], lost: Callable[[TransportError], None] | None = None) -> Result:
        """Do `step`; where the device is lost meanwhile, tell `lost`, wait for the device, and do it again.

        Raises DeviceGoneError where it stays away.
        """
        for _ in range(_TRIES - 1):
            try:
                return step()
            except DeviceTimeoutError:
                raise  # the device is there, and what it did took too long
            except TransportError as error:
                if self._stop.is_set():
                    raise DeviceGoneError(str(error)) from error
                if lost is not None:
                    lost(error)
                self._await_return(error)
        return step()

    def raise_if_over(self, error: Exception) -> None:
        """Go on after what one variant did; not after the device has gone away or the run was told to stop.

        What fails then fails for that, and nothing of it is stored: a resumed campaign does it again.
        """
        if isinstance(error, DeviceGoneError | UnexpectedCallError):
            raise error
        if self._stop.is_set():
            raise DeviceGoneError(str(error)) from error

    def _await_return(self, error: TransportError) -> None:
        name, clock = self._reached.device.name, self._reached.clock
        self._meter.tell(f"{name} is lost, waiting for it: {error}")
        deadline_s = clock.now_s() + _RETURN_WITHIN_S
        while True:
            try:
                self._reached.transport.run(("true",), timeout_s=_ANSWER_WITHIN_S)
            except TransportError as last:
                if clock.now_s() >= deadline_s or clock.wait(self._stop, _ASK_EVERY_S):
                    raise DeviceGoneError(
                        f"{name}: expected the device to come back within {_RETURN_WITHIN_S:g} s, got: {last} "
                        "What was measured is kept: see to the device, then resume the campaign."
                    ) from error
            else:
                self.returns += 1
                return
