"""A second opinion: what a benchmark program of the user's says of the same file, beside our runner's figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Any

from pocketbench.reports.campaign import Campaign, Interval, Job
from pocketbench.reports.digits import Unit, ratio, time_unit
from pocketbench.reports.intervals import geometric_mean
from pocketbench.reports.markup import Html, absent, element, join, long_text, name, sentence
from pocketbench.reports.naming import called
from pocketbench.reports.paired import ByRound, launch_medians
from pocketbench.reports.sections.section import section
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.tabulate import Cell, Column, figure_cell, table, text_cell
from pocketbench.reports.values import count, identifier, number, text

__all__ = ["opinions_section"]

Row = dict[Hashable, Any]
_LEAD = (
    "The same file, threads and cores in the same rounds. The program times in its own way, with an engine of its own "
    "and an input of its own; docs/second-opinion.md says why it may differ."
)
_MOST_PROBLEMS = 8


def opinions_section(campaign: Campaign, tables: CampaignTables) -> Html | None:
    """A table per device; None where nobody was asked."""
    asked: dict[tuple[str, str], list[Row]] = {}
    for row in tables.opinions.to_dict(orient="records"):
        asked.setdefault((identifier(row["job_id"]) or "unnamed", text(row["tool"]) or "unnamed"), []).append(row)
    if not asked:
        return None
    medians = launch_medians(tables)
    content: list[Html] = []
    for device in campaign.devices:
        found = [
            (job, tool, rows)
            for job in campaign.jobs_on(device)
            for (job_id, tool), rows in asked.items()
            if job_id == job.job_id
        ]
        if not found:
            continue
        if campaign.several_devices:
            content.append(element("h3", name(device)))
        content += [_table(campaign, found, medians), _problems(found)]
    return section("opinions", "Second opinion", _LEAD, *content)


def _table(campaign: Campaign, found: list[tuple[Job, str, list[Row]]], medians: ByRound) -> Html:
    ours = [job.latency.value for job, *_ in found if job.latency]
    unit = time_unit(ours)
    columns = [
        Column("Job"),
        Column("Program"),
        Column(f"Our median, {unit.name}", True, "geometric mean of the launch medians"),
        Column(f"Its median, {unit.name}", True, "geometric mean over its launches; where it tells one"),
        Column(f"Its mean, {unit.name}", True, "geometric mean over its launches"),
        Column("Ratio", True, "its median, else its mean, against our median, paired by round"),
        Column("Launches", True, "that it could be believed, of all"),
    ]
    rows = [_row(campaign, job, tool, rows, medians, unit) for job, tool, rows in found]
    caption = f"Our runner and the program on the same file, {campaign.regime_words}, with 95 % intervals"
    return table(caption, columns, rows, sortable=True)


def _row(campaign: Campaign, job: Job, tool: str, rows: list[Row], medians: ByRound, unit: Unit) -> list[Cell]:
    good = [row for row in rows if text(row["status"]) == "ok"]
    its_median = _mean(good, "latency_median_ns", campaign.confidence)
    its_mean = _mean(good, "latency_mean_ns", campaign.confidence)
    column = "latency_mean_ns" if its_median is None else "latency_median_ns"
    pairs = [
        latency / own
        for row in good
        if (latency := _positive(row[column]))
        and (number_of_round := count(row["round"])) is not None
        and (own := medians.get(job.job_id, {}).get(number_of_round))
    ]
    against = geometric_mean(pairs, campaign.confidence)
    return [
        text_cell(sentence(called(campaign, job)), job.variant.name),
        text_cell(name(tool, 32), tool),
        _time_cell(job.latency, unit),
        _time_cell(its_median, unit),
        _time_cell(its_mean, unit),
        figure_cell(ratio(against) if against else None, against.value if against else None, "no common round"),
        figure_cell(f"{len(good)} of {len(rows)}", len(good)),
    ]


def _time_cell(interval: Interval | None, unit: Unit) -> Cell:
    return figure_cell(unit.interval(interval), interval.value) if interval else Cell(absent("it does not say"), None)


def _mean(rows: list[Row], column: str, confidence: float) -> Interval | None:
    return geometric_mean([value for row in rows if (value := _positive(row[column]))], confidence)


def _positive(cell: Any) -> float | None:
    value = number(cell)
    return value if value is not None and value > 0 else None


def _problems(found: list[tuple[Job, str, list[Row]]]) -> Html:
    """Why it was not believed, and what to know beside its figures."""
    told: Counter[tuple[str, str]] = Counter()
    for _, tool, rows in found:
        for row in rows:
            for line in {*(text(row["problems"]) or "").splitlines(), text(row["reason"]) or ""} - {""}:
                told[tool, line] += 1
    items = [
        element("li", join((name(tool, 32), f" ({times}×): ", long_text(line))))
        for (tool, line), times in told.most_common(_MOST_PROBLEMS)
    ]
    return element("ul", *items) if items else element("p", "It noted no problem.", class_="quiet")
