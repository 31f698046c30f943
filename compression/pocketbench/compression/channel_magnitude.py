"""The importance of channels by magnitude: the L2 norm of everything that would go with them.

For every weight that makes or reads channels, the norm of each channel's slice is divided by the mean of that weight's
slices, so that layers of any scale count alike; the squares are summed over all weights in which a class of coupled
channels occurs (group L2: Fang et al., DepGraph, arXiv 2301.12900). A batch norm's scale is one of these weights.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from pocketbench.compression.channels import Channels

__all__ = ["group_magnitude"]


def group_magnitude(
    channels: Channels,
    weights: Mapping[Hashable, Sequence[np.ndarray]],
    scales: Mapping[Hashable, int],
) -> np.ndarray:
    """Return the importance of every channel id; coupled channels have the same.

    `weights` has the arrays of each layer; `scales` names, by layer, the weight that multiplies a channel.
    """
    roots = channels.roots()
    total = np.zeros(len(roots))
    for role in channels.roles:
        array = weights[role.layer][role.weight]
        # A bias moves a channel, and a running mean describes it: neither says how much it carries.
        if role.kind == "follows" and scales.get(role.layer) != role.weight:
            continue
        if role.kind == "makes" and array.ndim == 1:
            continue
        slices = np.moveaxis(array, role.axis, 0).reshape(array.shape[role.axis], -1).astype(np.float64)
        squares = np.square(slices).sum(axis=1)
        mean = np.sqrt(squares).mean()
        if mean > 0:
            np.add.at(total, roots[role.ids], squares / mean**2)
    scores: np.ndarray = total[roots]
    return scores
