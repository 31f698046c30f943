"""The tables of a campaign with what its launches say together, and the rows that `results show` prints."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from pocketbench.harness.measure.comparison import NoiseFloor, compare, noise_floor
from pocketbench.harness.measure.statistics import Estimate, geometric_mean_interval, paired_ratio
from pocketbench.harness.store.store import Store
from pocketbench.reports.tables import CampaignTables, check_tables

__all__ = ["campaign_tables", "job_summary"]


def campaign_tables(store: Store, campaign_id: str, *, samples: bool = True) -> CampaignTables:
    """All tables of `reports/tables.py`; without `samples` that one is empty, which is faster."""
    tables = store.tables(campaign_id, samples=samples)
    estimates = _estimates(tables)
    filled = CampaignTables(
        **{name: getattr(tables, name) for name in CampaignTables.__slots__} | {"estimates": estimates}
    )
    check_tables(filled)
    return filled


def _estimates(tables: CampaignTables) -> pd.DataFrame:
    """One row per job with a good launch."""
    good = tables.launches[tables.launches["status"] == "ok"]
    medians: dict[int, dict[int, float]] = {}
    for job_id, number, median in zip(good["job_id"], good["round"], good["latency_median_ns"], strict=True):
        medians.setdefault(int(job_id), {})[int(number)] = float(median)
    confidence = float(tables.campaign["confidence"].iloc[0])
    references = {
        int(job_id): None if pd.isna(reference) else int(reference)
        for job_id, reference in zip(tables.jobs["job_id"], tables.jobs["reference_job_id"], strict=True)
    }
    ratios = {
        job_id: None
        if reference is None
        else paired_ratio(medians.get(job_id, {}), medians.get(reference, {}), confidence=confidence)
        for job_id, reference in references.items()
    }
    copies = tables.jobs.loc[tables.jobs["is_aa_copy"], "job_id"]
    floors = {references[int(copy)]: noise_floor(ratios[int(copy)]) for copy in copies}
    rows = []
    for job_id, reference in references.items():
        latency = geometric_mean_interval(list(medians.get(job_id, {}).values()), confidence=confidence)
        if latency is None:
            continue
        rows.append(
            {
                "job_id": job_id,
                "launches": latency.count,
                "latency_ns": latency.value,
                "latency_low_ns": latency.low,
                "latency_high_ns": latency.high,
                **_mean_figures(good[good["job_id"] == job_id]),
                **_ratio(ratios[job_id]),
                **_verdict(ratios[job_id], floors.get(reference), is_reference=reference == job_id),
            }
        )
    empty = tables.estimates  # has the columns and their types
    return pd.DataFrame(rows, columns=list(empty.columns)).astype(empty.dtypes.to_dict()) if rows else empty


def _mean_figures(launches: pd.DataFrame) -> dict[str, float | None]:
    """Geometric means over launches, like that of latency."""
    names = ("throughput_per_s", "last_minute_ratio")
    known = {name: launches[name].dropna() for name in names}
    return {name: float(np.exp(np.log(values).mean())) if len(values) else None for name, values in known.items()}


def _ratio(ratio: Estimate | None) -> dict[str, float | int | None]:
    if ratio is None:
        return {"ratio": None, "ratio_low": None, "ratio_high": None, "rounds_compared": 0}
    return {
        "ratio": ratio.value,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "rounds_compared": ratio.count,
    }


def _verdict(ratio: Estimate | None, floor: NoiseFloor | None, *, is_reference: bool) -> dict[str, str | None]:
    if is_reference:
        return {"verdict": None, "verdict_reason": None}
    comparison = compare(ratio, floor)
    return {"verdict": comparison.verdict, "verdict_reason": comparison.reason}


def job_summary(tables: CampaignTables) -> list[dict[str, Any]]:
    """A row per job, and one per variant that failed and so has none: texts to print, and the figures behind them."""
    jobs = tables.jobs[~tables.jobs["is_aa_copy"]]  # noise, no variant
    joined = (
        tables.variants.merge(jobs, on="variant_id", how="left", suffixes=("_variant", ""))
        .merge(tables.estimates, on="job_id", how="left")
        .merge(tables.quality, on="job_id", how="left")
        .merge(tables.engines[["engine_id", "name"]].rename(columns={"name": "engine"}), on="engine_id", how="left")
        .merge(tables.devices[["device", "preparation"]], on="device", how="left")
        .assign(scenario=tables.campaign["scenario"].iloc[0])
    )
    rows = [{key: None if pd.isna(value) else value for key, value in row.items()} for row in _rows(joined)]
    return [{**_summary(row), "opinions": _opinions(tables.opinions, row["job_id"])} for row in rows]


def _opinions(opinions: pd.DataFrame, job_id: float | None) -> list[dict[str, Any]]:
    """What each program of the user's said of a job, over its launches; the last reason where it could not."""
    own = opinions[opinions["job_id"] == job_id]
    return [_opinion(str(program), launches) for program, launches in own.groupby("program")]


def _opinion(program: str, launches: pd.DataFrame) -> dict[str, Any]:
    good = launches[launches["status"] == "ok"]
    reasons = launches.loc[launches["status"] != "ok", "reason"]
    problems = dict.fromkeys(line for text in good["problems"] for line in text.splitlines())

    def mean(column: str) -> float | None:
        known = good[column].dropna()
        return float(np.exp(np.log(known).mean())) if len(known) else None

    return {
        "program": program,
        "tool": launches["tool"].iloc[0],
        "launches": len(good),
        "latency_mean_ns": mean("latency_mean_ns"),
        "latency_median_ns": mean("latency_median_ns"),
        "problems": list(problems),
        "reason": None if len(good) or reasons.empty else reasons.iloc[-1],
    }


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _summary(row: dict[str, Any]) -> dict[str, Any]:
    latency, ratio, quality = row["latency_ns"], row["ratio"], row["value"]
    reason = row["reason"] if row["status"] is not None else row["reason_variant"]
    return {
        "variant": row["name"],
        "device": row["device"],
        "engine": row["engine"],
        "threads": None if row["threads"] is None else int(row["threads"]),
        "latency_ms": None if latency is None else f"{latency / 1e6:.4g}",
        "ratio": _ratio_text(row),
        "quality": None if quality is None else f"{quality:.4f}",
        "size_kB": None if row["size_bytes"] is None else f"{row['size_bytes'] / 1000:.1f}",
        "status": row["status"] or row["status_variant"],
        "reason": reason,
        "scenario": row["scenario"],
        "per_s": None if row["throughput_per_s"] is None else f"{row['throughput_per_s']:.4g}",
        "last_minute": None if row["last_minute_ratio"] is None else f"{row['last_minute_ratio']:.3f}×",
        "throughput_per_s": row["throughput_per_s"],
        "last_minute_ratio": row["last_minute_ratio"],
        "preparation": None if row["preparation"] is None else json.loads(row["preparation"]),
        "latency_ns": latency,
        "latency_low_ns": row["latency_low_ns"],
        "latency_high_ns": row["latency_high_ns"],
        "ratio_value": ratio,
        "ratio_low": row["ratio_low"],
        "ratio_high": row["ratio_high"],
        "quality_value": quality,
        "quality_metric": row["metric"],
        "size_bytes": None if row["size_bytes"] is None else int(row["size_bytes"]),
    }


def _ratio_text(row: dict[str, Any]) -> str | None:
    if row["is_reference"]:
        return "reference"
    if row["ratio"] is None:
        return None
    low, high = row["ratio_low"], row["ratio_high"]
    return f"{row['ratio']:.3f}×" + ("" if low is None else f" [{low:.3f}, {high:.3f}]")
