"""What was written comes back as the tables that reports are made from."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from pocketbench.harness.errors import StoreError
from pocketbench.harness.store.records import LaunchRecord
from pocketbench.harness.store.samples import STREAMS_DTYPE
from pocketbench.reports.tables import COLUMNS, check_tables
from tests.store.example_campaign import (
    ENERGY,
    ENGINE,
    IDLE,
    JOBS,
    OPERATOR,
    OPINION,
    QUALITY,
    STAGES,
    TRACES,
    add,
    campaign,
    good_launch,
    samples,
)

ID = "20260102T030405Z-net-0000"


@pytest.fixture
def jobs(store):
    return add(store, quality_metric="top-1", quality_higher_is_better=True)


def rows(frame):
    """Rows as they print, NA as None."""
    return [
        {key: None if pd.isna(value) else value for key, value in row.items()}
        for row in frame.to_dict(orient="records")
    ]


def types(tables):
    return {name: {column: str(kind) for column, kind in getattr(tables, name).dtypes.items()} for name in COLUMNS}


def fill(store, jobs):
    """Everything that a campaign may write, with values and without."""
    first, second = list(jobs.values())[:2]
    store.set_facts(ID, "board", {"cpu": "A76", "cores": 4, "memory_bytes": 2**33, "load_average_1min": 0.0})
    store.set_deployed([first], ENGINE)
    store.add_launch(
        LaunchRecord(
            *(first, 0, 1, "2026-01-02T03:05:00.000Z", "ok"),
            iterations=2,
            warmup_iterations=1,
            latency_median_ns=1.5,
            latency_mean_ns=1.25,
            throughput_per_s=0.5,
            drift_step=-0.5,
            declared_throttling=False,
            temperature_max_c=81.5,
            engine_load_ns=0,
            model_init_ns=2**63 - 1,
            first_inference_ns=3,
            page_cache="dropped",
            flags="max_time",
        ),
        samples(9, 1, 2),
        traces=TRACES,
        energies=[ENERGY],
    )
    store.add_launch(LaunchRecord(second, 0, 0, "2026-01-02T03:05:01.000Z", "failed", "crashed"), None)
    store.set_device(ID, "board", rounds_ended="time", unreached="[]", sampler_ratio=1.001, preparation="[1]")
    store.add_idle([IDLE], TRACES)
    store.set_operators([first], [OPERATOR])
    store.add_opinion(replace(OPINION, job_id=first))
    store.set_memory(first, STAGES)
    store.set_quality([first], QUALITY, [np.zeros(3)])
    store.add_failure([second], "quality", "no outputs")


def test_the_tables_are_those_that_reports_ask_for(store, jobs):
    fill(store, jobs)
    tables = store.tables(ID)

    check_tables(tables)
    assert {name: list(getattr(tables, name).columns) for name in COLUMNS} == {
        name: list(columns) for name, columns in COLUMNS.items()
    }


def test_the_types_do_not_depend_on_what_is_there(store, jobs):
    empty = types(store.tables(ID))
    fill(store, jobs)

    assert types(store.tables(ID)) == empty


def test_the_types_say_what_may_be_missing(store, jobs):
    found = types(store.tables(ID))

    assert found["campaign"]["quality_higher_is_better"] == "boolean"
    assert found["campaign"]["rounds_done"] == "int64"
    assert found["jobs"]["job_id"] == "int64"
    assert found["jobs"]["reference_job_id"] == "Int64"
    assert found["jobs"]["is_reference"] == "bool"
    assert found["launches"]["peak_memory_bytes"] == "Int64"
    assert found["launches"]["latency_p90_ns"] == "float64"
    assert found["samples"] == {
        "launch_id": "int64",
        "stream": "int64",
        "iteration": "int64",
        "kind": "category",
        "start_ns": "int64",
        "latency_ns": "int64",
    }
    assert found["estimates"]["job_id"] == "int64"
    assert found["estimates"]["latency_ns"] == "float64"


def test_a_campaign_comes_back_as_it_was_written(store, jobs):
    assert rows(store.tables(ID).campaign) == [
        {
            "campaign_id": ID,
            "name": "net",
            "status": "interrupted",  # nobody holds it
            "started_at": "2026-01-02T03:04:05.000Z",
            "finished_at": None,
            "seed": 7,
            "rounds_planned": 2,
            "rounds_done": 0,
            "quality_metric": "top-1",
            "quality_higher_is_better": True,
            "pocketbench_version": "0.1.0",
            "plan": "name: net\n",
            "regime": "burst",
            "scenario": "single-stream",
            "precision": None,
            "budget_s": None,
            "confidence": 0.95,
        }
    ]


def test_what_a_device_does_not_say_stays_unknown(store, jobs):
    fill(store, jobs)

    assert rows(store.tables(ID).devices) == [
        {
            "device": "board",
            "address": "local:",
            "profile": "host",
            "model": None,
            "cpu": "A76",
            "cores": 4,
            "memory_bytes": 2**33,
            "os": None,
            "kernel": None,
            "architecture": None,
            "cpu_features": None,
            "governor": None,
            "load_average_1min": 0.0,
            "sensors": None,
            "start_line_c": None,
            "sampler_ratio": 1.001,
            "rounds_ended": "time",
            "unreached": "[]",
            "preparation": "[1]",
        }
    ]


def test_variants_come_in_their_order_with_failed_ones_and_zero_is_not_unknown(store, jobs):
    found = store.tables(ID).variants

    assert found["name"].tolist() == ["float32-tflite", "broken", "int8-tflite"]
    assert found["status"].tolist() == ["ok", "failed", "ok"]
    assert found["reason"].isna().tolist() == [True, False, True]
    assert [row["size_bytes"] for row in rows(found)] == [None, None, 0]


def test_jobs_come_in_the_order_of_the_plan_with_their_references(store, jobs):
    found = store.tables(ID).jobs

    assert found["job_id"].tolist() == list(jobs.values())
    assert list(jobs) == [job.key for job in JOBS]
    assert found["reference_job_id"].tolist() == [jobs[str(job.reference)] for job in JOBS]
    assert [row["cores"] for row in rows(found)] == [None, None, "0,1", "0,1"]
    assert [row["engine_id"] for row in rows(found)] == [None] * 4


def test_launches_come_back_with_the_largest_figures_and_the_missing_ones(store, jobs):
    fill(store, jobs)
    good, bad = rows(store.tables(ID).launches)

    assert good | {"launch_id": 0} == {
        "launch_id": 0,
        "attempt": 0,
        "job_id": next(iter(jobs.values())),
        "round": 0,
        "position": 1,
        "started_at": "2026-01-02T03:05:00.000Z",
        "status": "ok",
        "reason": None,
        "iterations": 2,
        "warmup_iterations": 1,
        "latency_median_ns": 1.5,
        "latency_p90_ns": None,
        "latency_p99_ns": None,
        "latency_mean_ns": 1.25,
        "throughput_per_s": 0.5,
        "last_minute_ratio": None,
        "drift_ramp": None,
        "drift_step": -0.5,
        "lag1": None,
        "effective_iterations": None,
        "declared_throttling": False,
        "frequency_share": None,
        "temperature_start_c": None,
        "temperature_max_c": 81.5,
        "fully_accelerated": None,
        "engine_load_ns": 0,
        "model_init_ns": 2**63 - 1,
        "first_inference_ns": 3,
        "peak_memory_bytes": None,
        "page_cache": "dropped",
        "flags": "max_time",
    }
    assert (bad["status"], bad["reason"], bad["iterations"], bad["latency_median_ns"]) == (
        "failed",
        "crashed",
        None,
        None,
    )


def test_samples_come_back_with_warmup_first_and_none_for_a_failed_launch(store, jobs):
    fill(store, jobs)
    tables = store.tables(ID)
    launch_id = tables.launches.loc[tables.launches["status"] == "ok", "launch_id"].item()

    assert rows(tables.samples) == [
        {"launch_id": launch_id, "stream": 0, "iteration": 0, "kind": "warmup", "start_ns": 0, "latency_ns": 9},
        {"launch_id": launch_id, "stream": 0, "iteration": 1, "kind": "steady", "start_ns": 1000, "latency_ns": 1},
        {"launch_id": launch_id, "stream": 0, "iteration": 2, "kind": "steady", "start_ns": 2000, "latency_ns": 2},
    ]


def test_samples_of_several_streams_are_counted_each_from_0(store, jobs):
    job_id = next(iter(jobs.values()))
    array = np.zeros(5, STREAMS_DTYPE)
    array["latency_ns"] = [7, 8, 9, 5, 6]
    array["stream"] = [0, 0, 0, 1, 1]
    store.add_launch(good_launch(job_id), array)

    found = store.tables(ID).samples

    assert found["stream"].tolist() == [0, 0, 0, 1, 1]
    assert found["iteration"].tolist() == [0, 1, 2, 0, 1]
    assert found["latency_ns"].tolist() == [7, 8, 9, 5, 6]


def test_opinions_come_back_and_their_rounds_are_known(store, jobs):
    job_id = next(iter(jobs.values()))
    said = replace(OPINION, job_id=job_id)
    store.add_opinion(said)
    store.add_opinion(replace(said, round=1, status="failed", reason="it stopped early"))
    store.add_opinion(replace(said, round=2, status="lost", reason="the cable"))

    found = rows(store.tables(ID).opinions)

    assert [(row["round"], row["status"], row["reason"]) for row in found] == [
        (0, "ok", None),
        (1, "failed", "it stopped early"),
        (2, "lost", "the cable"),
    ]
    assert found[0] == {name: value for name, value in asdict(said).items() if name != "arguments"}
    assert store.opinion_rounds(job_id, said.program) == {0, 1}
    assert store.opinion_rounds(job_id, "another") == set()


def test_what_a_device_was_prepared_with_is_read_as_it_was_written(store, jobs):
    assert store.preparation(ID, "board") is None

    store.set_device(ID, "board", preparation='[{"token": "ab"}]')

    assert store.preparation(ID, "board") == '[{"token": "ab"}]'


def test_traces_energies_and_operators_come_back(store, jobs):
    fill(store, jobs)
    first = next(iter(jobs.values()))
    tables = store.tables(ID)
    launch_id = tables.launches.loc[tables.launches["status"] == "ok", "launch_id"].item()

    trace = {"launch_id": launch_id, "sensor": "thermal", "quantity": "temperature_c", "source": "cpu"}
    assert rows(tables.traces) == [
        {**trace, "time_ns": 5, "value": 40.5},
        {**trace, "time_ns": 2**60, "value": 41.0},
        {**trace, "sensor": "rapl", "quantity": "energy_uj", "source": "package-0", "time_ns": 6, "value": 1e15},
    ]
    assert rows(tables.energies) == [{"launch_id": launch_id, **asdict(ENERGY)}]
    assert rows(tables.operators) == [{"job_id": first, **asdict(OPERATOR)}]
    kept = ("device", "round", "started_at", "sensor", "power_mw", "reason")
    assert rows(tables.idle_launches) == [{name: getattr(IDLE, name) for name in kept}]


def test_an_idle_baseline_that_is_taken_again_takes_the_place_of_the_first(store, jobs):
    store.add_idle([IDLE], [])
    store.add_idle([replace(IDLE, power_mw=None, reason="a gap")], TRACES)

    (idle,) = rows(store.tables(ID).idle_launches)
    assert (idle["power_mw"], idle["reason"]) == (None, "a gap")


def test_an_invalid_launch_is_kept_beside_the_one_that_repeats_it(store, jobs):
    job_id = next(iter(jobs.values()))
    invalid = replace(good_launch(job_id), status="invalid", reason="throttled")

    for launch in (invalid, invalid, good_launch(job_id)):
        store.add_launch(launch, samples(5, 6))

    tables = store.tables(ID)
    assert tables.launches["status"].tolist() == ["invalid", "invalid", "ok"]
    assert tables.launches["attempt"].tolist() == [0, 1, 2]
    job = next(job for job in store.jobs(ID) if job.job_id == job_id)
    assert (job.rounds, job.launches, set(job.medians)) == ({0}, 3, {0})


def test_a_round_with_invalid_launches_only_is_to_be_launched_again(store, jobs):
    job_id = next(iter(jobs.values()))
    store.add_launch(replace(good_launch(job_id), status="invalid", reason="throttled"), samples(5, 6))

    job = next(job for job in store.jobs(ID) if job.job_id == job_id)
    assert (job.rounds, job.launches, dict(job.medians)) == (frozenset(), 1, {})


def test_launches_with_the_same_samples_share_a_file_and_keep_their_own_rows(store, jobs, home):
    job_id = next(iter(jobs.values()))
    for number in range(2):
        store.add_launch(good_launch(job_id, number), samples(5, 6))

    assert len([path for path in (home / "samples").rglob("*") if path.is_file()]) == 1
    assert store.tables(ID).samples["launch_id"].nunique() == 2


def test_without_samples_their_files_are_not_read(store, jobs, home):
    fill(store, jobs)
    for path in (home / "samples").rglob("*.parquet"):
        path.write_bytes(b"damaged")

    assert store.tables(ID, samples=False).samples.empty
    with pytest.raises(StoreError, match="it was damaged"):
        store.tables(ID)


def test_memory_quality_and_engines_come_back(store, jobs):
    fill(store, jobs)
    first = next(iter(jobs.values()))
    tables = store.tables(ID)

    assert [(row["job_id"], row["position"], row["stage"]) for row in rows(tables.memory)] == [
        (first, 0, "start"),
        (first, 1, "end"),
    ]
    assert [row["private_dirty_bytes"] for row in rows(tables.memory)] == [None, 0]
    assert rows(tables.quality) == [
        {
            "job_id": first,
            "metric": "top-1",
            "value": 0.75,
            "low": 0.5,
            "high": None,
            "samples": 100,
            "higher_is_better": True,
        }
    ]
    assert rows(tables.engines) == [
        {
            "engine_id": ENGINE.engine_id,
            "name": "LiteRT",
            "version": "2.1",
            "platform": "linux-x86_64",
            "sha256": ENGINE.sha256,
        }
    ]
    assert tables.jobs["engine_id"].notna().tolist() == [True, False, False, False]


def test_a_campaign_without_devices_variants_and_jobs_has_empty_tables(store):
    store.add_campaign(campaign("empty"), [], [], [])
    tables = store.tables("empty")

    check_tables(tables)
    assert {name for name in COLUMNS if len(getattr(tables, name))} == {"campaign"}
    assert tables.campaign["rounds_done"].tolist() == [0]


def test_campaigns_do_not_mix(store, jobs):
    fill(store, jobs)
    other = add(store, "other")
    tables = store.tables("other")

    assert tables.jobs["job_id"].tolist() == list(other.values())
    assert {name for name in COLUMNS if len(getattr(tables, name))} == {"campaign", "devices", "variants", "jobs"}


def test_a_round_is_done_when_every_job_was_launched_that_did_not_fail(store, jobs):
    first, second, third, crashing = jobs.values()

    def done():
        return store.tables(ID).campaign["rounds_done"].item()

    store.add_launch(replace(good_launch(crashing), status="failed", reason="crashed"), None)
    for job_id in (first, second):
        store.add_launch(good_launch(job_id), None)
    assert done() == 0

    store.add_launch(good_launch(third), None)
    assert done() == 1

    # Round 1 is not done by launches of another one.
    store.add_launch(good_launch(first, 1), None)
    store.add_launch(good_launch(second, 2), None)
    store.add_launch(good_launch(third, 2), None)
    assert done() == 1

    store.add_launch(good_launch(first, 2), None)
    assert done() == 2


def test_no_round_is_done_where_every_job_failed(store, jobs):
    store.add_failure(jobs.values(), "deploy", "no space")

    assert store.tables(ID).campaign["rounds_done"].item() == 0


def test_texts_come_back_whatever_they_contain(store):
    name = "naïve <script> 'quoted' \"twice\"\x00 100 % 🙂\n"
    store.add_campaign(campaign("odd", name=name), [], [], [])

    assert store.tables("odd").campaign["name"].item() == name
