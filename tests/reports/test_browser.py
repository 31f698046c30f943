"""The page in Chromium: hostile texts are harmless, plots render, tables sort, a phone needs no sideways scrolling."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pocketbench.reports.page import write_report
from pocketbench.reports.tables import COLUMNS, CampaignTables
from tests.reports.conftest import Watched
from tests.reports.sensed import with_sensors
from tests.reports.synthetic import empty_tables, make_tables

OpenPage = Callable[..., Watched]
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "\"><svg onload=alert(3)> ' &quot; &lt;",
    "\u202eevil\u2066 \u061c\u200f",
    "x" * 10_000,
    "\u2028\u2029\x00\x1b[31m\ud800",
    "<a href='javascript:alert(4)' style='position:fixed'>click</a>",
    "https://example.invalid/x.png <base href=https://example.invalid/>",
    "--paper",
    "${alert(5)} {{alert(6)}} %{x} $\\alpha$",
)
# Keys that join the tables, and words with a meaning of their own.
KEPT = {
    "campaign": {"campaign_id", "status"},
    "devices": {"device", "sensors", "unreached", "preparation"},
    "engines": {"engine_id"},
    "variants": {"variant_id", "status", "role", "steps"},
    "jobs": {"job_id", "variant_id", "device", "engine_id", "reference_job_id", "status"},
    "launches": {"launch_id", "job_id", "status"},
    "samples": set(COLUMNS["samples"]),
    "memory": {"job_id"},
    "quality": {"job_id"},
    "operators": {"job_id"},
    "opinions": {"job_id", "status"},
    "energies": {"launch_id", "sensor", "boundary"},
    "idle_launches": {"device"},
    "traces": {"launch_id", "quantity", "sensor", "source"},
    "estimates": {"job_id", "verdict"},
}
STEPS = (
    '[{"step": "</script><b>", "summary": "<img src=x onerror=alert(7)>", "<i>key</i>": "<u>value</u>", '
    '"details": {"</dl><script>alert(8)</script>": ["<s>"], "macs_before": 5}, "options": {"a": "\\u202e"}}]'
)


def hostile_tables() -> CampaignTables:
    """Every text of every table is hostile, and so are the names that join them."""
    plain = make_tables(devices=("local", "pi5"), threads=(1, 2), rounds=3, iterations=30, cores="0,1", precision=0.01)
    tables = with_sensors(plain, readings=10)
    frames: dict[str, pd.DataFrame] = {}
    for name, columns in COLUMNS.items():
        frame = getattr(tables, name).copy()
        for position, column in enumerate(columns):
            texts = frame[column].map(lambda cell: isinstance(cell, str)).any() or column in ("governor", "reason")
            if texts and column not in KEPT[name]:
                # As objects: pandas' own strings refuse an unpaired surrogate, but not every maker of tables uses them.
                texts_of_rows = [HOSTILE[(row + position) % len(HOSTILE)] for row in range(len(frame))]
                frame[column] = pd.Series(texts_of_rows, dtype="object", index=frame.index)
        for column in frame.columns.intersection(["device", "engine_id", "job_id"]):
            frame[column] = frame[column].map(lambda cell: f"{HOSTILE[1]}{cell}{HOSTILE[3]}")
        frames[name] = frame
    frames["jobs"]["reference_job_id"] = frames["jobs"]["reference_job_id"].map(
        lambda cell: f"{HOSTILE[1]}{cell}{HOSTILE[3]}"
    )
    for name, column in (("energies", "sensor"), ("energies", "boundary"), ("traces", "sensor"), ("traces", "source")):
        frames[name][column] = HOSTILE[0] + frames[name][column].astype("object")
    frames["devices"]["sensors"] = json.dumps(
        {key: [{"sensor": text, "reason": text, "boundary": text} for text in HOSTILE] for key in ("sensed", "absent")}
    )
    frames["devices"]["unreached"] = json.dumps([{"job": text, "half_width": 0.1} for text in HOSTILE])
    frames["variants"]["steps"] = STEPS
    frames["quality"]["metric"] = HOSTILE[0]
    return CampaignTables(**frames)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Path of a report by its kind, written once."""
    folder = tmp_path_factory.mktemp("pages")
    makers: dict[str, Callable[[], CampaignTables]] = {
        "digits": lambda: with_sensors(make_tables()),
        "several": lambda: with_sensors(make_tables(devices=("local", "pi5"), threads=(1, 2), rounds=5, iterations=60)),
        "nothing sensed": make_tables,
        "hostile": hostile_tables,
        "one round": lambda: make_tables(rounds=1, metric=None),
        "failed": lambda: make_tables([replace(one, job_failed="signal 9") for one in make_specs()]),
        "empty": empty_tables,
    }

    def path(kind: str) -> Path:
        target = folder / f"{kind}.html"
        if not target.exists():
            write_report(makers[kind](), target)
        return target

    return path


def make_specs() -> list[Any]:
    from tests.reports.synthetic import DIGITS

    return DIGITS


def drawn_plots(page: Any) -> list[str]:
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('.plot')]"
        ".filter((one) => one.querySelector('.cartesianlayer .xtick')).map((one) => one.id)"
    )
    return found


