"""The report pairs jobs by a formula of its own, as it must not know the harness: the two must not drift apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pocketbench.harness.measure.statistics import paired_ratio
from pocketbench.reports import paired
from pocketbench.reports.joined import read_campaign
from tests.reports.synthetic import make_tables


@pytest.mark.parametrize("rounds", [1, 2, 5, 30])
def test_both_pair_alike(rounds: int):
    random = np.random.default_rng(rounds)
    own, reference = ({number: float(random.lognormal()) for number in range(rounds)} for _ in range(2))
    first = read_campaign(make_tables()).jobs[0]
    jobs = [replace(first, job_id=name) for name in ("own", "reference")]

    ours = paired_ratio(own, reference)
    theirs = paired.paired_ratio({"own": own, "reference": reference}, *jobs)

    assert ours is not None
    assert theirs is not None
    assert (theirs.low is None) == (ours.low is None)
    assert [theirs.value, theirs.low, theirs.high] == pytest.approx([ours.value, ours.low, ours.high])
