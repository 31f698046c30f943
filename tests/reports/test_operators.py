"""Operators by kind and by what ran them; what counts as a fallback."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from pocketbench.reports.joined import read_campaign
from pocketbench.reports.operators import profiles
from tests.reports.outline import section_text
from tests.reports.sensed import FALLEN_BACK, operators_of
from tests.reports.synthetic import DIGITS, make_tables

FEW = DIGITS[:4]


def test_operators_tell_what_ran_them():
    profiled = profiles(replace(make_tables(FEW), operators=pd.DataFrame(operators_of("a", FALLEN_BACK))))["a"]

    assert profiled.conversions == 2
    assert profiled.conversion_share == pytest.approx(0.3)
    assert profiled.fallback_share("cpu") == pytest.approx(0.75)
    assert profiled.kinds[0].operator == "CUSTOM_ATTENTION"


@pytest.mark.parametrize(
    ("ran_on", "accelerator", "expected"),
    [
        ("CPU", "cpu", None),
        ("CPU", None, None),
        ("CPU", "nnapi", 1.0),
        ("Nnapi", "nnapi", 0.0),
        ("XNNPACK", "cpu", 0.0),
    ],
)
def test_what_is_a_fallback_depends_on_what_was_asked_for(ran_on: str, accelerator: str | None, expected: float | None):
    rows = operators_of("a", (("Conv", ran_on, 1.0),))

    assert (
        profiles(replace(make_tables(FEW), operators=pd.DataFrame(rows)))["a"].fallback_share(accelerator) == expected
    )


def test_equal_operators_are_one_kind_with_its_calls():
    rows = operators_of("a", (("Conv", "CPU", 0.3), ("Relu", "CPU", 0.2), ("Conv", "CPU", 0.5)))
    first, second = profiles(replace(make_tables(FEW), operators=pd.DataFrame(rows)))["a"].kinds

    assert (first.operator, first.calls) == ("Conv", 2)
    assert first.share == pytest.approx(0.8)
    assert second.calls == 1


def test_onnx_job_whose_profile_shows_the_cpu_falls_back():
    tables = make_tables(FEW)
    tables.jobs.loc[tables.jobs["job_id"] == "jlocal-1-1", "accelerator"] = "nnapi"
    rows = operators_of("jlocal-1-1", (("Conv", "Nnapi", 0.6), ("Softmax", "CPU", 0.4)))
    campaign = read_campaign(replace(tables, operators=pd.DataFrame(rows)))

    assert [job.variant.name for job in campaign.jobs if job.falls_back] == ["float32-onnx"]


def test_time_that_the_profiler_cannot_tell_is_not_called_0():
    rows = operators_of("jlocal-1-0", (("Conv", "CPU", 1.0), ("Relu", "CPU", 0.0)))
    tables = replace(make_tables(FEW), operators=pd.DataFrame(rows))

    assert "Relu CPU 1 under 1 µs 0 %" in section_text(tables, "operators")
