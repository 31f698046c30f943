"""What a difference must exceed: the noise floor, which is what the A/A copy of a reference differs from it by.

The tables say of each job whether it differs from its reference (`estimates.verdict`). Whether two other jobs differ is
asked here, by the same rule.
"""

from __future__ import annotations

import math

from pocketbench.reports.campaign import Campaign, Interval, Job

__all__ = ["beyond_noise", "noise_floor"]


def noise_floor(campaign: Campaign, *jobs: Job) -> float | None:
    """The largest |logarithm| of the ratios of the copies of the jobs' references; None where one is not known."""
    ratios = [copy.ratio if (copy := campaign.copy_of(job.reference_job_id)) else None for job in jobs]
    logs = [abs(math.log(ratio.value)) for ratio in ratios if ratio is not None and ratio.low is not None]
    return max(logs) if logs and len(logs) == len(ratios) else None


def beyond_noise(ratio: Interval | None, floor: float | None) -> bool:
    """True where the interval excludes 1 and the ratio is further from 1 than the floor."""
    if ratio is None or ratio.low is None or ratio.high is None or floor is None:
        return False
    return not ratio.low <= 1 <= ratio.high and abs(math.log(ratio.value)) > floor
