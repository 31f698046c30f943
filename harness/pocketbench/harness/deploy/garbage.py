"""What no deployment needs any more is removed; what might belong to one that is under way is not."""

from __future__ import annotations

import logging
from datetime import timedelta

from pocketbench.harness.deploy.device_scripts import describe, run_script
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.errors import DeviceError
from pocketbench.harness.transports.base import Completed, Transport

__all__ = ["ABANDONED_AFTER", "PARTIAL_KEPT", "ages", "collect_garbage", "warn_unless_collected"]

_log = logging.getLogger(__name__)
# A deployment that was made and not switched to may still be being tried, from this computer or another one.
ABANDONED_AFTER = timedelta(hours=1)
# What arrived before a cut is worth a day: by then somebody has plugged the cable in again.
PARTIAL_KEPT = timedelta(days=1)


def ages(abandoned_after: timedelta = ABANDONED_AFTER, partial_kept: timedelta = PARTIAL_KEPT) -> tuple[str, str]:
    """The arguments that every script that collects has at its end, in seconds."""
    return str(int(abandoned_after.total_seconds())), str(int(partial_kept.total_seconds()))


def collect_garbage(
    transport: Transport,
    layout: Layout,
    *,
    abandoned_after: timedelta = ABANDONED_AFTER,
    partial_kept: timedelta = PARTIAL_KEPT,
) -> None:
    """Keep of every name the deployment in use, the one before it, and those made within `abandoned_after`.

    Objects go when none of the kept ones links to them, arrivals when they are older than `partial_kept`. A device that
    cannot keeps what it has, and a warning says why.
    """
    try:
        completed = run_script(transport, "tidy", layout.directory, *ages(abandoned_after, partial_kept))
    except DeviceError as error:
        _log.warning("old files stay for now: %s", error)
    else:
        warn_unless_collected(transport, completed)


def warn_unless_collected(transport: Transport, completed: Completed) -> None:
    """Say why a script that ends with collecting did not; the next one collects again."""
    if completed.exit_code != 0:
        _log.warning("%s: old files stay for now: %s", transport.address, describe(completed))
