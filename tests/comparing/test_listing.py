"""What is printed of a comparison."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pocketbench.harness.comparing.change import NotCompared, QualityChange, SizeChange
from pocketbench.harness.comparing.listing import (
    CONDITION_COLUMNS,
    JOB_COLUMNS,
    LIMIT_COLUMNS,
    as_data,
    condition_rows,
    filled,
    job_rows,
    worst_outcome,
)
from pocketbench.harness.comparing.wording import change_text, job_text
from pocketbench.reports.campaign import Interval, Quality
from tests.comparing.campaigns import DIGITS, changed, compared, job_of, tables

EVIL = "\x1b]0;owned\x07\u202e<b>" + "x" * 10_000


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [(1000, 1000, "0 %"), (1000, 1013, "+1.3 %"), (1000, 500, "−50 %"), (100_000, 100_001, "+0.0010 %")],
)
def test_sizes_in_percent(before: int, after: int, text: str):
    assert change_text(SizeChange(before, after)) == text


@pytest.mark.parametrize(
    ("metric", "gain", "text"),
    [
        ("top-1", Interval(-0.003, -0.009, 0.003), "−0.3 [−0.9, +0.3] points"),
        ("top-1", Interval(0.0, 0.0, 0.0), "±0.00 points"),
        ("python:mine.score", Interval(-0.25, None, None), "−0.250"),
    ],
)
def test_quality_in_its_unit(metric: str, gain: Interval, text: str):
    figure = Quality(metric, Interval(0.95, 0.94, 0.96) if metric == "top-1" else Interval(8.0, None, None), True, 100)

    assert change_text(QualityChange(figure, figure, gain, "not told apart")) == text


def test_what_was_not_compared_has_no_text():
    assert change_text(NotCompared("it is only in A")) is None


def test_a_row_per_job_and_the_columns_that_say_something():
    rows = job_rows(compared(tables(), tables(name="b", metric=None)))

    assert [row["variant"] for row in rows][:2] == ["float32-tflite", "float32-onnx"]
    assert set(rows[0]) == set(JOB_COLUMNS)
    assert filled(JOB_COLUMNS, rows) == [
        *("variant", "device", "threads", "ratio_in_A", "ratio_in_B", "latency", "verdict", "size", "not_compared"),
    ]
    assert rows[1]["not_compared"] == "quality: quality was not measured in B"


def test_quality_that_nobody_asked_for_is_not_missed():
    rows = job_rows(compared(tables(metric=None), tables(name="b", metric=None)))

    assert [row["not_compared"] for row in rows] == [None] * len(rows)


def test_cores_and_accelerators_are_shown_where_there_are_any():
    before, after = tables(cores="0,1"), tables(name="b", cores="0,1")
    rows = job_rows(compared(changed(before, "jobs", accelerator="gpu"), changed(after, "jobs", accelerator="gpu")))

    assert (rows[1]["cores"], rows[1]["accelerator"]) == ("0,1", "gpu")


def test_conditions_of_all_jobs_are_one_row_and_refusals_come_first():
    after = changed(changed(tables(name="b"), "devices", kernel="6.13"), "jobs", threads=4)

    rows = condition_rows(compared(tables(), after))

    assert [(row["condition"], row["comparison"], row["jobs"]) for row in rows] == [
        ("threads", "everything refused", "all"),
        ("device.kernel", "marked", "all"),
    ]
    assert set(rows[0]) == set(CONDITION_COLUMNS)


def test_conditions_of_many_jobs_name_a_few():
    before, after = changed(tables(), "jobs", engine_id="litert-2.1"), tables(name="b")
    engines = ["litert-2.1", *["litert-2.2"] * (len(after.jobs) - 1)]

    (row,) = condition_rows(compared(before, changed(after, "jobs", engine_id=engines)))

    assert (row["condition"], row["A"], row["B"]) == ("engine_id", "litert-2.1", "litert-2.2")
    assert row["jobs"] == (
        "float32-onnx, local, 1 thread; float16-tflite, local, 1 thread; int8-tflite, local, 1 thread and 4 more"
    )


def test_foreign_names_act_on_no_terminal():
    renamed = [replace(one, name=EVIL) if one.name == "int8-tflite" else one for one in DIGITS]
    found = compared(tables(renamed), changed(tables(DIGITS, name="b"), "devices", kernel=EVIL))
    rows = [*job_rows(found), *condition_rows(found)]
    texts = [str(cell) for row in rows for cell in row.values()] + [job_text(job) for job in found.jobs]

    assert all(text.isprintable() and len(text) < 500 for text in texts)


def test_data_is_plain_json():
    found = as_data(compared(tables(), tables(DIGITS[:4], name="b")), ())

    assert json.loads(json.dumps(found)) == found
    assert found["outcome"] is None
    assert [job["variant"] for job in found["jobs"] if not job["in_b"]] == [one.name for one in DIGITS[4:8]]
    assert found["a"]["campaign_id"].endswith("-a")


def test_the_outcome_of_nothing_is_none():
    assert worst_outcome(()) is None
    assert filled(LIMIT_COLUMNS, ()) == []


def test_a_job_is_called_by_what_b_calls_it():
    assert job_text(job_of(compared(tables(), tables(name="b", devices=("pi",))))) == "int8-tflite, pi, 1 thread"
