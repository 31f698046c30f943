"""The tables that reports are made from (reports/tables.py documents them), read from the store.

`estimates` is left empty: it is statistics, which stand on a higher floor (`harness.campaign.tables` fills it).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import BigInteger, Boolean, Column, Connection, Float, Integer, Select, Table, select

from pocketbench.harness.store import schema
from pocketbench.harness.store.blobs import Blobs
from pocketbench.harness.store.job_status import job_status
from pocketbench.harness.store.samples import decode_samples
from pocketbench.reports.tables import COLUMNS, CampaignTables

__all__ = ["campaign_frames"]

_KIND = pd.CategoricalDtype(["warmup", "steady"])
# What the reports' tables are made of, where a column has another name or place there.
_ESTIMATE_TYPES = {"job_id": "int64", "launches": "int64", "rounds_compared": "int64"}


def campaign_frames(connection: Connection, blobs: Blobs, campaign_id: str, *, samples: bool) -> CampaignTables:
    """All tables of a campaign; without `samples` that table is empty, which saves reading its files."""
    jobs_of = select(schema.jobs.c.job_id).where(schema.jobs.c.campaign_id == campaign_id)
    own = {
        table.name: select(table).where(table.c.campaign_id == campaign_id)
        for table in (schema.campaigns, schema.devices, schema.variants, schema.jobs)
    } | {
        table.name: select(table).where(table.c.job_id.in_(jobs_of))
        for table in (schema.launches, schema.memory_stages, schema.quality, schema.job_failures)
    }
    variants = _frame(connection, own["variants"].order_by(schema.variants.c.variant_id), schema.variants)
    jobs = _frame(connection, own["jobs"].order_by(schema.jobs.c.job_id), schema.jobs)
    order = (schema.launches.c.round, schema.launches.c.launch_id)
    launches = _frame(connection, own["launches"].order_by(*order), schema.launches)
    failures = _frame(connection, own["job_failures"], schema.job_failures)
    memory = _frame(
        connection,
        own["memory_stages"].order_by(schema.memory_stages.c.job_id, schema.memory_stages.c.position),
        schema.memory_stages,
    )
    campaign = _frame(connection, own["campaigns"], schema.campaigns)
    campaign["rounds_done"] = _rounds_done(jobs, launches, failures)
    engines = _frame(
        connection,
        select(schema.engines).where(
            schema.engines.c.engine_id.in_(
                select(schema.jobs.c.engine_id).where(schema.jobs.c.campaign_id == campaign_id)
            )
        ),
        schema.engines,
    )
    status, reason = job_status(jobs, launches, failures)
    return CampaignTables(
        campaign=campaign[list(COLUMNS["campaign"])],
        devices=_frame(connection, own["devices"], schema.devices)[list(COLUMNS["devices"])],
        engines=engines[list(COLUMNS["engines"])],
        variants=variants[list(COLUMNS["variants"])],
        jobs=jobs.assign(status=status, reason=reason)[list(COLUMNS["jobs"])],
        launches=launches[list(COLUMNS["launches"])],
        samples=_samples(blobs, launches if samples else launches.iloc[:0]),
        memory=memory[list(COLUMNS["memory"])],
        quality=_frame(connection, own["quality"], schema.quality)[list(COLUMNS["quality"])],
        estimates=pd.DataFrame(
            {name: pd.Series(dtype=_ESTIMATE_TYPES.get(name, "float64")) for name in COLUMNS["estimates"]}
        ),
    )


def _frame(connection: Connection, query: Select[Any], table: Table) -> pd.DataFrame:
    rows = connection.execute(query).all()
    columns = zip(*rows, strict=True) if rows else ([] for _ in table.columns)
    return pd.DataFrame(
        {
            column.name: pd.Series(list(values), dtype=_dtype(column))
            for column, values in zip(table.columns, columns, strict=True)
        }
    )


def _dtype(column: Column[Any]) -> str:
    """Nullable types where a value may be missing, so that a count stays a count beside a missing one."""
    if isinstance(column.type, Boolean):
        return "boolean" if column.nullable else "bool"
    if isinstance(column.type, Float):
        return "float64"
    if isinstance(column.type, Integer | BigInteger):
        return "Int64" if column.nullable else "int64"
    return "str"


def _rounds_done(jobs: pd.DataFrame, launches: pd.DataFrame, failures: pd.DataFrame) -> int:
    """Rounds in which every job was launched that could be deployed."""
    not_deployed = set(failures.loc[failures["stage"] == "deploy", "job_id"])
    expected = set(jobs["job_id"]) - not_deployed
    if not expected:
        return 0
    counted = launches[launches["job_id"].isin(expected)].groupby("round")["job_id"].nunique()
    return int((counted == len(expected)).sum())


def _samples(blobs: Blobs, launches: pd.DataFrame) -> pd.DataFrame:
    parts = [
        (int(launch_id), decode_samples(blobs.get(sha256, ".parquet"))) for launch_id, sha256 in _with_samples(launches)
    ]
    lengths = [len(samples) for _, samples in parts]
    steady = _joined((samples["steady"] for _, samples in parts), np.bool_)
    return pd.DataFrame(
        {
            "launch_id": np.repeat(np.array([number for number, _ in parts], np.int64), lengths),
            "iteration": _joined((np.arange(length) for length in lengths), np.int64),
            # Categories: a million iterations with a text each would take 60 MB.
            "kind": pd.Categorical.from_codes(steady.astype(np.int8).tolist(), dtype=_KIND),
            "start_ns": _joined((samples["start_ns"] for _, samples in parts), np.int64),
            "latency_ns": _joined((samples["latency_ns"] for _, samples in parts), np.int64),
        }
    )


def _with_samples(launches: pd.DataFrame) -> Iterable[tuple[int, str]]:
    known = launches[launches["samples_sha256"].notna()]
    return zip(known["launch_id"], known["samples_sha256"], strict=True)


def _joined(arrays: Iterable[np.ndarray[Any, Any]], dtype: type) -> np.ndarray[Any, Any]:
    return np.concatenate([np.empty(0, dtype), *arrays])
