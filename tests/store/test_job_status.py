"""What became of a job."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.example_campaign import add, good_launch

ID = "20260102T030405Z-net-0000"


def bad_launch(job_id, number):
    return replace(good_launch(job_id, number), status="failed", reason=f"crash {number}", latency_median_ns=None)


def invalid_launch(job_id, number):
    return replace(good_launch(job_id, number), status="invalid", reason=f"throttled {number}")


LAUNCHES = {"o": good_launch, "b": bad_launch, "i": invalid_launch}


@pytest.mark.parametrize(
    ("launches", "stages", "status", "reason"),
    [
        pytest.param("oo", [], "ok", None, id="all good"),
        pytest.param("o", [], "ok", None, id="fewer launches than planned"),
        pytest.param("", [], "partial", "not launched yet", id="nothing yet"),
        pytest.param("obb", [], "partial", "2 of 3 launches failed, the first: crash 1", id="some failed"),
        pytest.param("bb", [], "failed", "2 of 2 launches failed, the first: crash 0", id="all failed"),
        pytest.param(
            "ii", [], "failed", "all of its 2 launches were invalid, the first: throttled 0", id="all invalid"
        ),
        pytest.param("io", [], "ok", None, id="one invalid, one good"),
        pytest.param("", ["deploy"], "failed", "not deployed: no deploy", id="not deployed"),
        pytest.param("o", ["deploy"], "partial", "not deployed: no deploy", id="not deployed again"),
        pytest.param("o", ["memory"], "partial", "no memory figures: no memory", id="no memory"),
        pytest.param("o", ["quality"], "partial", "no quality: no quality", id="no quality"),
        pytest.param(
            "", ["quality"], "partial", "no quality: no quality\nnot launched yet", id="no quality, not launched"
        ),
        pytest.param(
            "bo",
            ["quality", "memory"],
            "partial",
            "no memory figures: no memory\nno quality: no quality\n1 of 2 launches failed, the first: crash 0",
            id="several reasons",
        ),
        pytest.param(
            "b",
            ["memory"],
            "failed",
            "no memory figures: no memory\n1 of 1 launches failed, the first: crash 0",
            id="nothing works",
        ),
    ],
)
def test_status_and_reason(store, launches, stages, status, reason):
    job_id = next(iter(add(store).values()))
    for number, letter in enumerate(launches):
        store.add_launch(LAUNCHES[letter](job_id, number), None)
    for stage in stages:
        store.add_failure([job_id], stage, f"no {stage}")

    found = store.tables(ID).jobs.set_index("job_id").loc[job_id]

    assert found["status"] == status
    assert found["reason"] == reason if reason else found.isna()["reason"]


def test_each_job_has_its_own(store):
    jobs = list(add(store).values())
    store.add_launch(bad_launch(jobs[0], 0), None)
    store.add_launch(good_launch(jobs[1]), None)
    store.add_failure([jobs[3]], "deploy", "no space")

    assert store.tables(ID).jobs["status"].tolist() == ["failed", "ok", "partial", "failed"]
