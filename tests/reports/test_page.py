"""The file: whole or not at all, self-contained, and plain about what is missing. No browser needed."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.reports.embedded import content_security_policy, json_text, plotly_source, plotly_style_ids
from pocketbench.reports.page import report_html, write_report
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.verdict import verdict
from tests.reports.outline import Outline
from tests.reports.sensed import with_sensors
from tests.reports.synthetic import DIGITS, Spec, empty_tables, make_tables, spec

LARGEST_BYTES = 6_000_000


def without_scripts(page: str) -> str:
    return re.sub(r"<script.*?</script>", "", page, flags=re.S)


def test_page_is_written_whole_and_nothing_else_is_left(tmp_path: Path):
    output = tmp_path / "report.html"
    output.write_text("old")
    write_report(make_tables(), output)

    assert output.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert output.read_text(encoding="utf-8").endswith("</html>\n")
    assert list(tmp_path.iterdir()) == [output]


def test_folder_that_is_not_there_is_an_input_error(tmp_path: Path):
    with pytest.raises(InputError, match=r"expected a place to write the report to.*--output"):
        write_report(empty_tables(), tmp_path / "nowhere" / "report.html")


def test_output_that_cannot_be_replaced_keeps_what_is_there(tmp_path: Path):
    output = tmp_path / "report.html"
    output.mkdir()
    (output / "kept").touch()

    with pytest.raises(InputError):
        write_report(empty_tables(), output)

    assert list(tmp_path.iterdir()) == [output]
    assert (output / "kept").exists()


def test_wrong_columns_are_refused_before_anything_is_written(tmp_path: Path):
    tables = make_tables()
    wrong = replace(tables, jobs=tables.jobs.drop(columns="threads"))

    with pytest.raises(InputError, match="threads"):
        write_report(wrong, tmp_path / "report.html")

    assert list(tmp_path.iterdir()) == []


def test_page_and_terminal_reason_alike():
    tables = make_tables(threads=(1, 2))
    page = Outline(report_html(tables)).text.replace("\u00a0", " ")

    # A name stands in an element of its own, so spaces may surround it.
    squeezed = re.sub(r"\s", "", page)
    for line in verdict(tables).text.splitlines():
        if "instead of" not in line or "faster still" in line:
            assert re.sub(r"\s", "", line.removeprefix("  - ")) in squeezed or line.strip() in ("To watch:", "To mend:")


def test_nothing_is_loaded_from_anywhere():
    outline = Outline(report_html(make_tables(devices=("local", "pi5"))))

    assert outline.references
    assert [reference for reference in outline.references if not reference.startswith("#")] == []
    assert {reference[1:] for reference in outline.references} <= set(outline.identifiers)


def test_identifiers_are_unique():
    identifiers = Outline(report_html(make_tables(devices=("local", "pi5")))).identifiers

    assert len(identifiers) == len(set(identifiers))


def test_headings_skip_no_level():
    headings = Outline(report_html(make_tables(devices=("local", "pi5")))).headings

    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(headings))


def test_table_headers_have_a_scope():
    assert {cell.get("scope") for cell in Outline(report_html(make_tables())).cells} == {"col", "row"}


def test_policy_allows_nothing_but_what_is_there():
    policy = content_security_policy(["alert(1)"], ["p{}"])

    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert re.search(r'http-equiv="Content-Security-Policy" content="default-src', report_html(empty_tables()))


def test_json_cannot_leave_its_script():
    hostile = {"name": "</script><script>alert(1)</script><!-- & \u2028\u2029 \ud800"}
    text = json_text(hostile)

    assert re.search("[<>&\u2028\u2029\ud800]", text) is None
    assert json.loads(text) == hostile


def test_plotly_has_no_end_of_script_in_it():
    assert "</script" not in plotly_source()
    assert "\r" not in plotly_source()


def test_style_sheets_that_plotly_would_add_are_found():
    source = f'if(!document.getElementById("{"a1" * 32}")){{}}document.getElementById("chart")'

    assert plotly_style_ids(source) == ["a1" * 32]


def test_a_hundred_thousand_samples_stay_small(tmp_path: Path):
    tables = make_tables(DIGITS[:4], iterations=5000, rounds=5)
    output = tmp_path / "report.html"
    write_report(tables, output)

    assert len(tables.samples) >= 100_000
    assert output.stat().st_size < LARGEST_BYTES


def test_page_without_plots_needs_no_plotly():
    assert len(report_html(empty_tables())) < 100_000


def test_core_is_there_without_scripts():
    text = Outline(without_scripts(report_html(make_tables()))).text

    assert "Ship int8-tflite" in text
    assert "This plot needs JavaScript" in text
    assert "quantize: expected an engine that runs int16 activations" in text
    assert "least SQNR of the outputs is 21.4 dB" in text


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        (empty_tables(), ["Nothing was measured on any device", "The campaign has no variants", "0 of 10 rounds"]),
        (make_tables(rounds=1), ["Undecided", "Fewer than two rounds give no intervals"]),
        (
            make_tables(metric=None),
            ["no evaluation data was given", "Quality is not known, so size stands in its place"],
        ),
        (
            make_tables([replace(one, job_failed="signal 11") for one in DIGITS]),
            ["Nothing can be shipped", "signal 11", "No launch of this device could be used"],
        ),
        (
            make_tables([Spec("broken", 1, None, 0, failed="export: no such layer")], devices=()),
            ["Nothing was measured on any device", "export: no such layer"],
        ),
        (make_tables(status="interrupted", rounds_planned=30), ["interrupted after 10 of 30 rounds"]),
        (make_tables(spec(DIGITS, "int8-onnx", recipe=None)), ["a file of the user's"]),
    ],
    ids=["empty", "one round", "no quality", "all failed", "nothing made", "interrupted", "user file"],
)
def test_what_is_missing_is_said(tables: CampaignTables, expected: list[str]):
    text = Outline(report_html(tables)).text

    for words in expected:
        assert words in text


def test_user_files_alone_say_that_nothing_is_known_of_their_making():
    specs = [replace(one, recipe=None, steps=()) for one in DIGITS[:2]]

    assert "nothing is known of how they were made" in Outline(report_html(make_tables(specs))).text


def test_missing_figures_are_never_zero():
    tables = make_tables()
    for frame, columns in (
        (tables.launches, ["engine_load_ns", "model_init_ns", "first_inference_ns", "peak_memory_bytes"]),
        (tables.variants, ["size_bytes", "size_gzip_bytes", "parameters", "sqnr_db", "host_quality"]),
        (tables.devices, ["memory_bytes", "cores", "load_average_1min", "cpu"]),
    ):
        for column in columns:
            frame[column] = None
    tables = replace(tables, memory=tables.memory.iloc[:0], samples=tables.samples.iloc[:0])
    page = without_scripts(report_html(tables))

    assert re.search(r">\s*(0|0 B|0\.0+|nan|NaN|None|&lt;NA&gt;)\s*<", page) is None
    assert "Memory by stage is not known for this device" in page
    assert "The cold start is not known" in page
    assert "The samples are not known" in page


@pytest.mark.parametrize(
    "steps",
    [
        "not json",
        "{}",
        "[1, null, []]",
        '[{"step": null, "summary": 3, "details": [1, 2], "options": "x"}]',
        '[{"details": {"macs_before": "many", "deep": {"a": [1, {"b": null}]}, "big": 1e400, "flag": true}}]',
        "[" * 100_000,
    ],
)
def test_step_reports_of_any_form_are_tolerated(steps: str):
    tables = make_tables()
    tables.variants["steps"] = steps

    assert "What compression did" in report_html(tables)


def test_step_reports_are_told():
    text = Outline(report_html(make_tables())).text

    assert "5 of 6 layers are narrower" in text
    assert "93,322 → 30,154" in text
    assert "4.88 M → 1.50 M" in text
    assert "pruned equals masked 3.1e-07" in text


def test_provenance_is_complete():
    tables = make_tables()
    text = Outline(report_html(tables)).text

    for cell in [*tables.engines["sha256"], *tables.variants["sha256"].dropna(), "AMD Ryzen 7 PRO 6850U", "6.12.38"]:
        assert cell in text
    assert "recipes: [float32, int8]" in text


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), -1.0, 0.0, 1e300])
def test_figures_that_cannot_be_do_not_stop_the_page(value: Any):
    tables = make_tables(DIGITS[:3], rounds=2, iterations=3)
    tables.estimates.loc[1, ["latency_ns", "ratio"]] = value
    tables.quality.loc[1, "value"] = value
    tables.launches.loc[0, ["latency_median_ns", "peak_memory_bytes", "model_init_ns"]] = value
    tables.samples.loc[30, "latency_ns"] = value
    tables.memory.loc[0, "peak_resident_bytes"] = value

    assert report_html(tables).endswith("</html>\n")


def test_tables_of_nullable_types_give_the_same_page():
    tables = with_sensors(make_tables(devices=("local", "pi5")), readings=5)
    nullable = {name: getattr(tables, name).convert_dtypes() for name in CampaignTables.__slots__}
    nullable["samples"]["kind"] = nullable["samples"]["kind"].astype("category")

    assert report_html(CampaignTables(**nullable)) == report_html(tables)


def test_tables_with_whole_numbers_for_keys_give_the_same_figures():
    """The store has such keys."""
    tables = with_sensors(make_tables(), readings=5)
    jobs, launches = (
        {key: number for number, key in enumerate(frame)}
        for frame in (tables.jobs["job_id"], tables.launches["launch_id"])
    )
    keys = {"job_id": jobs, "reference_job_id": jobs, "launch_id": launches}
    numbered = {
        name: getattr(tables, name).assign(
            **{
                key: getattr(tables, name)[key].map(numbers)
                for key, numbers in keys.items()
                if key in getattr(tables, name)
            }
        )
        for name in CampaignTables.__slots__
    }

    page, expected = report_html(CampaignTables(**numbered)), report_html(tables)

    # The order of jobs of equal latency follows their keys; the words are the same.
    assert sorted(Outline(page).text.split()) == sorted(Outline(expected).text.split())
