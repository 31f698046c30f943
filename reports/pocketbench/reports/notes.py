"""What holds for a whole campaign: interrupted, one round, no evaluation data, what failed."""

from __future__ import annotations

from collections.abc import Iterator

from pocketbench.reports.campaign import Campaign
from pocketbench.reports.names import Sentence, reason
from pocketbench.reports.naming import listed_names

__all__ = ["notes"]

_REASONS = 3  # in full; the table has all


def notes(campaign: Campaign) -> tuple[Sentence, ...]:
    """Sentences for above every device's decision."""
    return (*_progress(campaign), *_quality(campaign), *_failed(campaign))


def _progress(campaign: Campaign) -> Iterator[Sentence]:
    done, planned = campaign.rounds_done, campaign.rounds_planned
    most = "" if campaign.precision is None else "at most "
    counted = "" if done is None or planned is None else f" after {done} of {most}{planned} rounds"
    if campaign.status == "interrupted":
        yield (f"The campaign was interrupted{counted}: what follows rests on what was measured until then.",)
    elif campaign.status == "running":
        yield (f"The campaign is still running{counted}: what follows will change.",)
    elif campaign.precision is None and done is not None and planned is not None and done < planned:
        yield (f"Only {done} of {planned} rounds are complete: some launches failed or were left out.",)
    if campaign.lost_launches:
        yield (
            _launches(campaign.lost_launches) + " lost with the connection to the device: each was made again where "
            "the device came back, and only that one counts.",
        )
    if campaign.invalid_launches:
        yield (
            _launches(campaign.invalid_launches) + " invalid by a rule written down beforehand, none of which looks at "
            "the latency, and made again where the rules allow it (reasons under the launches).",
        )
    if campaign.jobs and done is not None and done <= 1 and any(job.usable for job in campaign.jobs):
        yield ("Fewer than two rounds give no intervals, so no difference can be claimed: measure at least 5.",)


def _quality(campaign: Campaign) -> Iterator[Sentence]:
    if not campaign.jobs:
        return
    if campaign.quality_metric is None:
        yield ("Quality was not judged: no evaluation data was given. Give some before shipping a compressed file.",)
    elif not any(job.quality for job in campaign.jobs):
        yield ("Quality was not judged: evaluation data was given, but no file could be evaluated on a device.",)


def _failed(campaign: Campaign) -> Iterator[Sentence]:
    made = [variant.name for variant in campaign.variants if not variant.ok]
    if made:
        yield (_counted(len(made), "variant", "could not be made"), *listed_names(made), ".")
    failed = [job for job in campaign.failed_jobs() if job.variant.ok]
    if failed:
        names = list(dict.fromkeys(job.variant.name for job in failed))
        yield (_counted(len(failed), "job", "could not be measured"), *listed_names(names), ".")
        for text in list(dict.fromkeys(job.reason for job in failed if job.reason))[:_REASONS]:
            yield ("Could not be measured: ", reason(text))


def _launches(count: int) -> str:
    return "1 launch was" if count == 1 else f"{count} launches were"


def _counted(count: int, what: str, verb: str) -> str:
    return f"{count} {what}{'s' * (count != 1)} {verb} (reasons under the table of all variants): "
