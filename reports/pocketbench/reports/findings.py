"""What does not look right in a campaign; each finding ends in what to do about it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping

from pocketbench.reports.campaign import Campaign, Job
from pocketbench.reports.digits import duration, ratio, significant
from pocketbench.reports.flags import INVALID
from pocketbench.reports.launch_facts import P90_FLOOR, LaunchFacts, invalid_launches, launch_facts
from pocketbench.reports.names import Name, Sentence, command
from pocketbench.reports.naming import called, listed
from pocketbench.reports.operators import Profile, profiles
from pocketbench.reports.precision import precisions
from pocketbench.reports.slow_quantized import is_quantized, reasons_of_slowness
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.values import identifier, text

__all__ = ["TARGET", "findings"]

# What ratios are to be precise to, where the campaign does not say.
TARGET = 0.01
_MOSTLY = 0.5
# One launch in five does not count: the device is not fit for measuring as it stands there.
_OFTEN_INVALID = 0.2
_REMEDIES = {
    "charger_changed": "leave the charger as it is while measuring",
    "governor_changed": "stop what else sets the governor",
    "no_steady_part": "allow a launch more time (launch: {max_time_s: …} in the plan)",
    "sampler_gap": "leave a core of the device free, so that the sampler can run",
    "screen_changed": "keep the screen on, or off, while measuring",
    "throttled": "cool the device, or ask for what throttling is a part of (regime: sustained in the plan)",
    "under_voltage": "use a stronger power supply and a shorter cable",
}


def findings(campaign: Campaign, device: str, tables: CampaignTables) -> tuple[Sentence, ...]:
    """Of one device, in the order of their weight."""
    jobs = [job for job in campaign.jobs_on(device) if job.usable]
    profiled, facts = profiles(tables), launch_facts(tables)
    slow = [job for job in jobs if _is_slow(job, jobs)]
    return (
        *_accelerators(campaign, jobs),
        *_slow(campaign, slow, profiled, _cpu_features(tables, device)),
        *_fallbacks(campaign, [job for job in jobs if job not in slow], profiled),
        *_noise(campaign, device),
        *_invalid(campaign, device, tables, facts),
        *_imprecise(device, tables),
        *_few_iterations(campaign, jobs, facts),
    )


def _is_slow(job: Job, jobs: list[Job]) -> bool:
    reference = next((other for other in jobs if other.job_id == job.reference_job_id), None)
    if reference is None or is_quantized(reference.variant) or not is_quantized(job.variant):
        return False
    return job.is_different and job.ratio is not None and job.ratio.value > 1


def _accelerators(campaign: Campaign, jobs: list[Job]) -> Iterator[Sentence]:
    for job in jobs:
        if job.falls_back:
            accelerator = Name(job.accelerator or "accelerator", 16)
            yield (
                *called(campaign, job),
                " was to run on ",
                accelerator,
                ", but a part of it or all of it ran on the CPU. To do: see under “Operators” what ran where, compare "
                "with accelerators: [cpu], or let such a launch fail (require_accelerator: true in the plan).",
            )


def _slow(
    campaign: Campaign, jobs: list[Job], profiled: Mapping[str, Profile], cpu_features: str | None
) -> Iterator[Sentence]:
    for job in jobs:
        assert job.ratio is not None  # a slower one has one
        slower = f" is quantized and yet slower than its float reference ({ratio(job.ratio)})"
        causes = list(reasons_of_slowness(job, profiled.get(job.job_id), cpu_features))
        if causes:
            what, remedies = ("; ".join(parts) for parts in zip(*causes, strict=True))
            yield (*called(campaign, job), f"{slower}: {what}. To do: {remedies}.")
        if not causes:
            yield (
                *called(campaign, job),
                f"{slower}, and its operators tell no cause. To do: measure the other format too, ",
                command("pocketbench", "compress", "MODEL", "--recipe", "int8"),
                ".",
            )


def _fallbacks(campaign: Campaign, jobs: list[Job], profiled: Mapping[str, Profile]) -> Iterator[Sentence]:
    for job in jobs:
        profile = profiled.get(job.job_id)
        share = None if profile is None else profile.fallback_share(job.accelerator)
        if profile is not None and share is not None and share > _MOSTLY:
            fallen: list[Sentence] = [
                (Name(kind.operator),) for kind in profile.kinds if kind.runs_on in ("interpreter", "CPU")
            ]
            yield (
                *called(campaign, job),
                f" mostly runs on the fallback: {significant(100 * share, 2)} % of its operators' time, in ",
                *listed(fallen),
                ". To do: replace these operators in the model, or measure the other format, ",
                command("pocketbench", "compress", "MODEL", "--format", "onnx"),
                ".",
            )


def _noise(campaign: Campaign, device: str) -> Iterator[Sentence]:
    target = campaign.precision or TARGET
    for copy in campaign.copies:
        against = copy.ratio
        if copy.device != device or against is None or against.low is None or against.high is None:
            continue
        differs = not against.low <= 1 <= against.high
        if not differs and abs(math.log(against.value)) <= target:
            continue
        why = "its interval excludes 1, which happens to one campaign in 20 by chance" if differs else "that is noise"
        yield (
            f"The reference against itself is {ratio(against)}, with a target of ±{significant(100 * target, 2)} %: "
            f"{why}. To do: close what else runs on the device, fix its frequency, let it cool, and look at ",
            command("pocketbench", "device", "check", device),
            ".",
        )


def _invalid(
    campaign: Campaign, device: str, tables: CampaignTables, facts: Mapping[str, LaunchFacts]
) -> Iterator[Sentence]:
    ours = {job.job_id for job in (*campaign.jobs, *campaign.copies) if job.device == device}
    launches = sum(sum(facts[job_id].status.values()) for job_id in ours if job_id in facts)
    broken = [one for one in invalid_launches(tables) if one.job_id in ours]
    if not broken or len(broken) < _OFTEN_INVALID * launches:
        return
    reasons = Counter(reason for one in broken for reason in one.reasons)
    for found, times in reasons.most_common(2):
        if found in INVALID:
            yield (
                f"{len(broken)} of {launches} launches are invalid; in {times} {INVALID[found]}. "
                f"To do: {_REMEDIES[found]}.",
            )


def _imprecise(device: str, tables: CampaignTables) -> Iterator[Sentence]:
    found = precisions(tables).get(device)
    if found is None or not found.unreached or found.ended is None:
        return
    rounds = [one.rounds_needed for one in found.unreached]
    seconds = [one.seconds_needed for one in found.unreached]
    yield (
        f"{len(found.unreached)} ratio{'s are' if len(found.unreached) > 1 else ' is'} less precise than asked for. "
        f"To do: {_more(rounds, seconds)}, or ask for less (precision in the plan).",
    )


def _more(rounds: list[int | None], seconds: list[float | None]) -> str:
    known = [number for number in rounds if number is not None]
    if not known:
        return "make the device quieter, as no number of rounds that could be foretold is enough"
    times = [time_s for time_s in seconds if time_s is not None]
    more = f", which take {duration(max(times))} more" if len(times) == len(known) else ""
    untold = "" if len(known) == len(rounds) else f" (of {len(rounds) - len(known)} it cannot be told)"
    return f"allow about {max(known):,} rounds{more}{untold} (rounds, budget_s in the plan)"


def _few_iterations(campaign: Campaign, jobs: list[Job], facts: Mapping[str, LaunchFacts]) -> Iterator[Sentence]:
    few = [
        job
        for job in jobs
        if (fact := facts.get(job.job_id)) is not None and fact.iterations is not None and fact.iterations < P90_FLOOR
    ]
    if few:
        yield (
            "Too few iterations in a launch for a 90th percentile: ",
            *listed([called(campaign, job) for job in few]),
            f". To do: ask for at least {P90_FLOOR} (launch: {{iterations: {P90_FLOOR}}} in the plan).",
        )


def _cpu_features(tables: CampaignTables, device: str) -> str | None:
    for name, features in zip(tables.devices["device"], tables.devices["cpu_features"], strict=True):
        if identifier(name) == device:
            return text(features)
    return None
