"""A/A copies are the noise floor and no variants; what is called a difference, and how precise it is, is said."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

from pocketbench.reports.joined import read_campaign
from pocketbench.reports.names import plain
from pocketbench.reports.page import report_html
from pocketbench.reports.precision import precision_words, precisions
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.verdict import verdict
from tests.reports.outline import section_text
from tests.reports.synthetic import DIGITS, Spec, make_tables

REFERENCE = Spec("float32-tflite", 2.0, 0.970, 400_000, recipe="float32", role="reference")
FAST = Spec("int8-tflite", 1.0, 0.969, 100_000)
SLIGHT = replace(FAST, latency_ms=1.95)


def words(tables: CampaignTables) -> list[str]:
    return [plain(one) for one in precision_words(read_campaign(tables), "local", precisions(tables)["local"])]


def test_copies_are_no_jobs():
    campaign = read_campaign(make_tables(DIGITS, threads=(1, 2)))

    assert len(campaign.copies) == 2
    assert len(campaign.jobs) == 16
    assert not {copy.job_id for copy in campaign.copies} & {job.job_id for job in campaign.jobs}


def test_copies_stand_in_no_table_of_variants():
    tables = make_tables(DIGITS)
    text = report_html(tables)

    for identifier in ("variants", "trade-off", "memory", "compression"):
        assert "A/A" not in section_text(tables, identifier)
    assert section_text(tables, "variants").count("float32-tflite") == 1
    assert '"jlocal-1-0-copy"' not in text


def test_fast_copy_changes_nothing_of_what_to_ship():
    (device,) = verdict(make_tables([REFERENCE, FAST], aa_copy=0.4)).devices

    assert device.decision.pick is not None
    assert device.decision.pick.variant.name == "float32-tflite"
    assert all(job.job_id != "jlocal-1-0-copy" for job, _ in device.decision.ties)


def test_reference_against_itself_is_told():
    text = section_text(make_tables([REFERENCE, FAST], aa_copy=1.004), "comparisons")

    assert "The reference against itself: 1.00" in text
    assert "the noise floor" in text


def test_difference_within_the_noise_is_none():
    quiet = make_tables([REFERENCE, SLIGHT], aa_copy=1.001)
    noisy = make_tables([REFERENCE, SLIGHT], aa_copy=1.05)

    assert verdict(quiet).devices[0].decision.outcome == "variant"
    assert verdict(noisy).devices[0].decision.outcome == "reference"
    assert "none found" in section_text(noisy, "comparisons")
    assert "the A/A copy, which is the reference itself" in section_text(noisy, "comparisons")


def test_without_a_copy_nothing_is_decided_and_the_remedy_is_named():
    tables = make_tables([REFERENCE, FAST], aa_copy=None)
    text = verdict(tables).text

    assert verdict(tables).devices[0].decision.outcome == "undecided"
    assert "int8-tflite looks fastest (0.5" in text
    assert "No A/A copy of the reference was measured" in text
    assert "aa_copy: true" in section_text(tables, "comparisons")


def test_tables_without_verdicts_decide_nothing():
    tables = make_tables([REFERENCE, FAST])
    tables.estimates[["verdict", "verdict_reason"]] = None

    assert verdict(tables).devices[0].decision.outcome == "undecided"
    assert "No verdict is known." in section_text(tables, "comparisons")


def test_fixed_rounds_ask_for_no_precision():
    assert words(make_tables([REFERENCE, FAST])) == ["A fixed number of rounds was asked for, not a precision."]


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        ("reached", "Reached: every ratio is as precise as that."),
        ("time", "Reached: every ratio is as precise as that."),
        (None, "The rounds have not ended."),
    ],
)
def test_precision_that_was_reached(ended: str | None, expected: str):
    tables = make_tables([REFERENCE, FAST], precision=0.01)
    tables.devices["rounds_ended"] = ended

    assert words(tables) == [f"Asked for: intervals of ±1.0 %. {expected}"]


def test_precision_that_was_not_reached_says_what_it_would_take():
    tables = make_tables([REFERENCE, FAST], precision=0.005)
    tables.campaign["budget_s"] = 600.0
    tables.devices["rounds_ended"] = "time"
    tables.devices["unreached"] = json.dumps(
        [
            {
                "job": "int8 on local",
                "half_width": 0.0123,
                "rounds_needed": 44,
                "seconds_needed": 5400,
            },
            {"job": "jlocal-1-0-copy", "half_width": None, "rounds_needed": None, "seconds_needed": None},
        ]
    )
    expected = [
        "Asked for: intervals of ±0.50 % within 10 min. Not reached in the time allowed.",
        "int8 on local: it is at ±1.2 %; it would take about 44 rounds in all, 90 min more at the cost so far.",
        "The A/A copy of float32-tflite: it has no interval, and how many rounds it would take cannot be told.",
    ]

    assert words(tables) == expected
    assert expected[1].partition(": ")[2] in section_text(tables, "comparisons")
    assert "2 ratios are less precise than asked for. To do: allow about 44 rounds" in verdict(tables).text


@pytest.mark.parametrize("cell", ["not json", "{}", "[1, null]", '[{"half_width": "wide"}]', "[" * 100_000])
def test_unreached_of_any_form_is_tolerated(cell: str):
    tables = make_tables([REFERENCE, FAST], precision=0.01)
    tables.devices[["rounds_ended", "unreached"]] = ["time", cell]

    assert words(tables)


def test_adaptive_campaigns_say_what_95_percent_means():
    adaptive = section_text(make_tables([REFERENCE, FAST], precision=0.01), "conditions")
    fixed = section_text(make_tables([REFERENCE, FAST]), "conditions")

    assert "intervals are made with 96.75 %" in adaptive
    assert "96.75" not in fixed
    assert "with 95 % intervals" in section_text(make_tables([REFERENCE, FAST], precision=0.01), "variants")


def test_fewer_rounds_than_allowed_are_no_fault_of_an_adaptive_campaign():
    adaptive = make_tables([REFERENCE, FAST], precision=0.01, rounds=8, rounds_planned=30)
    fixed = make_tables([REFERENCE, FAST], rounds=8, rounds_planned=30)

    assert "rounds are complete" not in verdict(adaptive).text
    assert "Only 8 of 30 rounds are complete" in verdict(fixed).text


def test_regime_is_named_in_every_table_of_latency():
    tables = make_tables([REFERENCE, FAST])
    tables.campaign["regime"] = "sustained"

    for identifier in ("verdict", "comparisons", "variants", "latency", "launches"):
        assert "sustained regime" in section_text(tables, identifier)
    tables.campaign["regime"] = None
    assert "regime not known" in section_text(tables, "variants")


def test_jobs_are_named_with_their_accelerator_where_there_are_several():
    tables = make_tables([REFERENCE, FAST])
    gpu = tables.jobs.iloc[[1]].assign(job_id="gpu", accelerator="gpu")
    again = tables.launches[tables.launches["job_id"] == "jlocal-1-1"].assign(job_id="gpu", fully_accelerated=False)
    again = again.assign(launch_id="gpu-" + again["launch_id"])
    estimate = tables.estimates[tables.estimates["job_id"] == "jlocal-1-1"].assign(job_id="gpu")
    tables = replace(
        tables,
        jobs=pd.concat([tables.jobs, gpu], ignore_index=True),
        launches=pd.concat([tables.launches, again], ignore_index=True),
        estimates=pd.concat([tables.estimates, estimate], ignore_index=True),
    )

    assert "int8-tflite on gpu" in section_text(tables, "comparisons")
    assert "falls back to the CPU" in section_text(tables, "variants")
    assert "int8-tflite on gpu was to run on gpu, but a part of it" in verdict(tables).text
