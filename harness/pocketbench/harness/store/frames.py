"""The tables that reports are made from (reports/tables.py documents them), read from the store.

`estimates` is left empty: it is statistics, which stand on a higher floor (`harness.campaign.tables` fills it).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Boolean, Column, ColumnElement, Connection, Float, Integer, Table, select

from pocketbench.harness.store import schema
from pocketbench.harness.store.blobs import Blobs
from pocketbench.harness.store.job_status import job_status
from pocketbench.harness.store.samples import decode_samples, decode_traces
from pocketbench.reports.tables import COLUMNS, CampaignTables

__all__ = ["campaign_frames"]

_KIND = pd.CategoricalDtype(["warmup", "steady"])
# Of the columns of `estimates`; the others may be missing and are fractions.
_ESTIMATE_TYPES = {
    "job_id": "int64",
    "launches": "int64",
    "rounds_compared": "int64",
    "verdict": "str",
    "verdict_reason": "str",
}


def campaign_frames(connection: Connection, blobs: Blobs, campaign_id: str, *, samples: bool) -> CampaignTables:
    """All tables of a campaign; without `samples` that table is empty, which saves reading its files."""
    jobs_of = select(schema.jobs.c.job_id).where(schema.jobs.c.campaign_id == campaign_id)

    def own(table: Table, *order: Column[Any]) -> pd.DataFrame:
        ours = table.c.campaign_id == campaign_id if "campaign_id" in table.c else table.c.job_id.in_(jobs_of)
        return _frame(connection, table, ours, order or tuple(table.primary_key))

    jobs = own(schema.jobs)
    launches = own(schema.launches, schema.launches.c.round, schema.launches.c.launch_id)
    ended = launches[launches["status"].isin(["ok", "failed"])]
    status, reason = job_status(jobs, launches[launches["status"] != "lost"], own(schema.job_failures))
    jobs = jobs.assign(status=status, reason=reason)
    engines_of = select(schema.jobs.c.engine_id).where(schema.jobs.c.campaign_id == campaign_id)
    frames = {
        "campaign": own(schema.campaigns).assign(rounds_done=_rounds_done(jobs, ended)),
        "devices": own(schema.devices),
        "engines": _frame(
            connection,
            schema.engines,
            schema.engines.c.engine_id.in_(engines_of),
            tuple(schema.engines.primary_key),
        ),
        "variants": own(schema.variants),
        "jobs": jobs,
        "launches": launches,
        "samples": _samples(blobs, launches if samples else launches.iloc[:0]),
        "memory": own(schema.memory_stages),
        "quality": own(schema.quality),
        "operators": own(schema.operators),
        "opinions": own(schema.opinions),
        "energies": _frame(
            connection,
            schema.energies,
            schema.energies.c.launch_id.in_(
                select(schema.launches.c.launch_id).where(schema.launches.c.job_id.in_(jobs_of))
            ),
            tuple(schema.energies.primary_key),
        ),
        "idle_launches": own(schema.idle_launches),
        "traces": _traces(blobs, launches if samples else launches.iloc[:0]),
        "estimates": pd.DataFrame(
            {name: pd.Series(dtype=_ESTIMATE_TYPES.get(name, "float64")) for name in COLUMNS["estimates"]}
        ),
    }
    return CampaignTables(**{name: frame[list(COLUMNS[name])] for name, frame in frames.items()})


def _frame(
    connection: Connection, table: Table, condition: ColumnElement[bool], order: Sequence[Column[Any]]
) -> pd.DataFrame:
    rows = connection.execute(select(table).where(condition).order_by(*order)).all()
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
    if isinstance(column.type, Integer):  # BigInteger is one, too
        return "Int64" if column.nullable else "int64"
    return "str"


def _rounds_done(jobs: pd.DataFrame, launches: pd.DataFrame) -> int:
    """Rounds in which every job was launched that did not fail: one that always crashes is given up early."""
    expected = set(jobs.loc[jobs["status"] != "failed", "job_id"])
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
            "stream": _joined((samples["stream"] for _, samples in parts), np.int64),
            "iteration": _joined((_iterations(samples["stream"]) for _, samples in parts), np.int64),
            # Categories: a million iterations with a text each would take 60 MB.
            "kind": pd.Categorical.from_codes(steady.astype(np.int8), dtype=_KIND),
            "start_ns": _joined((samples["start_ns"] for _, samples in parts), np.int64),
            "latency_ns": _joined((samples["latency_ns"] for _, samples in parts), np.int64),
        }
    )


def _iterations(streams: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Counts from 0 in each stream; they stand one after the other."""
    _, firsts = np.unique(streams, return_index=True)
    numbers = np.arange(len(streams))
    return np.asarray(numbers - firsts[np.searchsorted(firsts, numbers, side="right") - 1])


def _traces(blobs: Blobs, launches: pd.DataFrame) -> pd.DataFrame:
    known = launches[launches["traces_sha256"].notna()]
    parts = [
        (int(launch_id), trace)
        for launch_id, sha256 in zip(known["launch_id"], known["traces_sha256"], strict=True)
        for trace in decode_traces(blobs.get(sha256, ".parquet"))
    ]
    lengths = [len(trace.values) for _, trace in parts]
    texts = {
        name: pd.Categorical(np.repeat(np.array([getattr(trace, name) for _, trace in parts], object), lengths))
        for name in ("sensor", "quantity", "source")
    }
    return pd.DataFrame(
        {
            "launch_id": np.repeat(np.array([number for number, _ in parts], np.int64), lengths),
            **texts,
            "time_ns": _joined((trace.times_ns for _, trace in parts), np.int64),
            "value": _joined((trace.values for _, trace in parts), np.float64),
        }
    )


def _with_samples(launches: pd.DataFrame) -> Iterable[tuple[int, str]]:
    known = launches[launches["samples_sha256"].notna()]
    return zip(known["launch_id"], known["samples_sha256"], strict=True)


def _joined(arrays: Iterable[np.ndarray[Any, Any]], dtype: type) -> np.ndarray[Any, Any]:
    return np.concatenate([np.empty(0, dtype), *arrays])
