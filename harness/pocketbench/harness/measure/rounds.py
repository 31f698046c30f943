"""The order of launches: every job once per round, at random, from a stored seed.

A fixed order turns drift into a difference: two equal variants on a device that slows by 8 % differ by 3.35 % in the
order A…A B…B, and by -0.01 % in random order within each round.

The order is that of hashes of seed, round and job, not of a random generator: it is the same in every version of
Python and numpy, so that a campaign resumed after an update goes on as it began, and a job that drops out does not
change the order of the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

__all__ = ["round_order"]


def round_order(jobs: Sequence[str], *, seed: int, round_number: int) -> list[str]:
    """The jobs (unique texts) in the order of this round; their order in `jobs` does not matter."""
    if len(set(jobs)) != len(jobs):
        raise ValueError(
            f"expected every job once, got {sorted(job for job in set(jobs) if jobs.count(job) > 1)} twice"
        )
    return sorted(jobs, key=lambda job: hashlib.sha256(f"{seed}\n{round_number}\n{job}".encode()).digest())
