"""Kernels as products of smaller ones, in numpy: truncated SVD, spatial SVD and Tucker-2.

A kernel is (…, in, out): … are its extents in space, at most two, none for a dense layer. Its factors are the kernels
of layers in a row. On every axis in space only one of them has an extent, so their matrix product over the last two
axes, extents broadcast, is the kernel again (`compose`). All is float64, and the same kernel gives the same bits:
signs of singular vectors, which LAPACK leaves open, are fixed.

Spatial SVD: Jaderberg et al., arXiv 1405.3866, section 2, as a matrix (h·in) × (w·out). Tucker-2: Kim et al., arXiv
1511.06530; its orthogonal iteration (HOOI): De Lathauwer et al., SIAM J. Matrix Anal. Appl. 21 (2000), 1324-1342.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import numpy as np

__all__ = ["Decomposition", "SingularValues", "Tucker2", "compose", "singular_values", "tucker_2"]

SWEEPS = 5  # of HOOI: what it gains over HOSVD comes in the first two or three
# A component counts as the largest if it is within this of it: two that only rounding tells apart must not decide.
_TIE = 1e-6


class Decomposition(Protocol):
    """A kernel taken apart once, to be cut to any ranks."""

    @property
    def energy(self) -> np.ndarray:
        """Share of the squared weights that is kept, by rank - 1 on each axis; the last entry is 1."""

    def factors(self, ranks: tuple[int | None, ...]) -> list[np.ndarray]:
        """Return the kernels in a row at `ranks`, one for each axis of `energy`."""


@dataclass(frozen=True, slots=True)
class SingularValues:
    """Matrix (h·in) × (w·out) of a `shape` (h, w, in, out), (h, in, out) or (in, out): left · diag(values) · right."""

    shape: tuple[int, ...]
    left: np.ndarray
    values: np.ndarray
    right: np.ndarray

    @property
    def energy(self) -> np.ndarray:
        """Share of squared singular values up to each rank."""
        return _shares(np.cumsum(self.values**2))

    def factors(self, ranks: tuple[int | None, ...]) -> list[np.ndarray]:
        """Return (h, 1, in, rank) and (1, w, rank, out), axes in space as in `shape`; both carry half of the scale.

        With equal scale the two train equally fast, and neither has larger numbers than the other to quantize.
        """
        rank = len(self.values) if ranks[0] is None else ranks[0]
        height, width = _extents(self.shape)
        space, inputs, outputs = len(self.shape) - 2, self.shape[-2], self.shape[-1]
        scale = np.sqrt(self.values[:rank])
        first = (self.left[:, :rank] * scale).reshape(*(height, 1)[:space], inputs, rank)
        second = (scale[:, None] * self.right[:rank]).reshape(rank, width, outputs).swapaxes(0, 1)
        return [first, second.reshape(*(1, width)[:space], rank, outputs)]


@dataclass(frozen=True, slots=True)
class Tucker2:
    """A kernel in orthonormal bases of its inputs (in, in) and outputs (out, out), strongest direction first."""

    kernel: np.ndarray
    inputs: np.ndarray
    outputs: np.ndarray

    @property
    def energy(self) -> np.ndarray:
        """Share of the squared core within each pair of ranks: (in, out)."""
        squares = (_core(self._flat, self.inputs, self.outputs) ** 2).sum(axis=0)
        return _shares(squares.cumsum(axis=0).cumsum(axis=1))

    def factors(self, ranks: tuple[int | None, ...]) -> list[np.ndarray]:
        """Return (1…, in, rank), (…, rank, rank) and (1…, rank, out); a side of rank None stays whole, without one."""
        rank_in, rank_out = ranks
        inputs, outputs = self.inputs[:, :rank_in], self.outputs[:, :rank_out]
        if rank_in is not None and rank_out is not None:  # one side alone is optimal as it is
            for _ in range(SWEEPS):
                inputs = _basis(_core(self._flat, None, outputs))[:, :rank_in]
                outputs = _basis(_core(self._flat, inputs, None).swapaxes(1, 2))[:, :rank_out]
        core = _core(self._flat, None if rank_in is None else inputs, None if rank_out is None else outputs)
        space = self.kernel.shape[:-2]
        ones = (1,) * len(space)
        return [
            *([] if rank_in is None else [inputs.reshape(*ones, *inputs.shape)]),
            core.reshape(*space, *core.shape[1:]),
            *([] if rank_out is None else [outputs.T.reshape(*ones, *outputs.T.shape)]),
        ]

    @property
    def _flat(self) -> np.ndarray:
        return self.kernel.reshape(-1, *self.kernel.shape[-2:])


def singular_values(kernel: np.ndarray) -> SingularValues:
    """Take a finite `kernel` apart by SVD, split between its first axis in space and its second."""
    height, width = _extents(kernel.shape)
    inputs, outputs = kernel.shape[-2:]
    array = np.asarray(kernel, np.float64).reshape(height, width, inputs, outputs)
    matrix = array.swapaxes(1, 2).reshape(height * inputs, width * outputs)
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    signs = _signs(left)
    return SingularValues(kernel.shape, left * signs, values, right * signs[:, None])


def tucker_2(kernel: np.ndarray) -> Tucker2:
    """Take a finite `kernel` apart by HOSVD over its inputs and its outputs."""
    array = np.asarray(kernel, np.float64)
    flat = array.reshape(-1, *array.shape[-2:])
    return Tucker2(array, _basis(flat), _basis(flat.swapaxes(1, 2)))


def compose(factors: Sequence[np.ndarray]) -> np.ndarray:
    """Return the kernel (float64) that layers with these kernels in a row have together."""
    return reduce(np.matmul, [np.asarray(factor, np.float64) for factor in factors])


def _core(flat: np.ndarray, inputs: np.ndarray | None, outputs: np.ndarray | None) -> np.ndarray:
    """`flat` (space, in, out) in the given bases (columns); None: as it is."""
    core = flat if inputs is None else inputs.T @ flat
    return core if outputs is None else core @ outputs


def _basis(flat: np.ndarray) -> np.ndarray:
    """Orthonormal columns that span axis 1 of `flat`, strongest first: left singular vectors of that unfolding.

    By way of the small Gram matrix: it is complete, so that no rank is lost, and square where the unfolding is wide.
    """
    _, vectors = np.linalg.eigh((flat @ flat.swapaxes(1, 2)).sum(axis=0))
    columns = vectors[:, ::-1]
    basis: np.ndarray = columns * _signs(columns)
    return basis


def _signs(columns: np.ndarray) -> np.ndarray:
    """1 or -1 for each column, so that its (first) largest component becomes positive."""
    sizes = np.abs(columns)
    places = (sizes >= sizes.max(axis=0) * (1 - _TIE)).argmax(axis=0)
    return np.where(columns[places, np.arange(columns.shape[1])] < 0, -1.0, 1.0)


def _extents(shape: Sequence[int]) -> tuple[int, int]:
    space = (*shape[:-2], 1, 1)
    return space[0], space[1]


def _shares(kept: np.ndarray) -> np.ndarray:
    total = kept.flat[-1]
    return kept / total if total else np.ones_like(kept)
