"""What a job is called in a sentence: by its variant, and by what else tells it from the other jobs."""

from __future__ import annotations

from pocketbench.reports.campaign import Campaign, Job
from pocketbench.reports.names import Command, Name, Sentence

__all__ = ["called", "listed", "listed_names"]

MOST_LISTED = 4


def called(campaign: Campaign, job: Job) -> Sentence:
    """The variant, with threads, cores and accelerator where the device was measured with several."""
    parts: list[str | Name | Command] = [Name(job.variant.name)]
    if campaign.several_settings(job.device):
        parts.append(f" with {job.setting}")
    if campaign.several_accelerators(job.device) and job.accelerator:
        parts += [" on ", Name(job.accelerator, 16)]
    return tuple(parts)


def listed(items: list[Sentence]) -> Sentence:
    """The first few items with commas between, and how many more there are."""
    parts: list[str | Name | Command] = []
    for position, item in enumerate(items[:MOST_LISTED]):
        parts += ([", "] if position else []) + list(item)
    return (*parts, f" and {len(items) - MOST_LISTED} more") if len(items) > MOST_LISTED else tuple(parts)


def listed_names(names: list[str]) -> Sentence:
    """The same for bare names."""
    return listed([(Name(name),) for name in names])
