"""A Monsoon power monitor through its maker's Python library (github.com/msoon/PyMonsoon, package `monsoon`).

It takes the place of the battery. Voltage and cabling are set beforehand with Monsoon's own tool: nothing here turns
the supply on or off.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from pocketbench.checked.errors import MissingExtraError
from pocketbench.harness.errors import DeviceError
from pocketbench.harness.sensors.meters import MeterSample
from pocketbench.harness.sensors.spec import Boundary

__all__ = ["MonsoonMeter", "means_of"]

_SAMPLES_PER_S = 5000
# Means over 10 ms: the integral is the same, and the few samples that the library throws away at the start of each
# call (a packet of at most three) are no gap.
_BLOCK = 50
_BATCH = 500
# Channels of the library's answer.
_TIME, _MAIN_MILLIAMPERES, _MAIN_VOLTS = 0, 1, 4
_CHANNELS = 6
_MOST_W = 100.0


def means_of(channels: Sequence[Sequence[float]]) -> tuple[MeterSample, ...] | None:
    """Means of the main channel over 10 ms; None where channels are missing or unlike long, or hold no power.

    The samples of a batch follow each other at 5 kHz up to the arrival of the last packet, in seconds since the start;
    the library gives each sample the time at which its packet arrived, which jumps.
    """
    if len(channels) != _CHANNELS:
        return None
    times_s, milliamperes, volts = (channels[index] for index in (_TIME, _MAIN_MILLIAMPERES, _MAIN_VOLTS))
    if not len(times_s) == len(milliamperes) == len(volts) or not len(times_s):
        return None
    watts = np.array(milliamperes, dtype=np.float64) * 1e-3 * np.array(volts, dtype=np.float64)
    if not np.all(np.abs(watts) <= _MOST_W):
        return None
    blocks = len(watts) // _BLOCK
    last = watts[len(watts) - blocks * _BLOCK :].reshape(blocks, _BLOCK).mean(axis=1)
    ages_s = (np.arange(blocks, 0, -1) * _BLOCK - (_BLOCK + 1) / 2) / _SAMPLES_PER_S
    return tuple(
        MeterSample(float(times_s[-1] - age_s), float(value)) for age_s, value in zip(ages_s, last, strict=True)
    )


class MonsoonMeter:
    """The first high-voltage monitor on USB."""

    name = "Monsoon"
    rate_hz = _SAMPLES_PER_S / _BLOCK
    boundary: Boundary = "battery"

    def __init__(self) -> None:
        try:
            hvpm = importlib.import_module("Monsoon.HVPM")
            engine = importlib.import_module("Monsoon.sampleEngine")
        except ImportError:
            raise MissingExtraError("monsoon", "a Monsoon power monitor", ["meters"]) from None
        self._dropped = 0
        self._monitor = hvpm.Monsoon()
        self._call(self._monitor.setup_usb)
        self._engine = engine.SampleEngine(self._monitor)
        self._engine.ConsoleOutput(False)
        if self._call(self._engine.periodicStartSampling) is False:
            raise DeviceError("expected the Monsoon to calibrate itself, got no samples for it: plug it in again.")

    def read(self) -> tuple[MeterSample, ...]:
        """A tenth of a second; none where the monitor dropped samples, so that the gap shows. DeviceError: gone."""
        channels = self._call(self._engine.periodicCollectSamples, _BATCH)
        samples = means_of(channels)
        if samples is None:
            raise DeviceError(
                "expected current and voltage of the Monsoon's main channel, got others: plug it in again."
            )
        dropped, self._dropped = self._engine.dropped != self._dropped, self._engine.dropped
        return () if dropped else samples

    def close(self) -> None:
        """Stop sampling, and leave the supply as it is."""
        with contextlib.suppress(Exception):
            self._engine.periodicStopSampling()
        with contextlib.suppress(Exception):
            self._monitor.closeDevice()

    @staticmethod
    def _call(function: Any, *arguments: Any) -> Any:
        """The library prints, and lets pyusb's errors and its own AttributeErrors through."""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                return function(*arguments)
        except Exception as error:
            raise DeviceError(
                f"expected a Monsoon on USB to answer, got: {error}: check its power and its cable, and that your user "
                f"may open it."
            ) from error
