"""What can go wrong with a device, and with what is kept of it.

DeviceError                      exit 3
├── TransportError               the device cannot be reached or a transfer failed
│   ├── DeviceTimeoutError       it did not answer in time
│   └── DeviceGoneError          it was lost and did not come back
├── CampaignInterruptedError     a device is gone; the campaign can be resumed
├── CommandError                 a command ended with a code other than 0
├── DeploymentError              files could not be placed, verified or switched
└── RunnerError                  the runner or the engine said no: stage and their own words
    └── RunnerCrashError         it was ended by a signal
StoreError                       exit 2   the store cannot be read or written
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from pocketbench.checked.errors import DeviceError, PocketbenchError

if TYPE_CHECKING:
    from pocketbench.harness.transports.base import Completed

__all__ = [
    "CampaignInterruptedError",
    "CommandError",
    "DeploymentError",
    "DeviceError",
    "DeviceGoneError",
    "DeviceTimeoutError",
    "RunnerCrashError",
    "RunnerError",
    "StoreError",
    "TransportError",
]


class TransportError(DeviceError):
    """The device cannot be reached, or a transfer broke off."""


class DeviceTimeoutError(TransportError):
    """The device did not answer within the time allowed."""


class DeviceGoneError(TransportError):
    """The device was lost and did not come back within the time allowed."""


class CampaignInterruptedError(DeviceError):
    """Devices were lost and stayed away; what was measured is in the store under `campaign_id`."""

    def __init__(self, campaign_id: str, message: str) -> None:
        super().__init__(message)
        self.campaign_id = campaign_id


class CommandError(DeviceError):
    """A command on the device failed; carries the finished command."""

    def __init__(self, device: str, completed: Completed) -> None:
        self.completed = completed
        streams = "\n".join(
            f"{name}:\n{textwrap.indent(data.decode(errors='replace').strip() or '(nothing)', '    ')}"
            for name, data in (("stdout", completed.stdout), ("stderr", completed.stderr))
        )
        super().__init__(
            f"{device}: expected the command {list(completed.argv)!r} to succeed, "
            f"got exit code {completed.exit_code}.\n{streams}"
        )


class DeploymentError(DeviceError):
    """Files could not be placed, verified or switched; the previous deployment still stands."""


class RunnerError(DeviceError):
    """The runner reported an error at `stage`, in the engine's own words."""

    def __init__(self, message: str, *, stage: str) -> None:
        super().__init__(message)
        self.stage = stage


class RunnerCrashError(RunnerError):
    """The runner was ended by a signal (the engine crashed, or the kernel ran out of memory)."""

    def __init__(self, message: str, *, stage: str, signal: int) -> None:
        super().__init__(message, stage=stage)
        self.signal = signal


class StoreError(PocketbenchError):
    """The store is damaged, from a newer pocketbench, or cannot be written; what was committed stays."""

    exit_code = 2
