"""What a campaign finds when it goes on, and what it writes again."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy.exc import IntegrityError

from pocketbench.harness.store.records import LaunchRecord, StoredVariant
from tests.store.example_campaign import (
    DEVICE,
    ENGINE,
    JOBS,
    QUALITY,
    STAGES,
    VARIANTS,
    add,
    campaign,
    good_launch,
    samples,
)

ID = "20260102T030405Z-net-0000"
PLAN = "name: net\n"


@pytest.fixture
def jobs(store):
    return add(store)


def test_a_plan_finds_its_last_campaign(store):
    add(store, "older", started_at="2026-01-01T00:00:00.000Z")
    add(store, "newer", started_at="2026-01-03T00:00:00.000Z")
    add(store, "changed", started_at="2026-01-04T00:00:00.000Z", plan="name: net\nrounds: 3\n")
    add(store, "other name", started_at="2026-01-05T00:00:00.000Z", plan="name: other\n", name="other")

    assert store.last_of_plan(PLAN) == ("newer", False)
    assert store.unfinished_named("net") == "changed"

    store.set_status("newer", "interrupted")
    assert store.last_of_plan(PLAN) == ("newer", False)

    store.set_status("newer", "finished")
    assert store.last_of_plan(PLAN) == ("newer", True)
    assert store.last_of_plan("name: never run\n") is None
    assert store.unfinished_named("never run") is None


def test_plans_are_compared_by_their_text(store, home, jobs):
    with closing(sqlite3.connect(home / "pocketbench.db")) as connection:
        [(plan, sha256)] = connection.execute("SELECT plan, plan_sha256 FROM campaigns").fetchall()

    assert (plan, sha256) == (PLAN, hashlib.sha256(PLAN.encode()).hexdigest())


def test_the_instant_of_the_end_is_that_of_a_finished_campaign(store, jobs):
    store.set_status(ID, "finished")
    assert store.tables(ID).campaign["finished_at"].item().endswith("Z")

    store.set_status(ID, "running")
    assert store.tables(ID).campaign["finished_at"].isna().item()


def test_variants_are_those_that_were_added(store, jobs):
    found = store.variants(ID)

    assert [replace(variant, variant_id=0) for variant in found] == [
        StoredVariant(0, "float32-tflite", "/variants/float32", "f" * 64, "ok"),
        StoredVariant(0, "broken", "/variants/broken", None, "failed"),
        StoredVariant(0, "int8-tflite", "/variants/int8", "8" * 64, "ok"),
    ]


def test_jobs_say_what_is_there_of_them(store, jobs):
    first, second, third, _ = jobs.values()
    store.add_launch(good_launch(first, 0), None)
    store.add_launch(LaunchRecord(first, 1, 0, "2026-01-02T03:05:00.000Z", "failed", "crash"), None)
    store.set_memory(second, STAGES)
    store.set_quality([third], QUALITY, [])
    add(store, "another campaign")

    found = store.jobs(ID)

    assert [job.rounds for job in found] == [{0, 1}, set(), set(), set()]
    assert [job.has_memory for job in found] == [False, True, False, False]
    assert [job.has_quality for job in found] == [False, False, True, False]
    assert [job.cores for job in found] == [None, None, (0, 1), (0, 1)]
    assert [job.variant for job in found] == ["int8-tflite", "float32-tflite"] * 2


def test_memory_and_quality_taken_again_replace_the_earlier_ones(store, jobs):
    job_id = next(iter(jobs.values()))
    store.set_memory(job_id, [*STAGES, *STAGES])
    store.set_memory(job_id, STAGES[:1])
    store.set_quality([job_id], QUALITY, [])
    store.set_quality([job_id], replace(QUALITY, value=0.875), [])

    tables = store.tables(ID)

    assert tables.memory["stage"].tolist() == ["start"]
    assert tables.quality["value"].tolist() == [0.875]


def test_outputs_are_kept_beside_the_database(store, jobs, home):
    store.set_quality(list(jobs.values())[:2], QUALITY, [np.array([1, 2, 3], np.int8)])

    with closing(sqlite3.connect(home / "pocketbench.db")) as connection:
        [(sha256,)] = connection.execute("SELECT DISTINCT outputs_sha256 FROM quality").fetchall()
    with np.load(home / "samples" / sha256[:2] / f"{sha256}.npz") as found:
        assert found["output_0"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("stage", ["deploy", "memory", "quality"])
def test_a_stage_that_passes_clears_its_failure_and_no_other(store, jobs, home, stage):
    first, second, *_ = jobs.values()
    for each in ("deploy", "memory", "quality"):
        store.add_failure([first, second], each, "an earlier reason")
        store.add_failure([first, second], each, "no")

    if stage == "deploy":
        store.set_deployed([first], ENGINE)
    elif stage == "memory":
        store.set_memory(first, STAGES)
    else:
        store.set_quality([first], QUALITY, [])

    with closing(sqlite3.connect(home / "pocketbench.db")) as connection:
        left = set(connection.execute("SELECT job_id, stage, reason FROM job_failures").fetchall())
    expected = {(job_id, each, "no") for job_id in (first, second) for each in ("deploy", "memory", "quality")}
    assert left == expected - {(first, stage, "no")}


def test_jobs_share_an_engine_and_may_change_it(store, jobs):
    newer = replace(ENGINE, engine_id="litert-2.2", version="2.2")
    store.set_deployed(jobs.values(), ENGINE)
    store.set_deployed([jobs["int8-tflite, 1 threads"]], newer)

    tables = store.tables(ID)

    assert tables.jobs["engine_id"].tolist() == ["litert-2.2", *[ENGINE.engine_id] * 3]
    assert tables.engines["version"].tolist() == ["2.1", "2.2"]


def test_a_job_is_launched_once_in_a_round(store, jobs):
    job_id = next(iter(jobs.values()))
    store.add_launch(good_launch(job_id), samples(1, 2))

    with pytest.raises(IntegrityError, match=r"launches\.job_id, launches\.round"):
        store.add_launch(good_launch(job_id), samples(3, 4))

    assert store.tables(ID).samples["latency_ns"].tolist() == [1, 2]


def test_a_launch_that_was_lost_is_kept_and_attempted_again(store, jobs):
    job_id = next(iter(jobs.values()))
    lost = LaunchRecord(job_id, 0, 0, "2026-11-02T10:00:00.000Z", "lost", "the cable was pulled")
    store.add_launch(lost, None)
    store.add_launch(lost, None)
    assert store.jobs(ID)[0].rounds == frozenset()

    store.add_launch(good_launch(job_id), samples(1, 2))

    tables = store.tables(ID)
    assert tables.launches["status"].tolist() == ["lost", "lost", "ok"]
    assert tables.launches["attempt"].tolist() == [0, 1, 2]
    assert store.jobs(ID)[0].rounds == {0}
    assert tables.jobs["status"].iloc[0] == "ok"
    with pytest.raises(IntegrityError, match=r"launches\.job_id, launches\.round"):
        store.add_launch(good_launch(job_id), samples(3, 4))


def test_a_campaign_is_added_whole_or_not_at_all(store, jobs):
    with pytest.raises(IntegrityError, match=r"jobs\.key"):
        store.add_campaign(campaign("a job twice"), [DEVICE], VARIANTS, [*JOBS, JOBS[0]])
    with pytest.raises(IntegrityError, match=r"campaigns\.campaign_id"):
        add(store)

    assert [row["campaign_id"] for row in store.campaigns()] == [ID]
    assert len(store.jobs(ID)) == len(jobs)


def test_deleting_a_campaign_takes_along_what_belongs_to_it(store, jobs, home):
    other = add(store, "other")
    for job_id in (*jobs.values(), *other.values()):
        store.set_deployed([job_id], ENGINE)
        store.add_launch(good_launch(job_id), None)
        store.set_memory(job_id, STAGES)
        store.set_quality([job_id], QUALITY, [])
        store.add_failure([job_id], "deploy", "no")

    with closing(sqlite3.connect(home / "pocketbench.db")) as connection, connection:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("DELETE FROM campaigns WHERE campaign_id = ?", [ID])
        tables = ("devices", "variants", "jobs", "launches", "memory_stages", "quality", "job_failures")
        counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]

    assert counts == [1, 3, 4, 4, 8, 4, 4]
    assert [row["campaign_id"] for row in store.campaigns()] == ["other"]


def test_a_row_that_belongs_to_nothing_is_refused(store):
    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        store.add_launch(good_launch(job_id=999), None)


def test_campaigns_are_listed_newest_first_with_their_figures(store, jobs):
    first, second, *_ = jobs.values()
    store.add_launch(good_launch(first), None)
    store.add_launch(good_launch(second), None)
    store.add_launch(LaunchRecord(first, 1, 0, "2026-01-02T03:05:00.000Z", "failed", "crash"), None)
    store.add_campaign(campaign("newer", started_at="2026-02-01T00:00:00.000Z", name="empty"), [], [], [])
    store.set_status("newer", "finished")

    assert store.campaigns() == [
        {
            "campaign_id": "newer",
            "name": "empty",
            "status": "finished",
            "started_at": "2026-02-01T00:00:00.000Z",
            "variants": 0,
            "launches": 0,
            "devices": "",
        },
        {
            "campaign_id": ID,
            "name": "net",
            "status": "interrupted",
            "started_at": "2026-01-02T03:04:05.000Z",
            "variants": 3,
            "launches": 2,
            "devices": "board",
        },
    ]
