"""Cold start of each job: medians over its launches of what stands between a process and its first answer."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.values import identifier, number

__all__ = ["PARTS", "ColdStart", "cold_starts"]

PARTS = {
    "engine_load_ns": "engine load",
    "model_init_ns": "model init",
    "first_inference_ns": "first inference",
}


@dataclass(frozen=True, slots=True)
class ColdStart:
    """`parts` in ns in the order of PARTS, None where the runner could not say."""

    launches: int
    parts: tuple[float | None, ...]


def cold_starts(tables: CampaignTables) -> dict[str, ColdStart]:
    """By job; a job without any part has none."""
    good = tables.launches[tables.launches["status"] == "ok"]
    frame = good[["job_id"]].copy()
    for column in PARTS:
        frame[column] = pd.to_numeric(good[column], errors="coerce").astype("float64")
    found = {}
    for job_id, group in frame.groupby("job_id", observed=True):
        parts = tuple(number(group[column].median()) if group[column].notna().any() else None for column in PARTS)
        if any(part is not None for part in parts):
            found[identifier(job_id) or "unnamed"] = ColdStart(len(group), parts)
    return found
