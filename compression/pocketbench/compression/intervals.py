"""95 % intervals of what a metric says about a finite number of samples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["mean_interval", "wilson_interval"]

_Z = 1.959963984540054  # 97.5 % quantile of the normal distribution


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's score interval of a proportion (JASA 1927): holds near 0 and 1, where the plain one has no width."""
    share = successes / trials
    centre = share + _Z**2 / (2 * trials)
    spread = _Z * math.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    denominator = 1 + _Z**2 / trials
    low, high = (centre - spread) / denominator, (centre + spread) / denominator
    # Rounding must not push the bound past the share itself at 0 and 1.
    return max(0.0, min(low, share)), min(1.0, max(high, share))


def mean_interval(values: np.ndarray[Any, Any]) -> tuple[float, float] | None:
    """Student's t interval of the mean of independent values; None under 2 values."""
    if len(values) < 2:
        return None
    from scipy.special import stdtrit  # 0.1 s; scipy.stats would take a second

    spread = float(stdtrit(len(values) - 1, 0.975) * np.std(values, ddof=1) / math.sqrt(len(values)))
    mean = float(np.mean(values))
    return mean - spread, mean + spread
