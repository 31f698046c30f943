"""What must hold after every fault: of the store, and of the deployment on the device."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath

import numpy as np

from pocketbench.harness.deploy.deployment import status
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.survey import survey
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.transports.base import Transport

__all__ = ["answer", "check_complete", "check_store", "lost_in"]

# Attempts at a launch are numbered; what ends them is a launch that is good, or one that has failed by itself.
_ATTEMPTS = """
SELECT job_id, round, group_concat(attempt || ' ' || status || ' ' || (samples_sha256 IS NOT NULL), ', ')
FROM (SELECT * FROM launches ORDER BY job_id, round, attempt) GROUP BY job_id, round
"""


def check_store(home: Path) -> None:
    """The database is whole, and has every attempt at every launch, at most one of them good, with its samples."""
    with closing(sqlite3.connect(home / "pocketbench.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        for job_id, number, text in connection.execute(_ATTEMPTS):
            attempts = [words.split() for words in text.split(", ")]
            where = f"job {job_id}, round {number}: {text}"
            assert [int(attempt) for attempt, _, _ in attempts] == list(range(len(attempts))), where
            assert [status for _, status, _ in attempts[:-1]] == ["lost"] * (len(attempts) - 1), where
            assert [has == "1" for _, _, has in attempts] == [status == "ok" for _, status, _ in attempts], where
        hashes = connection.execute("SELECT samples_sha256 FROM launches WHERE samples_sha256 IS NOT NULL").fetchall()
        unexplained = connection.execute("SELECT * FROM launches WHERE status != 'ok' AND reason IS NULL").fetchall()
    assert unexplained == []
    kept = {path.stem for path in (home / "samples").rglob("*.parquet")}
    assert {sha256 for (sha256,) in hashes} <= kept


def check_complete(home: Path, campaign_id: str, *, rounds: int) -> None:
    """Nothing of the campaign is missing, and nothing of it is told to have failed."""
    with closing(sqlite3.connect(home / "pocketbench.db")) as connection:
        (status,) = connection.execute("SELECT status FROM campaigns WHERE campaign_id = ?", (campaign_id,)).fetchone()
        assert status == "finished"
        jobs = connection.execute("SELECT job_id FROM jobs WHERE campaign_id = ?", (campaign_id,)).fetchall()
        assert jobs
        for job in jobs:
            good = connection.execute("SELECT round FROM launches WHERE job_id = ? AND status = 'ok'", job).fetchall()
            assert sorted(good) == [(number,) for number in range(rounds)]
            for table, expected in (("job_failures", 0), ("quality", 1), ("memory_stages", 5)):
                query = f"SELECT count(*) FROM {table} WHERE job_id = ?"
                assert connection.execute(query, job).fetchone() == (expected,), table


def lost_in(home: Path, campaign_id: str) -> int:
    """How many attempts at launches the device was lost in."""
    query = "SELECT count(*) FROM launches JOIN jobs USING (job_id) WHERE campaign_id = ? AND launches.status = 'lost'"
    with closing(sqlite3.connect(home / "pocketbench.db")) as connection:
        return int(connection.execute(query, (campaign_id,)).fetchone()[0])


def answer(transport: Transport, directory: PurePosixPath, name: str, inputs: Sequence[np.ndarray]) -> np.ndarray:
    """What the deployment in use under `name` computes."""
    assert [row.problem for row in status(transport, directory)] == [None]
    layout = Layout(directory)
    record = survey(transport, layout, name).record
    assert record is not None
    files = layout.deployment(record).files
    runner = Runner(
        transport,
        (str(files["pocketbench-runner"]),),
        "litert",
        files["libLiteRt.so"],
        files["model.tflite"],
        layout.work(name),
    )
    (output,) = runner.infer(inputs, timeout_s=60)
    return output
