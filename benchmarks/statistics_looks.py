"""What looking at rounds costs, by how noisy the device is against the precision that is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.outcome import Row
from benchmarks.statistics_campaigns import RATIO, follow
from pocketbench.harness.measure.looks import LOOKS
from pocketbench.harness.measure.planning import HALF_WIDTH
from pocketbench.harness.measure.statistics import t_quantile

__all__ = ["SPREADS", "looks_row"]

Array = NDArray[Any]

# Standard deviation of the logarithm of one round's ratio; the target is 1 %. In between are the worst.
SPREADS = (0.003, 0.006, 0.01, 0.013, 0.017, 0.021, 0.03, 0.06)


def looks_row(spread: float, campaigns: int, seed: int) -> Row:
    """The protocol; the same looks with a plain 95 % interval; looks that end as soon as 1 is excluded."""
    random = np.random.default_rng(seed)
    logs = random.normal(0, spread / np.sqrt(2), (3, campaigns, LOOKS[-1]))
    values = np.exp(logs + np.log([1.0, 1.0, RATIO])[:, None, None])
    followed = [
        follow(
            {
                arm: dict(enumerate(rows[number].tolist()))
                for arm, rows in zip(("reference", "copy", "variant"), values, strict=True)
            },
            "variant",
            RATIO,
        )
        for number in range(campaigns)
    ]
    plain_held, eager_false = _plain(logs[2] - logs[0])
    return {
        "spread_of_rounds": spread,
        "rounds": float(np.mean([rounds for rounds, _, _ in followed])),
        "coverage": float(np.mean([covered for _, _, covered in followed])),
        "coverage_plain_95": plain_held,
        "false_if_stopped_at_a_difference": eager_false,
    }


def _plain(logs: Array) -> tuple[float, float]:
    """Coverage of 95 % intervals at the look where they are narrow; share in which any look excludes 1."""
    stopped, held, excluded = (np.zeros(len(logs), bool) for _ in range(3))
    for look in LOOKS:
        mean = np.abs(logs[:, :look].mean(axis=1))
        width = t_quantile(look - 1, 0.95) * logs[:, :look].std(axis=1, ddof=1) / np.sqrt(look)
        now = ~stopped & ((width <= HALF_WIDTH) | (look == LOOKS[-1]))
        held[now] = (mean <= width)[now]
        excluded |= ~stopped & (mean > width)
        stopped |= now
    return float(held.mean()), float(excluded.mean())
