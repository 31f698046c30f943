"""The order of launches within a round."""

from __future__ import annotations

from collections import Counter

import pytest

from pocketbench.harness.measure.rounds import aa_copy, may_repeat, round_order

JOBS = ["float32-tflite t1", "int8-tflite t1", "int8-tflite t2"]


def test_every_job_comes_once():
    assert sorted(round_order(JOBS, seed=0, round_number=0)) == sorted(JOBS)


def test_same_seed_and_round_same_order_however_the_jobs_are_listed():
    assert round_order(JOBS, seed=5, round_number=2) == round_order(JOBS[::-1], seed=5, round_number=2)


def test_the_order_never_changes_between_versions():
    """A campaign that was begun with an older pocketbench is resumed in the order it began with."""
    assert round_order(list("abcdef"), seed=0, round_number=0) == list("faedbc")


def test_all_orders_are_equally_frequent():
    counts = Counter(tuple(round_order(["a", "b", "c"], seed=seed, round_number=1)) for seed in range(6000))

    # 1000 expected each, sd 29.
    assert len(counts) == 6
    assert all(880 <= count <= 1120 for count in counts.values())


def test_rounds_of_one_seed_differ():
    orders = {tuple(round_order(list("abcdef"), seed=0, round_number=number)) for number in range(10)}

    assert len(orders) > 5


def test_a_job_that_drops_out_leaves_the_order_of_the_others():
    whole = round_order(JOBS, seed=3, round_number=0)

    assert round_order(JOBS[:2], seed=3, round_number=0) == [job for job in whole if job in JOBS[:2]]


def test_a_job_given_twice_is_refused():
    with pytest.raises(ValueError, match=r"\['a'\] twice"):
        round_order(["a", "b", "a"], seed=0, round_number=0)


def test_repeats_come_in_an_order_of_their_own():
    first, second, third = (round_order(list("abcdef"), seed=0, round_number=0, attempt=number) for number in range(3))

    assert sorted(first) == sorted(second) == sorted(third)
    assert len({tuple(order) for order in (first, second, third)}) == 3


def test_the_copy_stands_before_its_original_as_often_as_after_it():
    jobs = ["reference", aa_copy("reference"), "variant"]
    orders = [round_order(jobs, seed=0, round_number=number) for number in range(2000)]
    before = sum(order.index(jobs[1]) < order.index(jobs[0]) for order in orders)

    assert 890 <= before <= 1110  # 1000 expected, five sd of 22 on each side


def test_a_job_is_launched_at_most_twice_as_often_as_planned():
    assert may_repeat(launches=1, rounds=1)
    assert not may_repeat(launches=2, rounds=1)
    assert may_repeat(launches=9, rounds=5)
    assert not may_repeat(launches=10, rounds=5)