def test_the_watch_sees_what_it_must(open_page: OpenPage, tmp_path: Path):
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<!doctype html><meta http-equiv=Content-Security-Policy "
        "content=\"default-src 'none'; script-src 'unsafe-inline'\">"
        "<img src='https://example.invalid/x.png'><script>console.error('loud'); alert('hello'); nowhere()</script>"
    )
    problems = " ".join(open_page(bad).problems)

    for word in ("loud", "dialog: hello", "nowhere is not defined", "policy: img-src"):
        assert word in problems


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hostile_texts_are_harmless(open_page: OpenPage, pages: Callable[[str], Path], scheme: str):
    watched = open_page(pages("hostile"), scheme=scheme)
    page = watched.drawn()

    assert (
        page.evaluate("document.querySelectorAll('main img, main svg[onload], main a[href^=javascript], base').length")
        == 0
    )
    assert page.evaluate("document.querySelectorAll('script').length") == 3
    assert page.evaluate("document.body.innerText.includes('onerror=alert(2)')")
    assert len(drawn_plots(page)) == 16
    for head in page.query_selector_all("thead button")[:12]:
        head.click()
    for summary in page.query_selector_all("summary"):
        summary.click()
    page.mouse.move(600, 1200)
    assert watched.problems == []


def test_hostile_names_leave_no_direction_mark(open_page: OpenPage, pages: Callable[[str], Path]):
    page = open_page(pages("hostile"), scripts=False).page

    assert page.locator("body").inner_text().count("\u202e") == 0


def test_hostile_page_fits_a_phone(open_page: OpenPage, pages: Callable[[str], Path]):
    page = open_page(pages("hostile"), width=390).drawn()

    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("kind", ["digits", "several", "nothing sensed", "one round", "failed", "empty"])
def test_nothing_goes_wrong_and_nothing_scrolls_sideways_on_a_phone(
    open_page: OpenPage, pages: Callable[[str], Path], kind: str
):
    watched = open_page(pages(kind), width=390)
    if kind not in ("failed", "empty"):
        watched.drawn()
    for summary in watched.page.query_selector_all("summary"):
        summary.click()

    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert watched.page.evaluate("document.querySelectorAll('h1').length") == 1
    assert watched.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_plots_are_drawn_in_the_colours_of_the_page(open_page: OpenPage, pages: Callable[[str], Path], scheme: str):
    watched = open_page(pages("digits"), scheme=scheme)
    page = watched.drawn()
    ink = {"light": "rgb(27, 31, 36)", "dark": "rgb(230, 233, 237)"}[scheme]

    before, after = ["pareto-0", "latency-0", "cold-start-0", "launches-0"], ["operators-0", "memory-0"]
    assert drawn_plots(page) == [*before, "heat-0", "energy-0-0", *after]
    assert page.evaluate("getComputedStyle(document.querySelector('#latency-0 .ytick text')).fill") == ink
    assert page.evaluate("document.querySelectorAll('#memory-0 .bars path').length") == 8 * 5
    assert watched.problems == []


def test_plots_follow_when_the_scheme_changes(open_page: OpenPage, pages: Callable[[str], Path]):
    page = open_page(pages("digits")).drawn()
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-drawn=dark]")

    assert (
        page.evaluate("getComputedStyle(document.querySelector('#latency-0 .ytick text')).fill") == "rgb(230, 233, 237)"
    )


def test_labels_of_the_plot_do_not_overlap(open_page: OpenPage, pages: Callable[[str], Path]):
    page = open_page(pages("several")).drawn()
    boxes = page.evaluate(
        "[...document.querySelectorAll('#pareto-0 .annotation-text')]"
        ".map((text) => text.getBoundingClientRect().toJSON())"
    )

    assert len(boxes) >= 8
    for position, one in enumerate(boxes):
        for other in boxes[position + 1 :]:
            apart = (
                one["right"] <= other["left"]
                or other["right"] <= one["left"]
                or one["bottom"] <= other["top"]
                or other["bottom"] <= one["top"]
            )
            assert apart


def test_table_sorts_by_keyboard(open_page: OpenPage, pages: Callable[[str], Path]):
    watched = open_page(pages("digits"))
    page = watched.drawn()
    table = page.locator("section[aria-labelledby=variants] table[data-sortable]")
    button = table.locator("thead button", has_text="Latency")

    def latencies() -> Any:
        return table.evaluate("(table) => [...table.tBodies[0].rows].map((row) => row.cells[1].dataset.key ?? null)")

    button.focus()
    page.keyboard.press("Enter")
    up = latencies()
    page.keyboard.press("Space")
    down = latencies()
    figures = [float(figure) for figure in up if figure is not None]

    assert figures == sorted(figures)
    assert up[-1] is None, "what was not measured stands last"
    assert down[:-1] == up[:-1][::-1]
    assert down[-1] is None
    assert table.locator("th[aria-sort]").all_inner_texts() == ["Latency, ms"]
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    assert watched.problems == []


def test_tab_reaches_links_tables_and_details(open_page: OpenPage, pages: Callable[[str], Path]):
    page = open_page(pages("digits")).drawn()
    reached = set()
    for _ in range(50):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName + '.' + document.activeElement.className"))

    assert {"A.skip", "A.", "SUMMARY.", "DIV.scroll", "BUTTON."} <= reached


def test_without_scripts_verdict_and_tables_are_read(open_page: OpenPage, pages: Callable[[str], Path]):
    page = open_page(pages("digits"), scripts=False).page
    text = page.locator("body").inner_text()

    assert "Ship int8-tflite" in text
    assert "This plot needs JavaScript" in text
    assert page.locator("#variants ~ .scroll tbody tr").count() == 9


def test_paper_is_light_and_shows_all_details(open_page: OpenPage, pages: Callable[[str], Path], tmp_path: Path):
    watched = open_page(pages("digits"), scheme="dark")
    page = watched.drawn()
    page.emulate_media(media="print")

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    page.emulate_media(media="screen")
    page.pdf(path=str(tmp_path / "report.pdf"))
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert page.evaluate("document.querySelectorAll('details[open]').length") == 0
    assert watched.problems == []
