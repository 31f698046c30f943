"""Which ranks a kernel is cut to: by a budget, or by what must be kept. Never ones that cost as much as the kernel.

Ranks are multiples of `round_to`. Tucker-2 has two, and a side may stay whole: a layer that only turns its channels
around would cost and not save.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

__all__ = ["Cost", "Cut", "Method", "Positions", "choose_cut", "cost_of_kernel"]

Method = Literal["svd", "spatial-svd", "tucker-2"]


@dataclass(frozen=True, slots=True)
class Positions:
    """Positions in space, summed over the uses of a layer: `between` has the output's height and the input's width."""

    before: int
    between: int
    after: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Of kernels alone: weights, and multiply-accumulates of one inference (None where a size is open)."""

    parameters: int
    macs: int | None

    def __str__(self) -> str:
        macs = "" if self.macs is None else f" and {self.macs:,} MACs"
        return f"{self.parameters:,} weights{macs}"


@dataclass(frozen=True, slots=True)
class Cut:
    """How a kernel is replaced, and what its factors cost. A side of Tucker-2 with rank None stays whole."""

    method: Method
    ranks: tuple[int | None, ...]
    cost: Cost


def cost_of_kernel(shape: Sequence[int], positions: Positions | None) -> Cost:
    """Return what a kernel (…, in, out) costs as it is."""
    size = math.prod(shape)
    return Cost(size, None if positions is None else size * positions.after)


def choose_cut(
    shape: Sequence[int],
    method: Method,
    kept: np.ndarray,
    positions: Positions | None,
    *,
    rule: Literal["energy", "ratio"],
    amount: float,
    round_to: int,
) -> Cut | str:
    """Return the best cut of a kernel (…, in, out), or in words why there is none.

    `kept` is the share of squared weights by rank - 1, one axis for each rank. By `ratio`: of the ranks that cost at
    most this share of the kernel, in weights and in multiply-accumulates, those that keep most. By `energy`: the
    cheapest ranks that keep this share, unless they cost as much as the kernel.
    """
    offers = _offers(shape, method, kept, positions, round_to)
    if len(offers.ranks) == 1:
        return f"no multiple of {round_to} is below its full rank {offers.words(0)}"
    chosen = offers.within(amount) if rule == "ratio" else offers.keeping(amount)
    if isinstance(chosen, str):
        return chosen
    ranks = zip(offers.ranks[chosen], kept.shape, strict=True)
    cut = tuple(None if method == "tucker-2" and rank == size else int(rank) for rank, size in ranks)
    return Cut(method, cut, offers.cost(chosen))


@dataclass(frozen=True, slots=True)
class _Offers:
    """All ranks (N, axes) that a kernel can be cut to, with what they keep and cost; the last is the full rank."""

    whole: Cost
    ranks: np.ndarray
    share: np.ndarray
    weights: np.ndarray
    macs: np.ndarray | None

    def within(self, ratio: float) -> int | str:
        """Return the place of the ranks that keep most within `ratio` of the cost."""
        fits = np.flatnonzero(self._fits(ratio))
        if len(fits):
            # Rounded, so that of ranks which keep all alike the cheapest is taken.
            return int(fits[np.lexsort((self._price[fits], -self.share[fits].round(12)))[0]])
        least = int(self._price[:-1].argmin())
        return (
            f"the cheapest rank, {self.words(least)}, takes {self.cost(least)} of {self.whole}: more than {ratio:.0%}"
        )

    def keeping(self, energy: float) -> int | str:
        """Return the place of the cheapest ranks that keep `energy`."""
        enough = self.share >= energy
        fits = np.flatnonzero(enough & self._fits(1.0))
        if len(fits):
            return int(fits[self._price[fits].argmin()])
        place = int(np.flatnonzero(enough)[self._price[enough].argmin()])
        return (
            f"keeping {energy:.0%} takes rank {self.words(place)} with {self.cost(place)} of {self.whole}"
            f"{self._break_even()}"
        )

    def cost(self, place: int) -> Cost:
        return Cost(int(self.weights[place]), None if self.macs is None else int(self.macs[place]))

    def words(self, place: int) -> str:
        return " x ".join(str(rank) for rank in self.ranks[place])

    @property
    def _price(self) -> np.ndarray:
        return self.weights if self.macs is None else self.macs

    def _fits(self, share: float) -> np.ndarray:
        """True where weights and multiply-accumulates are within `share` of the kernel's, and fewer."""
        fits: np.ndarray = self.weights <= min(share * self.whole.parameters, self.whole.parameters - 1)
        if self.macs is not None and self.whole.macs is not None:
            fits &= self.macs <= min(share * self.whole.macs, self.whole.macs - 1)
        return fits

    def _break_even(self) -> str:
        """Where there is one rank, its cost is proportional to it."""
        if self.ranks.shape[1] != 1:
            return ""
        per_rank = self.cost(0)
        first = int(self.ranks[0, 0])
        limits = [(self.whole.parameters - 1) * first // per_rank.parameters]
        if self.whole.macs and per_rank.macs:
            limits.append((self.whole.macs - 1) * first // per_rank.macs)
        return f" (it saves up to rank {min(limits)})"


def _offers(
    shape: Sequence[int], method: Method, kept: np.ndarray, positions: Positions | None, round_to: int
) -> _Offers:
    steps = [[*range(round_to, size, round_to), size] for size in kept.shape]
    ranks = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, kept.ndim)
    factors = _tucker_2(shape, kept.shape, ranks) if method == "tucker-2" else _svd(shape, ranks)
    macs = None
    if positions is not None:
        # A pointwise SVD has the strides in its first layer, a spatial one those of each axis where its extent is.
        first = {"svd": positions.after, "spatial-svd": positions.between, "tucker-2": positions.before}[method]
        macs = factors[0] * first + np.sum(factors[1:], axis=0) * positions.after
    return _Offers(cost_of_kernel(shape, positions), ranks, kept[tuple(ranks.T - 1)], np.sum(factors, axis=0), macs)


def _svd(shape: Sequence[int], ranks: np.ndarray) -> list[np.ndarray]:
    """Weights of the factors (h, 1, in, rank) and (1, w, rank, out)."""
    height, width = (*shape[:-2], 1, 1)[:2]
    return [height * shape[-2] * ranks[:, 0], width * shape[-1] * ranks[:, 0]]


def _tucker_2(shape: Sequence[int], sizes: Sequence[int], ranks: np.ndarray) -> list[np.ndarray]:
    """Weights of the factors (in, rank), (…, rank, rank) and (rank, out); 0 for a side that stays whole."""
    inner, outer = ranks.T
    return [
        np.where(inner == sizes[0], 0, shape[-2] * inner),
        math.prod(shape[:-2]) * inner * outer,
        np.where(outer == sizes[1], 0, outer * shape[-1]),
    ]
