from __future__ import annotations

import numpy as np
import pytest

from pocketbench.compression.factorize import compose, singular_values, tucker_2

SHAPES = [(12, 7), (5, 6, 9), (1, 8, 4), (3, 3, 6, 10), (3, 1, 6, 4), (1, 5, 4, 6), (1, 1, 9, 5), (3, 3, 1, 4)]


def kernel_of(shape, seed: int = 0) -> np.ndarray:
    kernel: np.ndarray = np.random.default_rng(seed).normal(size=shape).astype("float32")
    return kernel


def planted(rank_in: int, rank_out: int) -> np.ndarray:
    random = np.random.default_rng(4)
    core = random.normal(size=(3, 3, rank_in, rank_out))
    kernel: np.ndarray = random.normal(size=(16, rank_in)) @ core @ random.normal(size=(rank_out, 24))
    return kernel


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_at_full_rank_the_factors_are_the_kernel(shape):
    kernel = kernel_of(shape)
    by_svd, by_tucker = singular_values(kernel), tucker_2(kernel)

    for factors in (by_svd.factors(by_svd.energy.shape), by_tucker.factors(by_tucker.energy.shape)):
        np.testing.assert_allclose(compose(factors), kernel, atol=1e-12)
        assert {factor.ndim for factor in factors} == {kernel.ndim}
        assert {factor.dtype for factor in factors} == {np.dtype("float64")}


def test_shapes_of_factors():
    kernel = kernel_of((3, 5, 6, 10))

    assert [f.shape for f in singular_values(kernel).factors((4,))] == [(3, 1, 6, 4), (1, 5, 4, 10)]
    assert [f.shape for f in tucker_2(kernel).factors((4, 7))] == [(1, 1, 6, 4), (3, 5, 4, 7), (1, 1, 7, 10)]
    assert [f.shape for f in tucker_2(kernel).factors((None, 7))] == [(3, 5, 6, 7), (1, 1, 7, 10)]
    assert [f.shape for f in tucker_2(kernel).factors((4, None))] == [(1, 1, 6, 4), (3, 5, 4, 10)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_cut_svd_loses_the_energy_it_says(shape):
    kernel = kernel_of(shape)
    parts = singular_values(kernel)

    for rank, kept in enumerate(parts.energy, start=1):
        error = compose(parts.factors((rank,))) - kernel
        assert (error**2).sum() / (kernel.astype("float64") ** 2).sum() == pytest.approx(1 - kept, abs=1e-12)


def test_no_matrix_of_that_rank_is_nearer():
    kernel = kernel_of((20, 30))
    left, _, right = np.linalg.svd(kernel_of((20, 30), seed=1), full_matrices=False)

    best = np.linalg.norm(compose(singular_values(kernel).factors((5,))) - kernel)

    basis = left[:, :5]
    assert best < np.linalg.norm(basis @ basis.T @ kernel - kernel)
    assert best < np.linalg.norm(kernel @ right[:5].T @ right[:5] - kernel)


def test_tucker_finds_the_ranks_that_are_in_the_kernel():
    kernel = planted(5, 3)
    parts = tucker_2(kernel)

    assert parts.energy[4, 2] == pytest.approx(1, abs=1e-12)
    assert parts.energy[3, 2] < 0.999
    assert parts.energy[4, 1] < 0.999
    np.testing.assert_allclose(compose(parts.factors((5, 3))), kernel, atol=1e-10)


def test_orthogonal_iteration_keeps_more_than_hosvd():
    kernel = kernel_of((3, 3, 16, 24))
    parts = tucker_2(kernel)

    error = compose(parts.factors((6, 6))) - kernel

    kept = 1 - (error**2).sum() / (kernel.astype("float64") ** 2).sum()
    assert kept > parts.energy[5, 5] + 1e-3


@pytest.mark.parametrize("take_apart", [singular_values, tucker_2])
def test_the_same_kernel_gives_the_same_bits_and_signs_are_fixed(take_apart):
    kernel = kernel_of((3, 3, 8, 8))
    ranks = (4,) * take_apart(kernel).energy.ndim

    first, again = take_apart(kernel).factors(ranks), take_apart(kernel.copy()).factors(ranks)
    negative = take_apart(-kernel).factors(ranks)

    assert [a.tobytes() for a in first] == [b.tobytes() for b in again]
    np.testing.assert_allclose(negative[0], first[0], atol=1e-10)
    largest = np.abs(first[0]).reshape(-1, first[0].shape[-1])
    values = first[0].reshape(largest.shape)
    assert (values[largest.argmax(axis=0), np.arange(values.shape[1])] > 0).all()


def test_a_tie_of_two_components_is_not_decided_by_rounding():
    column = np.array([1.0, -1.0, 0.5])
    row = np.array([1.0, 2.0])

    lefts = [singular_values(np.outer(column + noise, row)).left[:, 0] for noise in ([0, 1e-12, 0], [0, -1e-12, 0])]

    np.testing.assert_allclose(lefts[0], lefts[1], atol=1e-9)


def test_a_kernel_of_zeros_keeps_everything_at_any_rank():
    zeros = np.zeros((3, 3, 4, 4), "float32")

    assert (singular_values(zeros).energy == 1).all()
    assert (tucker_2(zeros).energy == 1).all()
