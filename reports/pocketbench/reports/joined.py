"""Join the tables of a campaign: each job with its variant, engine, estimate, quality and memory."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any

import pandas as pd

from pocketbench.reports.campaign import Campaign, Engine, Interval, Job, Quality, Variant
from pocketbench.reports.flags import flags_by_job
from pocketbench.reports.operators import Profile, profiles
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.values import count, flag, identifier, number, text

__all__ = ["read_campaign"]

Row = dict[Hashable, Any]


def read_campaign(tables: CampaignTables) -> Campaign:
    """Join the tables; a row that refers to nothing keeps its identifier as its name."""
    row = tables.campaign.iloc[0]
    variants = {_key(r["variant_id"]): _variant(r) for r in _rows(tables.variants)}
    engines = {_key(r["engine_id"]): _engine(r) for r in _rows(tables.engines)}
    estimates = {_key(r["job_id"]): r for r in _rows(tables.estimates)}
    qualities = {_key(r["job_id"]): _quality(r) for r in _rows(tables.quality)}
    launches = tables.launches[tables.launches["status"] == "ok"]
    peaks, colds, flags = _peaks(tables, launches), _cold_starts(launches), flags_by_job(launches)
    fallen_back, profiled = _fallen_back(launches), profiles(tables)
    jobs: list[Job] = []
    copies: list[Job] = []
    for r in _rows(tables.jobs):
        job_id, variant_id, engine_id = _key(r["job_id"]), _key(r["variant_id"]), identifier(r["engine_id"])
        estimate = estimates.get(job_id, {})
        (copies if flag(r["is_aa_copy"]) else jobs).append(
            Job(
                job_id=job_id,
                variant=variants.get(variant_id) or _unknown_variant(variant_id),
                device=_key(r["device"]),
                engine=None if engine_id is None else engines.get(engine_id, Engine(engine_id, None)),
                accelerator=text(r["accelerator"]),
                threads=count(r["threads"]),
                cores=text(r["cores"]),
                is_reference=bool(flag(r["is_reference"])),
                reference_job_id=identifier(r["reference_job_id"]),
                status=text(r["status"]) or "failed",
                reason=text(r["reason"]),
                launches=count(estimate.get("launches")) or 0,
                latency=_positive(_interval(estimate, "latency_ns", "latency_low_ns", "latency_high_ns")),
                ratio=_positive(_interval(estimate, "ratio", "ratio_low", "ratio_high")),
                rounds_compared=count(estimate.get("rounds_compared")) or 0,
                verdict=text(estimate.get("verdict")),
                verdict_reason=text(estimate.get("verdict_reason")),
                quality=qualities.get(job_id),
                peak_memory_bytes=peaks.get(job_id),
                cold_start_ns=colds.get(job_id),
                flags=flags.get(job_id, ()),
                falls_back=job_id in fallen_back or _profile_falls_back(profiled.get(job_id), text(r["accelerator"])),
            )
        )
    named = [_key(device) for device in tables.devices["device"]]
    return Campaign(
        name=text(row["name"]) or _key(row["campaign_id"]),
        status=text(row["status"]) or "interrupted",
        rounds_planned=count(row["rounds_planned"]),
        rounds_done=count(row["rounds_done"]),
        quality_metric=text(row["quality_metric"]),
        devices=tuple(dict.fromkeys([*named, *(job.device for job in jobs)])),
        variants=tuple(variants.values()),
        jobs=tuple(jobs),
        copies=tuple(copies),
        regime=text(row["regime"]),
        scenario=text(row["scenario"]),
        precision=number(row["precision"]),
        budget_s=number(row["budget_s"]),
        confidence=_confidence(number(row["confidence"])),
        lost_launches=int((tables.launches["status"] == "lost").sum()),
        invalid_launches=int((tables.launches["status"] == "invalid").sum()),
    )


def _confidence(nominal: float | None) -> float:
    return nominal if nominal is not None and 0.5 <= nominal < 1 else 0.95


def _rows(frame: pd.DataFrame) -> list[Row]:
    return frame.to_dict(orient="records")


def _key(cell: Any) -> str:
    return identifier(cell) or "unnamed"


def _interval(row: Row, value: str, low: str, high: str) -> Interval | None:
    centre, lower, upper = (number(row.get(column)) for column in (value, low, high))
    if centre is None:
        return None
    return Interval(centre, lower, upper) if lower is not None and upper is not None else Interval(centre, None, None)


def _positive(interval: Interval | None) -> Interval | None:
    """A time or a ratio of times; one that is not above 0 is a fault of whoever wrote it, and says nothing."""
    return interval if interval and interval.value > 0 and (interval.low is None or interval.low > 0) else None


def _engine(row: Row) -> Engine:
    return Engine(text(row["name"]) or _key(row["engine_id"]), text(row["version"]))


def _variant(row: Row) -> Variant:
    return Variant(
        variant_id=_key(row["variant_id"]),
        name=text(row["name"]) or _key(row["variant_id"]),
        format=text(row["format"]),
        recipe=text(row["recipe"]),
        role=text(row["role"]),
        control=text(row["control"]),
        size_bytes=count(row["size_bytes"]),
        size_gzip_bytes=count(row["size_gzip_bytes"]),
        parameters=count(row["parameters"]),
        ok=text(row["status"]) == "ok",
        reason=text(row["reason"]),
        warnings=tuple(line.strip() for line in (text(row["warnings"]) or "").splitlines() if line.strip()),
        steps=_steps(text(row["steps"])),
        sqnr_db=number(row["sqnr_db"]),
        host_quality=number(row["host_quality"]),
    )


def _unknown_variant(variant_id: str) -> Variant:
    nothing: dict[str, Any] = dict.fromkeys(("format", "recipe", "role", "control", "reason", "sqnr_db"))
    sizes: dict[str, Any] = dict.fromkeys(("size_bytes", "size_gzip_bytes", "parameters", "host_quality"))
    return Variant(variant_id=variant_id, name=variant_id, ok=True, warnings=(), steps=(), **nothing, **sizes)


def _steps(report: str | None) -> tuple[dict[str, Any], ...]:
    try:
        steps = json.loads(report or "[]")
    except (ValueError, RecursionError):
        return ()
    return tuple(step for step in steps if isinstance(step, dict)) if isinstance(steps, list) else ()


def _quality(row: Row) -> Quality | None:
    interval, higher_is_better = _interval(row, "value", "low", "high"), flag(row["higher_is_better"])
    if interval is None or higher_is_better is None:
        return None
    return Quality(text(row["metric"]) or "quality", interval, higher_is_better, count(row["samples"]))


def _peaks(tables: CampaignTables, launches: pd.DataFrame) -> dict[str, float]:
    """Peak resident memory in bytes by job: of the memory launches where there were any, else of the others."""
    memory = _floats(tables.memory["peak_resident_bytes"]).groupby(tables.memory["job_id"]).max()
    launch = _floats(launches["peak_memory_bytes"]).groupby(launches["job_id"]).median()
    return {_key(job): float(value) for grouped in (launch, memory) for job, value in grouped.dropna().items()}


def _cold_starts(launches: pd.DataFrame) -> dict[str, float]:
    """Median over launches of engine load, model init and first inference together, in ns, by job.

    Of the launches with the page cache in the state that is the most frequent: another one is another question.
    """
    states = launches["page_cache"].astype("object").where(launches["page_cache"].notna(), "not known")
    if len(states):
        launches = launches[states == states.mode().iloc[0]]
    parts = launches[["engine_load_ns", "model_init_ns", "first_inference_ns"]].apply(_floats)
    medians = parts.sum(axis=1, skipna=False).groupby(launches["job_id"]).median()
    return {_key(job): float(value) for job, value in medians.dropna().items()}


def _fallen_back(launches: pd.DataFrame) -> set[str]:
    """Jobs with a launch that did not wholly run on its accelerator."""
    partly = [flag(cell) is False for cell in launches["fully_accelerated"]]
    return {_key(job) for job in launches.loc[partly, "job_id"]}


def _profile_falls_back(profile: Profile | None, accelerator: str | None) -> bool:
    """ONNX Runtime does not say before it runs, but its profile does."""
    return profile is not None and accelerator not in (None, "cpu") and bool(profile.fallback_share(accelerator))


def _floats(column: pd.Series[Any]) -> pd.Series[float]:
    return pd.to_numeric(column, errors="coerce").astype("float64").replace([float("inf"), float("-inf")], float("nan"))
