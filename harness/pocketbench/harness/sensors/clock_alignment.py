"""The clock of a meter that is not the device's: found from load pulses whose times the device knows.

The device works at full load for a few seconds, idle before and after as long, once before and once after what is
measured. A pulse stands out in the meter's power; its edges give the offset, and two pulses the rate as well. The
device must know its edges by its own monotonic clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketbench.harness.sensors.energy import Window

__all__ = ["ClockFit", "align_clock"]

# Finer than the shortest pulse by far, coarser than a 5 kHz meter, whose trace would be long to search.
_GRID_S = 0.01
_MOST_CELLS = 4_000_000
# The step of a pulse against the scatter of the samples around it.
_LEAST_CONTRAST = 5.0
# Another place that fits as well as this: then the pulse is not told from the load itself.
_SECOND_BEST = 0.8
# Crystals differ by less than 100 millionths; a tenth of a percent is a wrong edge.
_MOST_RATE = 1e-3
# From here on an error of one sample at each pulse leaves a rate that is better than none.
_LEAST_SPAN_S = 30.0


@dataclass(frozen=True, slots=True)
class ClockFit:
    """Device time is `offset_s` + `rate` times the meter's time, both in seconds; off by at most `error_s`.

    The error holds between the first pulse and the last: one sample of the meter, plus the largest residual.
    """

    offset_s: float
    rate: float
    error_s: float

    def device_ns(self, times_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Times of the meter on the device's monotonic clock."""
        return np.asarray(np.rint((self.offset_s + self.rate * times_s) * 1e9), dtype=np.int64)


def align_clock(times_s: NDArray[np.float64], watts: NDArray[np.float64], pulses: Sequence[Window]) -> ClockFit | str:
    """Find the pulses, which the device had at `pulses`, in a meter's samples; or why they cannot be found."""
    if len(times_s) < 10 or not pulses or np.any(np.diff(times_s) <= 0):
        return "expected at least ten samples in the order of time, and a pulse"
    shift_s = _search(times_s, watts, pulses)
    if isinstance(shift_s, str):
        return shift_s
    edges: list[tuple[float, float, float]] = []
    for pulse in pulses:
        found = _edges(times_s, watts, pulse, shift_s)
        if isinstance(found, str):
            return found
        edges += found
    return _fit(np.array(edges))


def _search(times_s: NDArray[np.float64], watts: NDArray[np.float64], pulses: Sequence[Window]) -> float | str:
    """What to take from device time to get the meter's, to about a sample: the best fit of all pulses at once."""
    step_s = max(_GRID_S, float(np.median(np.diff(times_s))))
    start_s = min(pulse.start_ns - (pulse.end_ns - pulse.start_ns) for pulse in pulses) * 1e-9
    template = _template(pulses, start_s, step_s)
    cells = int((times_s[-1] - times_s[0]) / step_s) + 1
    if cells + len(template) > _MOST_CELLS:
        return f"the samples and pulses span {cells * step_s:.0f} s, too much to search"
    if cells < len(template):
        return "the samples are shorter than the pulses with their idle time before and after"
    power = np.interp(times_s[0] + step_s * np.arange(cells), times_s, watts)
    size = 1 << (cells + len(template)).bit_length()
    spectrum = np.fft.rfft(power - power.mean(), size) * np.conj(np.fft.rfft(template, size))
    score = np.fft.irfft(spectrum, size)[: cells - len(template) + 1]
    best = int(np.argmax(score))
    around = max(1, int((pulses[0].end_ns - pulses[0].start_ns) * 1e-9 / step_s))
    others = np.concatenate((score[: max(0, best - around)], score[best + around + 1 :]))
    if score[best] <= 0 or (len(others) and others.max() > _SECOND_BEST * score[best]):
        return "the load pulses are not told from the rest of the load: idle longer before and after them"
    return float(start_s - (times_s[0] + best * step_s))


def _template(pulses: Sequence[Window], start_s: float, step_s: float) -> NDArray[np.float64]:
    """+1 in a pulse, -1/2 as long before and after: it sums to 0, and what is between pulses does not count."""
    end_s = max(pulse.end_ns + (pulse.end_ns - pulse.start_ns) for pulse in pulses) * 1e-9
    times_s = start_s + step_s * np.arange(int((end_s - start_s) / step_s))
    template = np.zeros(len(times_s))
    for pulse in pulses:
        first_s, last_s = pulse.start_ns * 1e-9, pulse.end_ns * 1e-9
        length_s = last_s - first_s
        template[(times_s >= first_s - length_s) & (times_s < last_s + length_s)] = -0.5
        template[(times_s >= first_s) & (times_s < last_s)] = 1
    return template


def _edges(
    times_s: NDArray[np.float64], watts: NDArray[np.float64], pulse: Window, shift_s: float
) -> list[tuple[float, float, float]] | str:
    """(device time, meter time, time between the two samples around it) of both edges."""
    edges = []
    for edge_ns, other_ns in ((pulse.start_ns, pulse.end_ns), (pulse.end_ns, pulse.start_ns)):
        reach_s = abs(other_ns - edge_ns) * 1e-9 * 0.9
        guess_s = edge_ns * 1e-9 - shift_s
        near = np.flatnonzero(np.abs(times_s - guess_s) <= reach_s)
        if len(near) < 6:
            return "fewer than six samples around an edge of a load pulse: make it longer"
        split = _change(watts[near])
        before, after = watts[near[: split + 1]], watts[near[split + 1 :]]
        scatter = max(_scatter(before), _scatter(after))
        if abs(float(np.median(after) - np.median(before))) < _LEAST_CONTRAST * scatter:
            return "a load pulse does not stand out of the meter's noise: load more cores"
        left_s, right_s = float(times_s[near[split]]), float(times_s[near[split + 1]])
        edges.append((edge_ns * 1e-9, (left_s + right_s) / 2, right_s - left_s))
    return edges


def _change(watts: NDArray[np.float64]) -> int:
    """The last sample before the step: where two levels leave the least squares."""
    count = np.arange(1, len(watts))
    total, squares = np.cumsum(watts), np.cumsum(watts**2)
    left = squares[:-1] - total[:-1] ** 2 / count
    right = (squares[-1] - squares[:-1]) - (total[-1] - total[:-1]) ** 2 / (len(watts) - count)
    return int(np.argmin(left + right))


def _scatter(watts: NDArray[np.float64]) -> float:
    """Robust standard deviation."""
    return 1.4826 * float(np.median(np.abs(watts - np.median(watts))))


def _fit(edges: NDArray[np.float64]) -> ClockFit | str:
    device_s, meter_s, sample_s = edges.T
    middle_s = float(meter_s.mean())
    rate = 1.0
    if np.ptp(device_s) >= _LEAST_SPAN_S:
        rate = float(np.polyfit(meter_s - middle_s, device_s - device_s.mean(), 1)[0])
    offset_s = float(device_s.mean()) - rate * middle_s
    if abs(rate - 1) > _MOST_RATE:
        return f"the meter's clock would run at {rate:.4f} times the device's: a pulse was mistaken"
    residual_s = float(np.abs(offset_s + rate * meter_s - device_s).max())
    return ClockFit(offset_s, rate, float(sample_s.max()) + residual_s)
