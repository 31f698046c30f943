"""What is asked of the store, as queries on an open transaction. Frames for reports are in `frames`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Column, Connection, func, select

from pocketbench.checked.errors import InputError, nearest
from pocketbench.harness.store import schema
from pocketbench.harness.store.records import StoredJob, StoredVariant

__all__ = [
    "campaign_status",
    "device_preparation",
    "evaluation_of",
    "last_of_plan",
    "list_campaigns",
    "opinion_rounds",
    "resolve_campaign",
    "start_line_of",
    "stored_jobs",
    "stored_variants",
    "unfinished_named",
]

# The identifier decides between campaigns of the same millisecond, so that `last` is the first that is listed.
_NEWEST_FIRST = (schema.campaigns.c.started_at.desc(), schema.campaigns.c.campaign_id.desc())
# How many identifiers an error lists.
_LISTED = 10


def list_campaigns(connection: Connection) -> list[dict[str, Any]]:
    """All campaigns, newest first, with the names of their devices and the number of variants and good launches."""
    c, j, n = schema.campaigns.c, schema.jobs.c, schema.launches.c
    v = schema.variants.c
    variants = select(func.count()).where(v.campaign_id == c.campaign_id).scalar_subquery()
    launches = (
        select(func.count())
        .select_from(schema.launches.join(schema.jobs, n.job_id == j.job_id))
        .where(j.campaign_id == c.campaign_id, n.status == "ok")
        .scalar_subquery()
    )
    query = select(
        c.campaign_id,
        c.name,
        c.status,
        c.started_at,
        variants.label("variants"),
        launches.label("launches"),
    ).order_by(*_NEWEST_FIRST)
    names: dict[str, list[str]] = {}
    for campaign_id, device in connection.execute(
        select(schema.devices.c.campaign_id, schema.devices.c.device).order_by(schema.devices.c.device)
    ):
        names.setdefault(campaign_id, []).append(device)
    return [
        {**row, "devices": ", ".join(names.get(row["campaign_id"], []))}
        for row in map(dict, connection.execute(query).mappings())
    ]


def campaign_status(connection: Connection, campaign_id: str) -> str:
    """What its process wrote last."""
    c = schema.campaigns.c
    status: str = connection.execute(select(c.status).where(c.campaign_id == campaign_id)).scalar_one()
    return status


def resolve_campaign(connection: Connection, text: str) -> str:
    """`last`, an identifier, or a start that only one has → the identifier; InputError with the nearest ones."""
    query = select(schema.campaigns.c.campaign_id).order_by(*_NEWEST_FIRST)
    known: list[str] = list(connection.execute(query).scalars())
    if not known:
        raise InputError(
            f"expected a campaign, got {text!r} while the store has none yet: run `pocketbench demo` or "
            "`pocketbench run` first."
        )
    if text == "last":
        return known[0]
    if text in known:
        return text
    matching = [name for name in known if text and name.startswith(text)]
    if not matching:
        raise InputError(
            f"expected the identifier of a campaign or `last`, got {text!r}; {nearest(text, known[:_LISTED])} "
            "(`pocketbench results list` shows all)."
        )
    if len(matching) > 1:
        raise InputError(
            f"expected the start of one campaign's identifier, got {text!r}, which {len(matching)} have: give more of "
            f"it, as in {', '.join(matching[:_LISTED])}."
        )
    return matching[0]


def last_of_plan(connection: Connection, plan_sha256: str) -> tuple[str, bool] | None:
    """The last campaign of a plan, and whether it is finished."""
    c = schema.campaigns.c
    query = select(c.campaign_id, c.status).where(c.plan_sha256 == plan_sha256).order_by(*_NEWEST_FIRST).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.campaign_id, row.status == "finished")


def unfinished_named(connection: Connection, name: str) -> str | None:
    """The last campaign of that name that is not finished."""
    c = schema.campaigns.c
    query = select(c.campaign_id).where(c.name == name, c.status != "finished").order_by(*_NEWEST_FIRST).limit(1)
    return connection.execute(query).scalar_one_or_none()


def evaluation_of(connection: Connection, campaign_id: str) -> str | None:
    """Hash of the evaluation data and metric that the campaign was begun with."""
    c = schema.campaigns.c
    query = select(c.evaluation_sha256).where(c.campaign_id == campaign_id)
    sha256: str | None = connection.execute(query).scalar_one()
    return sha256


def device_preparation(connection: Connection, campaign_id: str, device: str) -> str | None:
    """What the device was prepared with so far, as it was written."""
    c = schema.devices.c
    query = select(c.preparation).where(c.campaign_id == campaign_id, c.device == device)
    text: str | None = connection.execute(query).scalar_one()
    return text


def opinion_rounds(connection: Connection, job_id: int, program: str) -> frozenset[int]:
    """The rounds in which a benchmark program was launched on a job's file, whatever it said."""
    c = schema.opinions.c
    query = select(c.round).where(c.job_id == job_id, c.program == program, c.status != "lost")
    return frozenset(connection.execute(query).scalars())


