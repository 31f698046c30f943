"""What a campaign writes, as statements on an open transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_ignore

from pocketbench.harness.store import schema
from pocketbench.harness.store.records import (
    CampaignRecord,
    CampaignStatus,
    DeviceRecord,
    EnergyRecord,
    EngineRecord,
    FailureStage,
    IdleRecord,
    JobRecord,
    LaunchRecord,
    MemoryStageRecord,
    OperatorRecord,
    OpinionRecord,
    QualityRecord,
    VariantRecord,
)

__all__ = [
    "add_campaign",
    "add_idle",
    "add_launch",
    "add_opinion",
    "clear_failure",
    "now",
    "plan_hash",
    "set_device",
    "set_energies",
    "set_engine",
    "set_facts",
    "set_failure",
    "set_memory",
    "set_operators",
    "set_quality",
    "set_status",
]


def now() -> str:
    """This instant as the store writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plan_hash(plan: str) -> str:
    """What two plans are compared by."""
    return hashlib.sha256(plan.encode()).hexdigest()


def add_campaign(
    connection: Connection,
    campaign: CampaignRecord,
    devices: Iterable[DeviceRecord],
    variants: Sequence[VariantRecord],
    jobs: Sequence[JobRecord],
) -> None:
    """A campaign with all that it is going to do, as running."""
    values = {
        **asdict(campaign),
        "versions": json.dumps(dict(campaign.versions), sort_keys=True),
        "status": "running",
        "plan_sha256": plan_hash(campaign.plan),
    }
    connection.execute(insert(schema.campaigns).values(values))
    own = {"campaign_id": campaign.campaign_id}
    for device in devices:
        connection.execute(insert(schema.devices).values(own | asdict(device)))
    for variant in variants:
        connection.execute(insert(schema.variants).values(own | asdict(variant)))
    _add_jobs(connection, campaign.campaign_id, jobs)


def _add_jobs(connection: Connection, campaign_id: str, jobs: Sequence[JobRecord]) -> None:
    table = schema.variants
    query = select(table.c.name, table.c.variant_id).where(table.c.campaign_id == campaign_id)
    variant_ids: dict[str, int] = {row.name: row.variant_id for row in connection.execute(query)}
    job_ids: dict[str, int] = {}
    for job in jobs:
        row = asdict(job)
        row["variant_id"] = variant_ids[row.pop("variant")]
        del row["reference"]
        result = connection.execute(insert(schema.jobs).values(campaign_id=campaign_id, **row))
        assert result.inserted_primary_key is not None  # one row, one key
        job_ids[job.key] = result.inserted_primary_key[0]
    for job in jobs:
        if job.reference is not None:
            _update_job(connection, job_ids[job.key], reference_job_id=job_ids[job.reference])


def set_status(connection: Connection, campaign_id: str, status: CampaignStatus) -> None:
    """`finished` also sets the instant, anything else takes it back."""
    finished_at = now() if status == "finished" else None
    connection.execute(
        update(schema.campaigns)
        .where(schema.campaigns.c.campaign_id == campaign_id)
        .values(status=status, finished_at=finished_at)
    )


def set_facts(connection: Connection, campaign_id: str, device: str, facts: Mapping[str, object]) -> None:
    """What a device says of itself, unless it is there: a resumed campaign began under the first conditions."""
    table = schema.devices
    own = (table.c.campaign_id == campaign_id, table.c.device == device)
    unknown = (table.c[name].is_(None) for name in facts)
    connection.execute(update(table).where(*own, *unknown).values(dict(facts)))


def set_engine(connection: Connection, job_id: int, engine: EngineRecord) -> None:
    """The engine build that a job runs on."""
    connection.execute(insert_or_ignore(schema.engines).values(asdict(engine)).on_conflict_do_nothing())
    _update_job(connection, job_id, engine_id=engine.engine_id)


def set_failure(connection: Connection, job_id: int, stage: FailureStage, reason: str) -> None:
    """Why a stage of a job failed, in place of an earlier reason."""
    clear_failure(connection, job_id, stage)
    connection.execute(insert(schema.job_failures).values(job_id=job_id, stage=stage, reason=reason, failed_at=now()))


