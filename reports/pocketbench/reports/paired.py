"""The ratio of any two jobs, paired by round, with its interval.

The tables hold the ratios to the reference. Whether the two fastest variants differ is another question, which two
intervals side by side do not answer: they may overlap although one variant was faster in every round.
"""

from __future__ import annotations

from collections.abc import Mapping

from pocketbench.reports.campaign import Interval, Job
from pocketbench.reports.intervals import geometric_mean
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.values import count, identifier, number, text

__all__ = ["ByRound", "launch_medians", "paired_ratio"]

ByRound = Mapping[str, Mapping[int, float]]
"""One figure above 0 by job and round, such as the median latency in ns."""


def launch_medians(tables: CampaignTables) -> ByRound:
    """Median latency in ns of the launches that could be used."""
    medians: dict[str, dict[int, float]] = {}
    columns = ("job_id", "round", "status", "latency_median_ns")
    for job_id, round_cell, status, cell in zip(*(tables.launches[column] for column in columns), strict=True):
        number_of_round, latency_ns = count(round_cell), number(cell)
        if text(status) == "ok" and number_of_round is not None and latency_ns is not None and latency_ns > 0:
            medians.setdefault(identifier(job_id) or "unnamed", {})[number_of_round] = latency_ns
    return medians


def paired_ratio(figures: ByRound, job: Job, other: Job, *, confidence: float = 0.95) -> Interval | None:
    """`job` against `other`: geometric mean of the per-round ratios with Student's t interval of their logarithms.

    No interval under 2 common rounds, None where there is none.
    """
    own, others = figures.get(job.job_id, {}), figures.get(other.job_id, {})
    return geometric_mean([own[number] / others[number] for number in sorted(own.keys() & others.keys())], confidence)