def start_line_of(connection: Connection, campaign_id: str, device: str) -> float | None:
    """The temperature that launches on the device start at, as the campaign found it when it began."""
    c = schema.devices.c
    query = select(c.start_line_c).where(c.campaign_id == campaign_id, c.device == device)
    celsius: float | None = connection.execute(query).scalar_one()
    return celsius


def stored_variants(connection: Connection, campaign_id: str) -> list[StoredVariant]:
    """The variants of a campaign in the order they were added."""
    c = schema.variants.c
    query = select(c.variant_id, c.name, c.source, c.sha256, c.status).where(c.campaign_id == campaign_id)
    return [StoredVariant(*row) for row in connection.execute(query.order_by(c.variant_id))]


def stored_jobs(connection: Connection, campaign_id: str) -> list[StoredJob]:
    """The jobs of a campaign with what is there of each."""
    j, v = schema.jobs.c, schema.variants.c
    query = (
        select(
            *(j.job_id, j.key, v.name, j.device, j.threads, j.cores, j.engine_id, j.accelerator),
            *(j.reference_job_id, j.is_aa_copy),
        )
        .select_from(schema.jobs.join(schema.variants, j.variant_id == v.variant_id))
        .where(j.campaign_id == campaign_id)
        .order_by(j.job_id)
    )
    own_jobs = select(j.job_id).where(j.campaign_id == campaign_id)

    def taken(column: Column[int]) -> set[int]:
        return set(connection.execute(select(column).where(column.in_(own_jobs)).distinct()).scalars())

    rounds: dict[int, set[int]] = {}
    medians: dict[int, dict[int, float]] = {}
    counts: Counter[int] = Counter()
    n = schema.launches.c
    launched = select(n.job_id, n.round, n.status, n.latency_median_ns).where(
        n.job_id.in_(own_jobs), n.status != "lost"
    )
    for job_id, number, status, median in connection.execute(launched):
        counts[job_id] += 1
        if status != "invalid":
            rounds.setdefault(job_id, set()).add(number)
        if status == "ok":
            medians.setdefault(job_id, {})[number] = median
    with_memory, with_quality = taken(schema.memory_stages.c.job_id), taken(schema.quality.c.job_id)
    with_profile = taken(schema.operators.c.job_id)
    rows = connection.execute(query).all()
    keys = {row.job_id: row.key for row in rows}
    return [
        StoredJob(
            job_id=job_id,
            key=key,
            variant=variant,
            device=device,
            threads=threads,
            cores=None if cores is None else tuple(map(int, cores.split(","))),
            engine_id=engine_id,
            accelerator=accelerator,
            reference=keys.get(reference),
            is_aa_copy=is_aa_copy,
            rounds=frozenset(rounds.get(job_id, ())),
            launches=counts[job_id],
            medians=medians.get(job_id, {}),
            has_memory=job_id in with_memory,
            has_quality=job_id in with_quality,
            has_profile=job_id in with_profile,
        )
        for job_id, key, variant, device, threads, cores, engine_id, accelerator, reference, is_aa_copy in rows
    ]
