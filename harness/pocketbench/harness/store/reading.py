"""What is asked of the store, as queries on an open transaction. Frames for reports are in `frames`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from pocketbench.checked.errors import InputError, nearest
from pocketbench.harness.store import schema
from pocketbench.harness.store.records import StoredJob, StoredVariant

__all__ = [
    "list_campaigns",
    "resolve_campaign",
    "stored_jobs",
    "stored_variants",
    "unfinished",
    "unfinished_named",
]


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
    ).order_by(c.started_at.desc(), c.campaign_id.desc())
    names: dict[str, list[str]] = {}
    for campaign_id, device in connection.execute(
        select(schema.devices.c.campaign_id, schema.devices.c.device).order_by(schema.devices.c.device)
    ):
        names.setdefault(campaign_id, []).append(device)
    return [
        {**row, "devices": ", ".join(names.get(row["campaign_id"], []))}
        for row in map(dict, connection.execute(query).mappings())
    ]


def resolve_campaign(connection: Connection, text: str) -> str:
    """`last`, an identifier, or a start that only one has → the identifier; InputError with the nearest ones."""
    c = schema.campaigns.c
    known: list[str] = list(connection.execute(select(c.campaign_id).order_by(c.started_at.desc())).scalars())
    if not known:
        raise InputError("expected a campaign in the store, got none yet: run `pocketbench demo` or `pocketbench run`.")
    if text == "last":
        return known[0]
    matching = [name for name in known if name == text] or [name for name in known if text and name.startswith(text)]
    if len(matching) != 1:
        raise InputError(f"expected the identifier of one campaign or `last`, got {text!r}; {nearest(text, known)}.")
    return matching[0]


def unfinished(connection: Connection, plan_sha256: str) -> str | None:
    """The last campaign of a plan that is not finished."""
    c = schema.campaigns.c
    query = select(c.campaign_id).where(c.plan_sha256 == plan_sha256, c.status != "finished")
    return connection.execute(query.order_by(c.started_at.desc()).limit(1)).scalar_one_or_none()


def unfinished_named(connection: Connection, name: str) -> str | None:
    """The last campaign of that name that is not finished."""
    c = schema.campaigns.c
    query = select(c.campaign_id).where(c.name == name, c.status != "finished")
    return connection.execute(query.order_by(c.started_at.desc()).limit(1)).scalar_one_or_none()


def stored_variants(connection: Connection, campaign_id: str) -> list[StoredVariant]:
    """The variants of a campaign in the order they were added."""
    c = schema.variants.c
    query = select(c.variant_id, c.name, c.source, c.sha256, c.status).where(c.campaign_id == campaign_id)
    return [StoredVariant(*row) for row in connection.execute(query.order_by(c.variant_id))]


def stored_jobs(connection: Connection, campaign_id: str) -> list[StoredJob]:
    """The jobs of a campaign with what is there of each."""
    j, v = schema.jobs.c, schema.variants.c
    query = (
        select(j.job_id, j.key, v.name, j.device, j.threads, j.cores)
        .select_from(schema.jobs.join(schema.variants, j.variant_id == v.variant_id))
        .where(j.campaign_id == campaign_id)
        .order_by(j.job_id)
    )
    rounds: dict[int, set[int]] = {}
    n = schema.launches.c
    own_jobs = select(j.job_id).where(j.campaign_id == campaign_id)
    for job_id, number in connection.execute(select(n.job_id, n.round).where(n.job_id.in_(own_jobs))):
        rounds.setdefault(job_id, set()).add(number)
    with_memory = set(connection.execute(select(schema.memory_stages.c.job_id)).scalars())
    with_quality = set(connection.execute(select(schema.quality.c.job_id)).scalars())
    return [
        StoredJob(
            job_id=job_id,
            key=key,
            variant=variant,
            device=device,
            threads=threads,
            cores=None if cores is None else tuple(map(int, cores.split(","))),
            rounds=frozenset(rounds.get(job_id, ())),
            has_memory=job_id in with_memory,
            has_quality=job_id in with_quality,
        )
        for job_id, key, variant, device, threads, cores in connection.execute(query)
    ]
