from __future__ import annotations

import numpy as np
import pytest

from pocketbench.compression.ranks import Cost, Cut, Positions, choose_cut, cost_of_kernel

ONE = Positions(1, 1, 1)


def kept_by(*sizes: int) -> np.ndarray:
    """Share that grows in equal steps with each rank."""
    steps = [np.arange(1, size + 1) / size for size in sizes]
    return steps[0] if len(steps) == 1 else steps[0][:, None] * steps[1]


def cut(shape, method="svd", positions: Positions | None = ONE, rule="ratio", amount=0.5, round_to=4):
    sizes = shape[-2:] if method == "tucker-2" else (min(np.prod(shape[:-3]) * shape[-2], shape[-1]),)
    return choose_cut(shape, method, kept_by(*sizes), positions, rule=rule, amount=amount, round_to=round_to)


def test_the_largest_rank_within_the_budget():
    """A dense layer 64 x 64 costs 4096 and 128 for each rank: half of it is rank 16."""
    assert cut((64, 64)) == Cut("svd", (16,), Cost(2048, 2048))
    assert cut((64, 64), amount=0.49) == Cut("svd", (12,), Cost(1536, 1536))
    assert cut((64, 64), amount=0.49, round_to=1) == Cut("svd", (15,), Cost(1920, 1920))


def test_where_two_ranks_keep_alike_the_cheaper_is_taken():
    kept = np.minimum(kept_by(64) * 8, 1)  # all is in the first eight

    assert choose_cut((64, 64), "svd", kept, ONE, rule="ratio", amount=0.5, round_to=4) == Cut(
        "svd", (8,), Cost(1024, 1024)
    )


def test_energy_takes_the_least_rank_that_keeps_it_rounded_up():
    assert cut((64, 64), rule="energy", amount=0.3) == Cut("svd", (20,), Cost(2560, 2560))
    assert cut((64, 64), rule="energy", amount=0.3, round_to=1) == Cut("svd", (20,), Cost(2560, 2560))
    assert cut((64, 64), rule="energy", amount=0.32, round_to=8) == Cut("svd", (24,), Cost(3072, 3072))


def test_energy_beyond_break_even_is_refused_with_the_numbers():
    reason = cut((64, 64), rule="energy", amount=0.5)

    assert reason == (
        "keeping 50% takes rank 32 with 4,096 weights and 4,096 MACs of 4,096 weights and 4,096 MACs "
        "(it saves up to rank 31)"
    )


def test_a_budget_that_no_rank_meets_is_refused_with_the_numbers():
    assert cut((64, 10), round_to=8) == (
        "the cheapest rank, 8, takes 592 weights and 592 MACs of 640 weights and 640 MACs: more than 50%"
    )
    assert cut((64, 4), round_to=8) == "no multiple of 8 is below its full rank 4"


def test_multiply_accumulates_count_as_much_as_weights():
    """Before a stride of 4 the first 1x1 of Tucker-2 runs at 16 times as many positions."""
    shape = (3, 3, 32, 32)
    even = cut(shape, "tucker-2", Positions(64, 64, 64))
    strided = cut(shape, "tucker-2", Positions(1024, 256, 64))
    open_size = cut(shape, "tucker-2", None)

    assert even.ranks[0] is not None
    assert strided.ranks[0] is None, "the input side stays whole"
    assert strided.cost.macs <= 0.5 * 9 * 32 * 32 * 64
    assert open_size.cost == Cost(even.cost.parameters, None)


def test_a_side_of_tucker_that_stays_whole_costs_nothing():
    """Three channels cannot be cut by 8: only the outputs are, by 3x3 and 1x1."""
    found = cut((3, 3, 3, 64), "tucker-2", round_to=8)

    assert found == Cut("tucker-2", (None, 8), Cost(9 * 3 * 8 + 8 * 64, 9 * 3 * 8 + 8 * 64))


@pytest.mark.parametrize("method", ["spatial-svd", "tucker-2"])
@pytest.mark.parametrize("rule", ["energy", "ratio"])
def test_what_is_chosen_always_saves_both(method, rule):
    for seed in range(40):
        random = np.random.default_rng(seed)
        shape = tuple(int(n) for n in (*random.integers(1, 6, 2), *random.integers(1, 40, 2)))
        after = int(random.integers(1, 50))
        positions = Positions(after * int(random.integers(1, 5)), after * int(random.integers(1, 3)), after)
        found = cut(shape, method, positions, rule, float(random.uniform(0.05, 0.95)), int(random.integers(1, 9)))
        whole = cost_of_kernel(shape, positions)
        if isinstance(found, Cut):
            assert found.cost.parameters < whole.parameters
            assert (found.cost.macs or 0) < (whole.macs or 0)
        else:
            assert found
