"""Devices whose truth is known: what makes the latencies of equal variants differ, one cause at a time.

All of it works on logarithms, so a ratio between two variants is exactly what it was set to, whatever the noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Noise", "autoregressive", "launch_latencies", "slowdown", "throttled", "two_speeds"]

Array = NDArray[Any]

# A device that is throttled needs this share more time (a third less clock), and stays so for this many launches.
_THROTTLED_LOG = np.log(1.5)
_THROTTLED_LAUNCHES = 4.0


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard deviations of logarithms, and shares.

    `within` a launch, with the lag-1 correlation `correlation`; `between` launches (with `heavy_tails` Student's t of
    3 degrees of freedom). `slowdown` is what the device comes to lose while it is worked on. `slow_iterations` take
    five times, `slow_launches` 1.3 times as long. With `second_speed` that share of iterations runs 1.4 times as long,
    20 at a stretch; with `second_speed_launches` that share of launches does.
    """

    within: float = 0.04
    correlation: float = 0.3
    between: float = 0.012
    heavy_tails: bool = False
    slowdown: float = 0.0
    slow_iterations: float = 0.0
    slow_launches: float = 0.0
    second_speed: float = 0.0
    second_speed_launches: float = 0.0


def slowdown(noise: Noise, launch: Array) -> Array:
    """Logarithm of what the launches with these numbers since the start of the campaign are slower by."""
    return np.asarray(np.log1p(noise.slowdown) * (1 - np.exp(-launch / 12)))


def launch_latencies(random: np.random.Generator, noise: Noise, centres: Array, iterations: int) -> Array:
    """Latencies in ns around these logarithms of ns: the shape of `centres`, and iterations as the last axis."""
    spread = (
        random.standard_t(3, centres.shape) / np.sqrt(3) if noise.heavy_tails else random.normal(size=centres.shape)
    )
    launches = centres + noise.between * spread
    launches = launches + np.log(1.3) * (random.random(centres.shape) < noise.slow_launches)
    launches = launches + np.log(1.4) * (random.random(centres.shape) < noise.second_speed_launches)
    logs = launches[..., None] + autoregressive(random, (*centres.shape, iterations), noise.correlation, noise.within)
    if noise.slow_iterations:
        logs += np.log(5) * (random.random(logs.shape) < noise.slow_iterations)
    if noise.second_speed:
        logs += np.log(1.4) * two_speeds(random, logs.shape, noise.second_speed, stretch=20)
    return np.asarray(np.exp(logs))


def autoregressive(random: np.random.Generator, shape: tuple[int, ...], correlation: float, deviation: float) -> Array:
    """Normal noise along the last axis in which each value keeps `correlation` of the one before."""
    steps = random.standard_normal((shape[-1], *shape[:-1])) * deviation
    for number in range(1, shape[-1]):
        steps[number] = correlation * steps[number - 1] + np.sqrt(1 - correlation**2) * steps[number]
    return np.moveaxis(steps, 0, -1)


def two_speeds(random: np.random.Generator, shape: tuple[int, ...], share: float, *, stretch: float) -> Array:
    """True for a share of the last axis, in stretches of that mean length (a Markov chain in its steady state)."""
    chances = random.random((shape[-1], *shape[:-1]))
    slow = chances < share
    for number in range(1, shape[-1]):
        slow[number] = np.where(
            slow[number - 1], chances[number] > 1 / stretch, chances[number] < share / (1 - share) / stretch
        )
    return np.moveaxis(slow, 0, -1)


def throttled(random: np.random.Generator, chance: Array, before: Array) -> tuple[Array, Array]:
    """Which of the next launches are throttled, and by what logarithm; `before` are those just before them.

    A launch that follows a throttled one is throttled again with 3/4, any other with its `chance`.
    """
    again = random.random(chance.shape) < np.where(before, 1 - 1 / _THROTTLED_LAUNCHES, chance)
    return again, np.asarray(_THROTTLED_LOG * again)
