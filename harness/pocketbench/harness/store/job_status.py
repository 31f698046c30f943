"""What became of a job, from its launches and the stages that failed: `ok`, `partial` or `failed`, and why.

`failed`: it could not be deployed or launched, so there is no latency. `partial`: something of it is missing.
"""

from __future__ import annotations

import pandas as pd

__all__ = ["job_status"]

_STAGES = {
    "deploy": "not deployed",
    "memory": "no memory figures",
    "quality": "no quality",
    "profile": "no times of operators",
}


def job_status(
    jobs: pd.DataFrame, launches: pd.DataFrame, failures: pd.DataFrame
) -> tuple[pd.Series[str], pd.Series[str]]:
    """The columns `status` and `reason` of the table jobs; `launches` are those that were not lost."""
    counted = launches[launches["status"] != "invalid"]
    launched = counted["job_id"].value_counts()
    invalid = launches.loc[launches["status"] == "invalid"].groupby("job_id")["reason"].agg(["size", "first"])
    bad = launches.loc[launches["status"] == "failed"].groupby("job_id")["reason"].agg(["size", "first"])
    stages: dict[int, dict[str, str]] = {}
    for job_id, stage, reason in zip(failures["job_id"], failures["stage"], failures["reason"], strict=True):
        stages.setdefault(job_id, {})[stage] = reason
    found = [
        _one(
            int(launched.get(job_id, 0)),
            int(bad["size"].get(job_id, 0)),
            str(bad["first"].get(job_id)),
            (int(invalid["size"].get(job_id, 0)), str(invalid["first"].get(job_id))),
            stages.get(job_id, {}),
        )
        for job_id in jobs["job_id"]
    ]
    return (
        pd.Series([status for status, _ in found], dtype="str"),
        pd.Series(["\n".join(reasons) or None for _, reasons in found], dtype="str"),
    )


def _one(
    launched: int, bad: int, first: str, invalid: tuple[int, str], stages: dict[str, str]
) -> tuple[str, list[str]]:
    reasons = [f"{words}: {stages[stage]}" for stage, words in _STAGES.items() if stage in stages]
    if bad:
        reasons.append(f"{bad} of {launched} launches failed, the first: {first}")
    if not launched and invalid[0]:
        return "failed", [*reasons, f"all of its {invalid[0]} launches were invalid, the first: {invalid[1]}"]
    if not launched and "deploy" not in stages:
        reasons.append("not launched yet")
    if not reasons:
        return "ok", reasons
    useless = launched == bad and (bad or "deploy" in stages)
    return "failed" if useless else "partial", reasons
