"""What each job of a campaign was measured under, from its tables."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import yaml
from pydantic import BaseModel

from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.comparing.conditions import Facts
from pocketbench.harness.comparing.power import power_states
from pocketbench.reports.campaign import Campaign
from pocketbench.reports.joined import read_campaign
from pocketbench.reports.sensors import sensor_facts
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.values import identifier, number, text

__all__ = ["Measured", "read_measured"]

_TEXTS = ("address", "model", "cpu", "architecture", "os", "kernel", "cpu_features", "governor")
_NUMBERS = ("cores", "memory_bytes", "start_line_c")
# Keys of a plan that are in the tables, or that do not change what a launch measures.
_ELSEWHERE = {
    *("version", "name", "model", "variants", "recipes", "formats", "data", "devices", "threads", "cores"),
    *("reference", "accelerators", "require_accelerator", "regime", "rounds", "precision", "budget_s", "aa_copy"),
    *("sensors", "energy", "profile", "seed", "time_limit_s"),
}
Row = dict[Hashable, Any]


@dataclass(frozen=True, slots=True)
class Measured:
    """A campaign with what each of its jobs was measured under (`facts`, by job).

    `evaluation` is the hash of the evaluation data with its metric and the variants' names, None without.
    """

    campaign_id: str
    started_at: str | None
    campaign: Campaign
    facts: Mapping[str, Facts]
    evaluation: str | None


def read_measured(tables: CampaignTables, evaluation: str | None) -> Measured:
    """From the tables of one campaign; `traces` may be empty, then the state of power is not known."""
    row = tables.campaign.iloc[0].to_dict()
    campaign = {
        "regime": text(row["regime"]),
        "pocketbench_version": text(row["pocketbench_version"]),
        **_plan_facts(text(row["plan"])),
    }
    devices = _device_facts(tables)
    variants = _by(tables.variants, "variant_id")
    jobs = _by(tables.jobs, "job_id")
    metrics = _by(tables.quality, "job_id")
    facts: dict[str, Facts] = {}
    for job_id, job in jobs.items():
        device = identifier(job["device"]) or "unnamed"
        variant = variants.get(identifier(job["variant_id"]) or "", {})
        quality = metrics.get(job_id, {})
        facts[job_id] = {
            **campaign,
            **devices.get(device, {"device": device}),
            **_reference_facts(jobs.get(identifier(job["reference_job_id"]) or ""), variants),
            "threads": number(job["threads"]),
            "cores": text(job["cores"]) or "not pinned",
            "accelerator": text(job["accelerator"]),
            "engine_id": identifier(job["engine_id"]),
            "variant.sha256": text(variant.get("sha256")),
            "quality.metric": text(quality.get("metric")),
            "quality.samples": number(quality.get("samples")),
        }
    return Measured(
        campaign_id=identifier(row["campaign_id"]) or "unnamed",
        started_at=text(row["started_at"]),
        campaign=read_campaign(tables),
        facts=facts,
        evaluation=evaluation,
    )


def _reference_facts(reference: Row | None, variants: Mapping[str, Row]) -> Facts:
    if reference is None:
        return {}
    variant = variants.get(identifier(reference["variant_id"]) or "", {})
    return {
        "reference": text(variant.get("name")),
        "reference.sha256": text(variant.get("sha256")),
        "reference.accelerator": text(reference["accelerator"]),
        "reference.engine_id": identifier(reference["engine_id"]),
    }


def _device_facts(tables: CampaignTables) -> dict[str, Facts]:
    power = power_states(tables)
    found: dict[str, Facts] = {}
    for name, row in _by(tables.devices, "device").items():
        sensed = sorted({fact.name for fact in sensor_facts(text(row["sensors"])) if fact.is_sensed})
        found[name] = {
            "device": name,
            **{f"device.{column}": text(row[column]) for column in _TEXTS},
            **{f"device.{column}": number(row[column]) for column in _NUMBERS},
            "device.sensors": None if text(row["sensors"]) is None else ", ".join(sensed) or "none",
            "device.power": power.get(name),
        }
    return found


def _plan_facts(plan: str | None) -> Facts:
    """What the plan says of launches, and keys of it that nobody has sorted yet; defaults where it is older.

    The keys of `launch` and `scenario` are called `launch.iterations`, those of the plan itself `plan.prepare`.
    """
    try:
        values = yaml.safe_load(plan or "")
    except (yaml.YAMLError, RecursionError):
        return {}
    if not isinstance(values, dict):
        return {}
    defaults = {name: _default(field.default) for name, field in Plan.model_fields.items()}
    facts: dict[str, str | float] = {}
    for key, value in (defaults | values).items():
        if key in _ELSEWHERE:
            continue
        default = defaults.get(key)
        if isinstance(value, dict):
            parts = (default if isinstance(default, dict) else {}) | value
            facts |= {f"{key}.{name}": _fact(part) for name, part in parts.items()}
        else:
            facts[f"plan.{key}"] = _fact(value)
    return facts


def _default(value: object) -> object:
    """As it would stand in a plan."""
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _fact(value: object) -> str | float:
    if value is None:
        return "default"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _by(frame: pd.DataFrame, column: str) -> dict[str, Row]:
    return {identifier(row[column]) or "unnamed": row for row in frame.to_dict(orient="records")}
