"""Does a launch run at several speeds? A processor with two clusters, or a clock that jumps, gives two latencies.

A median between two speeds tells of neither, and the share of each is what the next launch will differ in. So the
speeds are found and named; nothing else is done to them.

Found by a kernel density of the logarithms (a mode twice as slow is as wide): peaks that hold a tenth of all
iterations each, with a valley under 0.7 of the lower one's height between them. Source: Silverman, Density estimation,
1986, section 3.4 (the bandwidth).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Mode", "find_modes"]

# What a tenth of the iterations do moves the median by less than a fifth of their spread: no mode, but a tail.
_SMALLEST_SHARE = 0.1
# Valleys by chance are shallow: docs/statistics.md has how often one speed is taken for two (1 in 100 launches of 100
# iterations with a lag-1 correlation of 0.9, else none in hundreds).
_SHALLOWEST_VALLEY = 0.7
_GRID = 512
# The kernel reaches so many bandwidths.
_REACH = 4
# Speeds closer than about 3 % are one: a median between them is right to 1 %, and the ticks of a coarse clock (52 ns on
# many phones, 1 % of an inference of 5 us) are not speeds.
_SMALLEST_BANDWIDTH = 0.01


@dataclass(frozen=True, slots=True)
class Mode:
    """A speed: the latency that is most frequent in it, and the share of iterations around that."""

    latency_ns: float
    share: float


def find_modes(latencies_ns: NDArray[Any]) -> tuple[Mode, ...]:
    """The modes of latencies above 0, fastest first; at least one. A single value is one mode."""
    logs = np.log(latencies_ns)
    bandwidth = _bandwidth(logs)
    # Single iterations far out would spread the grid over nothing.
    low, high = np.percentile(logs, (2, 98)) + np.array((-_REACH, _REACH)) * bandwidth
    counts, edges = np.histogram(np.clip(logs, low, high), bins=_GRID, range=(low, high))
    step = edges[1] - edges[0]
    offsets = np.arange(-np.ceil(_REACH * bandwidth / step), np.ceil(_REACH * bandwidth / step) + 1) * step
    kernel = np.exp(-0.5 * (offsets / bandwidth) ** 2)
    counts[[0, -1]] = 0  # what was clipped
    density = np.convolve(counts, kernel)[len(kernel) // 2 :][:_GRID]
    cuts = _valleys(density)
    shares = [float(part.sum() / counts.sum()) for part in np.split(counts, cuts)]
    tops = [start + int(np.argmax(part)) for start, part in zip((0, *cuts), np.split(density, cuts), strict=True)]
    return tuple(Mode(float(np.exp(edges[top] + step / 2)), share) for top, share in zip(tops, shares, strict=True))


def _bandwidth(logs: NDArray[np.float64]) -> float:
    first, third = np.percentile(logs, (25, 75))
    spread = min(float(np.std(logs)), (third - first) / 1.349) or float(np.std(logs))
    return max(_SMALLEST_BANDWIDTH, float(0.9 * spread * len(logs) ** -0.2))


def _valleys(density: NDArray[np.float64]) -> list[int]:
    """Where to cut: the lowest point between two neighbouring peaks, shallow valleys and small peaks left out."""
    inner = density[1:-1]
    peaks = [int(place) + 1 for place in np.flatnonzero((inner > density[:-2]) & (inner >= density[2:]))]
    cuts = [before + int(np.argmin(density[before:after])) for before, after in pairwise(peaks)]
    while cuts:
        worst, cut = max(
            ((_badness(density, cuts, number), number) for number in range(len(cuts))), key=lambda pair: pair[0]
        )
        if worst <= 1:
            break
        del cuts[cut]
    return cuts


def _badness(density: NDArray[np.float64], cuts: list[int], number: int) -> float:
    """Above 1 where the cut must go: too shallow a valley, or too little on one of its sides."""
    bounds = [0, *cuts, len(density)]
    sides = [density[bounds[number + side] : bounds[number + side + 1]] for side in (0, 1)]
    depth = density[cuts[number]] / min(float(side.max()) for side in sides)
    share = min(float(side.sum()) for side in sides) / density.sum()
    return float(max(depth / _SHALLOWEST_VALLEY, _SMALLEST_SHARE / max(share, 1e-12)))