def clear_failure(connection: Connection, job_id: int, stage: FailureStage) -> None:
    """A stage that failed before the campaign was resumed has passed."""
    table = schema.job_failures
    connection.execute(delete(table).where(table.c.job_id == job_id, table.c.stage == stage))


def set_device(connection: Connection, campaign_id: str, device: str, values: Mapping[str, object]) -> None:
    """What a campaign found out about a device, by the names of the columns, in place of what it was before."""
    table = schema.devices
    own = (table.c.campaign_id == campaign_id, table.c.device == device)
    connection.execute(update(table).where(*own).values(dict(values)))


def add_idle(connection: Connection, idle: IdleRecord, traces_sha256: str | None) -> None:
    """An idle baseline, in place of one that an interrupted campaign took for the same round."""
    c = schema.idle_launches.c
    own = (c.campaign_id == idle.campaign_id, c.device == idle.device, c.round == idle.round, c.sensor == idle.sensor)
    connection.execute(delete(schema.idle_launches).where(*own))
    connection.execute(insert(schema.idle_launches).values(traces_sha256=traces_sha256, **asdict(idle)))


def set_energies(connection: Connection, launch_id: int, energies: Sequence[EnergyRecord]) -> None:
    """The energies of a launch by all sensors of power, in place of earlier ones."""
    connection.execute(delete(schema.energies).where(schema.energies.c.launch_id == launch_id))
    for energy in energies:
        connection.execute(insert(schema.energies).values(launch_id=launch_id, **asdict(energy)))


def set_operators(connection: Connection, job_id: int, operators: Sequence[OperatorRecord]) -> None:
    """The operators of a job's profile launch, in place of earlier ones."""
    connection.execute(delete(schema.operators).where(schema.operators.c.job_id == job_id))
    for operator in operators:
        connection.execute(insert(schema.operators).values(job_id=job_id, **asdict(operator)))
    clear_failure(connection, job_id, "profile")


def add_launch(
    connection: Connection, launch: LaunchRecord, samples_sha256: str | None, traces_sha256: str | None
) -> int:
    """A launch, whose samples and traces are on disk already, after earlier attempts at it; its identifier."""
    c = schema.launches.c
    earlier = select(func.count()).where(c.job_id == launch.job_id, c.round == launch.round)
    files = {"samples_sha256": samples_sha256, "traces_sha256": traces_sha256}
    values = {"attempt": connection.execute(earlier).scalar_one(), **files, **asdict(launch)}
    result = connection.execute(insert(schema.launches).values(values))
    assert result.inserted_primary_key is not None  # one row, one key
    return int(result.inserted_primary_key[0])


def add_opinion(connection: Connection, opinion: OpinionRecord) -> None:
    """What a benchmark program said in one launch."""
    connection.execute(insert(schema.opinions).values(asdict(opinion)))


def set_memory(connection: Connection, job_id: int, stages: Sequence[MemoryStageRecord]) -> None:
    """The stages of a job's memory launch, in place of earlier ones."""
    connection.execute(delete(schema.memory_stages).where(schema.memory_stages.c.job_id == job_id))
    for position, stage in enumerate(stages):
        connection.execute(insert(schema.memory_stages).values(job_id=job_id, position=position, **asdict(stage)))
    clear_failure(connection, job_id, "memory")


def set_quality(connection: Connection, job_id: int, quality: QualityRecord, outputs_sha256: str | None) -> None:
    """The quality of a job's file, in place of an earlier one."""
    connection.execute(delete(schema.quality).where(schema.quality.c.job_id == job_id))
    connection.execute(insert(schema.quality).values(job_id=job_id, outputs_sha256=outputs_sha256, **asdict(quality)))
    clear_failure(connection, job_id, "quality")


def _update_job(connection: Connection, job_id: int, **values: object) -> None:
    connection.execute(update(schema.jobs).where(schema.jobs.c.job_id == job_id).values(values))
