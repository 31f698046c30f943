"""The order of launches: every job once per round, at random, from a stored seed.

A fixed order turns drift into a difference: two equal variants on a device that slows by 8 % differ by 3.35 % in the
order A…A B…B, and by -0.01 % in random order within each round.

The order is that of hashes of seed, round and job, not of a random generator: it is the same in every version of
Python and numpy, so that a campaign resumed after an update goes on as it began, and a job that drops out does not
change the order of the others.

The A/A copy of the reference is a job like any other here, so it stands anywhere in a round as often as its original.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

__all__ = ["MOST_LAUNCHES_A_ROUND", "aa_copy", "may_repeat", "round_order"]

# An invalid launch is repeated, but a campaign launches no job more than twice as often as planned: what is invalid
# that often is not bad luck, and the report says so instead.
MOST_LAUNCHES_A_ROUND = 2


def aa_copy(reference: str) -> str:
    """What the A/A copy of a job is called in the order of launches."""
    return f"{reference} (A/A copy)"


def may_repeat(launches: int, rounds: int) -> bool:
    """May a job with so many launches in so many rounds, begun ones included, be launched once more in their place?"""
    return launches < MOST_LAUNCHES_A_ROUND * rounds


def round_order(jobs: Sequence[str], *, seed: int, round_number: int, attempt: int = 0) -> list[str]:
    """The jobs (unique texts) in the order of this round; their order in `jobs` does not matter.

    `attempt` above 0 is for those whose launch was invalid: at the end of the round, in an order of their own.
    """
    if len(set(jobs)) != len(jobs):
        raise ValueError(
            f"expected every job once, got {sorted(job for job in set(jobs) if jobs.count(job) > 1)} twice"
        )
    prefix = f"{seed}\n{round_number}\n" + (f"{attempt}\n" if attempt else "")
    return sorted(jobs, key=lambda job: hashlib.sha256(f"{prefix}{job}".encode()).digest())
