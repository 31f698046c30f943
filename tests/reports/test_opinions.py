"""What a benchmark program of the user's says stands beside our figures, and what was not believed is said."""

from __future__ import annotations

import re
from dataclasses import replace

from pocketbench.reports.page import report_html
from tests.reports.outline import Outline, section_text
from tests.reports.sensed import with_sensors
from tests.reports.synthetic import DIGITS, make_tables


def test_program_is_compared_in_the_rounds_of_both():
    text = section_text(with_sensors(make_tables(DIGITS[:4], rounds=6)), "opinions")

    assert "1.03× [1.03, 1.03]" in text
    assert "5 of 6" in text
    assert "benchmark_model (1×): expected 100 runs, got 61" in text
    assert "benchmark_model (5×): 1 operator fell back to the CPU" in text


def test_median_goes_before_the_mean():
    tables = with_sensors(make_tables(DIGITS[:4], rounds=6))
    tables.opinions["latency_median_ns"] = tables.opinions["latency_mean_ns"] / 1.03 * 1.5

    assert re.search(r"1\.50+× \[", section_text(tables, "opinions"))


def test_nobody_asked_has_no_section():
    page = report_html(make_tables(DIGITS[:4]))

    assert "#opinions" not in Outline(page).references
    assert "Second opinion" not in page


def test_program_that_never_could_be_believed_has_no_ratio():
    tables = with_sensors(make_tables(DIGITS[:4], rounds=3))
    failed = tables.opinions.assign(status="failed", latency_mean_ns=None, problems=None)
    text = section_text(replace(tables, opinions=failed), "opinions")

    assert "0 of 3" in text
    assert "×" not in text.partition("expected 100")[0].partition("Launches")[2].replace("(1×)", "")
