"""What became of a job, from its launches and the stages that failed: `ok`, `partial` or `failed`, and why."""

from __future__ import annotations

import pandas as pd

__all__ = ["job_status"]

_STAGES = {"deploy": "not deployed", "memory": "no memory figures", "quality": "no quality"}


def job_status(jobs: pd.DataFrame, launches: pd.DataFrame, failures: pd.DataFrame) -> tuple[pd.Series[str], pd.Series[str]]:
    """The columns `status` and `reason` of the table jobs."""
    status: list[str | None] = []
    reasons: list[str | None] = []
    for job_id in jobs["job_id"]:
        own = launches[launches["job_id"] == job_id]
        bad = own[own["status"] == "failed"]
        stages = failures[failures["job_id"] == job_id]
        reason = [f"{_STAGES[stage]}: {text}" for stage, text in zip(stages["stage"], stages["reason"], strict=True)]
        if len(bad):
            reason.append(f"{len(bad)} of {len(own)} launches failed, the first: {bad['reason'].iloc[0]}")
        used = len(own) - len(bad)
        if not used and not reason:
            reason.append("not launched yet")
        status.append("ok" if not reason else "partial" if used or (not len(own) and not len(stages)) else "failed")
        reasons.append("\n".join(reason) or None)
    return pd.Series(status, dtype="str"), pd.Series(reasons, dtype="str")
