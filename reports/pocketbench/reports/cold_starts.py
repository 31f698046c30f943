"""Cold start of each job: medians over its launches of what stands between a process and its first answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pocketbench.reports.campaign import Interval
from pocketbench.reports.intervals import median
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.values import identifier, number, text

__all__ = ["PARTS", "ColdStart", "cold_starts"]

PARTS = {
    "engine_load_ns": "engine load",
    "model_init_ns": "model init",
    "first_inference_ns": "first inference",
}


@dataclass(frozen=True, slots=True)
class ColdStart:
    """Of the launches of one job with the page cache in one state: dropped, warm, or None where that is not known.

    `parts` in ns in the order of PARTS, None where the runner could not say.

    `total` is the median of what each launch took in all; its interval is None where there are too few launches.
    """

    page_cache: str | None
    launches: int
    parts: tuple[float | None, ...]
    total: Interval | None


def cold_starts(tables: CampaignTables, confidence: float = 0.95) -> dict[str, tuple[ColdStart, ...]]:
    """By job, for each state of the page cache; a job without any part has none."""
    good = tables.launches[tables.launches["status"] == "ok"]
    frame = good[["job_id"]].assign(page_cache=[text(cell) or "" for cell in good["page_cache"]])
    for column in PARTS:
        figures = pd.to_numeric(good[column], errors="coerce").astype("float64")
        frame[column] = figures.where(np.isfinite(figures))
    found: dict[str, tuple[ColdStart, ...]] = {}
    for (job_id, page_cache), group in frame.groupby(["job_id", "page_cache"], observed=True):
        parts = tuple(number(group[column].median()) if group[column].notna().any() else None for column in PARTS)
        if any(part is not None for part in parts):
            totals = group[list(PARTS)].sum(axis=1, skipna=False).dropna().tolist()
            cold = ColdStart(text(page_cache), len(group), parts, median(totals, confidence))
            key = identifier(job_id) or "unnamed"
            found[key] = (*found.get(key, ()), cold)
    return found
