"""Which weights of an array live when a share of them is pruned by magnitude, and how that share grows."""

from __future__ import annotations

import numpy as np

__all__ = ["cubic_sparsity", "magnitude_mask", "pruned_count"]


def pruned_count(size: int, sparsity: float) -> int:
    """Return how many of `size` weights are zero at `sparsity`: rounded down, so that one weight is always left."""
    return min(size - 1, int(size * sparsity + 1e-9))


def magnitude_mask(weights: np.ndarray, sparsity: float) -> np.ndarray:
    """Return True where a weight lives: exactly `pruned_count` of those with the least magnitude do not."""
    count = pruned_count(weights.size, sparsity)
    mask = np.ones(weights.size, dtype=bool)
    if count:
        mask[np.argpartition(np.abs(weights).ravel(), count - 1)[:count]] = False
    return mask.reshape(weights.shape)


def cubic_sparsity(step: int, last_step: int, target: float) -> float:
    """Return the sparsity at `step`: from 0 to `target` at `last_step`, fast first, slowly at the end.

    Zhu and Gupta, To prune, or not to prune (arXiv 1710.01878), equation 1 with s_i = 0 and t_0 = 0: most weights go
    while many are redundant, and the network has time to recover from the last ones.
    """
    if step >= last_step:
        return target
    return target * (1 - (1 - step / last_step) ** 3)
