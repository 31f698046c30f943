"""What the runner says of a launch that ended before it had what was asked for."""

from __future__ import annotations

import pandas as pd

from pocketbench.reports.values import identifier, text

__all__ = ["MEANINGS", "flags_by_job"]

MEANINGS = {
    "max_time": "the measurement reached its time limit with fewer iterations than asked for",
    "sample_limit": "the launch reached the number of samples that the runner keeps",
    "warmup_max_time": "the warm-up reached its time limit with fewer iterations than asked for",
}


def flags_by_job(launches: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """The flags of any launch of a job, sorted; a flag that is not known here stands for itself."""
    found: dict[str, set[str]] = {}
    for job_id, cell in zip(launches["job_id"], launches["flags"], strict=True):
        found.setdefault(identifier(job_id) or "unnamed", set()).update((text(cell) or "").split())
    return {job_id: tuple(sorted(flags)) for job_id, flags in found.items()}
