"""Campaigns to compare: made-up tables that share files and engines, unless a test changes them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from pocketbench.harness.comparing.comparison import ComparedCampaigns, ComparedJob, compare_campaigns
from pocketbench.harness.comparing.facts import Measured, read_measured
from pocketbench.reports.tables import CampaignTables
from tests.reports.synthetic import DIGITS, Spec, make_tables, spec

__all__ = ["DIGITS", "Spec", "changed", "compared", "job_of", "measured", "spec", "tables"]

Change = Callable[[pd.DataFrame], pd.DataFrame]


def tables(specs: Sequence[Spec] = tuple(DIGITS), *, name: str = "a", **options: Any) -> CampaignTables:
    """A campaign of that name; files of one variant name have one hash in all campaigns."""
    options.setdefault("seed", sum(map(ord, name)))
    found = make_tables(specs, **options)
    hashes = found.variants["name"].map(lambda one: hashlib.sha256(one.encode()).hexdigest())
    return replace(
        found,
        campaign=found.campaign.assign(campaign_id=f"20260725T093000Z-digits-{name}"),
        variants=found.variants.assign(sha256=hashes.where(found.variants["status"] == "ok")),
    )


def changed(found: CampaignTables, table: str, **columns: Any) -> CampaignTables:
    """All rows of a table with these values."""
    return replace(found, **{table: getattr(found, table).assign(**columns)})


def measured(found: CampaignTables, evaluation: str | None = "e" * 64) -> Measured:
    return read_measured(found, evaluation)


def compared(before: CampaignTables, after: CampaignTables) -> ComparedCampaigns:
    return compare_campaigns(measured(before), measured(after))


def job_of(found: ComparedCampaigns, name: str = "int8-tflite") -> ComparedJob:
    """The only job of a variant."""
    (job,) = (job for job in found.jobs if job.job.variant.name == name)
    return job
