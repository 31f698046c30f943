"""The latency ratio of any two jobs, paired by round, with its 95 % interval.

The tables hold the ratios to the reference. Whether the two fastest variants differ is another question, which two
intervals side by side do not answer: they may overlap although one variant was faster in every round.
"""

from __future__ import annotations

import math

from pocketbench.reports.campaign import Interval, Job
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.values import count, identifier, number, text

__all__ = ["LaunchMedians", "differs", "launch_medians", "paired_ratio"]

LaunchMedians = dict[str, dict[int, float]]
"""Median latency in ns by job and round."""


def launch_medians(tables: CampaignTables) -> LaunchMedians:
    """Of the launches that could be used."""
    medians: LaunchMedians = {}
    columns = ("job_id", "round", "status", "latency_median_ns")
    for job_id, round_cell, status, cell in zip(*(tables.launches[column] for column in columns), strict=True):
        number_of_round, latency_ns = count(round_cell), number(cell)
        if text(status) == "ok" and number_of_round is not None and latency_ns is not None and latency_ns > 0:
            medians.setdefault(identifier(job_id) or "unnamed", {})[number_of_round] = latency_ns
    return medians


def paired_ratio(medians: LaunchMedians, job: Job, other: Job) -> Interval | None:
    """Latency of `job` against `other`: geometric mean of the per-round ratios with Student's t interval of their
    logarithms; no interval under 2 common rounds, None where there is none."""
    own, others = medians.get(job.job_id, {}), medians.get(other.job_id, {})
    logs = [math.log(own[number_of_round] / others[number_of_round]) for number_of_round in own.keys() & others.keys()]
    if not logs:
        return None
    mean = math.fsum(logs) / len(logs)
    if len(logs) == 1:
        return Interval(math.exp(mean), None, None)
    from scipy.special import stdtrit  # 0.1 s to import

    variance = math.fsum((value - mean) ** 2 for value in logs) / (len(logs) - 1)
    spread = float(stdtrit(len(logs) - 1, 0.975)) * math.sqrt(variance / len(logs))
    return Interval(math.exp(mean), math.exp(mean - spread), math.exp(mean + spread))


def differs(ratio: Interval | None) -> bool:
    """True where the interval excludes 1."""
    return ratio is not None and ratio.low is not None and ratio.high is not None and not ratio.low <= 1 <= ratio.high
