"""What a campaign's launches say when they are analysed by pocketbench, and by what people do instead.

All ways get the same steady iterations and answer with a ratio to the reference and its interval:

    pocketbench                   the campaign's own: launch medians, paired by round
    one launch, mean ± std        what benchmark_model prints of a launch of each, taken as its uncertainty
    one launch, t interval        the same with the standard error of the mean: std / root of the count
    all iterations                a plain loop: those of all launches as if independent
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.outcome import Row
from pocketbench.harness.measure.statistics import CONFIDENCE, t_quantile
from pocketbench.reports.tables import CampaignTables

__all__ = ["COPY", "POCKETBENCH", "SLOWER", "Answer", "Arm", "Measured", "measured", "way_rows"]

POCKETBENCH = "pocketbench"
# What is compared to the reference: the slower network, and the reference itself.
SLOWER, COPY = "slower network", "A/A copy"

# What an interval needs.
_LEAST_ROUNDS = 2

Latencies = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A ratio to the reference with its interval."""

    ratio: float
    low: float
    high: float

    def holds(self, ratio: float) -> bool:
        """True where `ratio` is in the interval."""
        return self.low <= ratio <= self.high


@dataclass(frozen=True, slots=True)
class Arm:
    """What is compared to the reference: steady latencies by round, and the campaign's own answer."""

    launches: Mapping[int, Latencies]
    answer: Answer


@dataclass(frozen=True, slots=True)
class Measured:
    """What a campaign measured: steady latencies of the reference by round, and the arms SLOWER and COPY."""

    reference: Mapping[int, Latencies]
    arms: Mapping[str, Arm]


def measured(tables: CampaignTables) -> Measured:
    """Take what counts out of a campaign's tables; SystemExit where a job has no interval."""
    samples = tables.samples[tables.samples["kind"] == "steady"]
    steady = {launch: group.to_numpy(float) for launch, group in samples.groupby("launch_id")["latency_ns"]}
    good = tables.launches[tables.launches["status"] == "ok"]
    launches: dict[int, dict[int, Latencies]] = {}
    for launch_id, job_id, number in zip(good["launch_id"], good["job_id"], good["round"], strict=True):
        launches.setdefault(int(job_id), {})[int(number)] = steady[launch_id]
    estimates = {row["job_id"]: row for row in tables.estimates.to_dict("records")}
    reference: dict[int, Latencies] = {}
    arms = {}
    for job in tables.jobs.to_dict("records"):
        job_id = job["job_id"]
        estimate = estimates.get(job_id)
        if estimate is None or estimate["rounds_compared"] < _LEAST_ROUNDS:
            raise SystemExit(f"expected at least {_LEAST_ROUNDS} rounds of each job, got fewer: {job['reason']}")
        if job["is_reference"]:
            reference = launches[job_id]
        else:
            answer = Answer(*(float(estimate[key]) for key in ("ratio", "ratio_low", "ratio_high")))
            arms[COPY if job["is_aa_copy"] else SLOWER] = Arm(launches[job_id], answer)
    return Measured(reference, arms)


def way_rows(campaigns: Sequence[Measured]) -> list[Row]:
    """A row for each way and arm: how often the interval holds the overall ratio, and how wide it is.

    The overall ratio is the geometric mean of the way's own answers, since a ratio of means is another one than a ratio
    of medians; of the copy it is 1.
    """
    return [
        _row(way, arm, [answer for campaign in campaigns for answer in answers(campaign, arm)])
        for arm in (SLOWER, COPY)
        for way, answers in _WAYS.items()
    ]


def _row(way: str, arm: str, answers: Sequence[Answer]) -> Row:
    mean = math.exp(statistics.fmean(math.log(answer.ratio) for answer in answers))
    overall = 1.0 if arm == COPY else mean
    return {
        "compared": arm,
        "way": way,
        "answers": len(answers),
        "mean_ratio": mean,
        "holds": statistics.fmean(answer.holds(overall) for answer in answers),
        "half_width": statistics.median(math.log(answer.high / answer.low) / 2 for answer in answers),
        "farthest_off": max(abs(math.log(answer.ratio / overall)) for answer in answers),
        "called_different": statistics.fmean(not answer.holds(1.0) for answer in answers),
    }


def _of_campaign(campaign: Measured, arm: str) -> list[Answer]:
    return [campaign.arms[arm].answer]


def _of_launches(campaign: Measured, arm: str, interval: Callable[[Latencies, Latencies], Answer]) -> list[Answer]:
    """An answer for each round: nobody who launches once has more."""
    launches, reference = campaign.arms[arm].launches, campaign.reference
    return [interval(launches[number], reference[number]) for number in sorted(launches.keys() & reference.keys())]


def _of_iterations(campaign: Measured, arm: str) -> list[Answer]:
    pooled = [np.concatenate(list(one.values())) for one in (campaign.arms[arm].launches, campaign.reference)]
    return [t_interval(*pooled)]


def std_interval(latencies: Latencies, reference: Latencies) -> Answer:
    """Ratio of means, as uncertain as `mean ± std` of both makes it."""
    return _answer(latencies, reference, [_relative_std(one) for one in (latencies, reference)], 1.0)


def t_interval(latencies: Latencies, reference: Latencies) -> Answer:
    """Ratio of means with Student's 95 % interval of its logarithm, iterations taken as independent."""
    errors = [_relative_std(one) / math.sqrt(len(one)) for one in (latencies, reference)]
    return _answer(latencies, reference, errors, t_quantile(len(latencies) + len(reference) - 2, CONFIDENCE))


def _answer(latencies: Latencies, reference: Latencies, errors: Sequence[float], factor: float) -> Answer:
    log, spread = math.log(latencies.mean() / reference.mean()), factor * math.hypot(*errors)
    return Answer(math.exp(log), math.exp(log - spread), math.exp(log + spread))


def _relative_std(latencies: Latencies) -> float:
    return float(latencies.std(ddof=1) / latencies.mean())


_WAYS: Mapping[str, Callable[[Measured, str], list[Answer]]] = {
    POCKETBENCH: _of_campaign,
    "one launch, mean ± std": lambda campaign, arm: _of_launches(campaign, arm, std_interval),
    "one launch, t interval": lambda campaign, arm: _of_launches(campaign, arm, t_interval),
    "all iterations": _of_iterations,
}
