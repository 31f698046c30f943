"""Latency of each device in detail: distributions, cold start apart from it, launches over the rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pocketbench.reports.campaign import Campaign, Job
from pocketbench.reports.cold_starts import PARTS, ColdStart, cold_starts
from pocketbench.reports.digits import time_unit, whole
from pocketbench.reports.distributions import TAIL_POINTS, Distribution, distributions
from pocketbench.reports.figures.cold_start import cold_start_figure
from pocketbench.reports.figures.figure import Figure
from pocketbench.reports.figures.latency import latency_figure
from pocketbench.reports.figures.launches import launches_figure
from pocketbench.reports.markup import Html, element, name, sentence
from pocketbench.reports.naming import called
from pocketbench.reports.paired import ByRound, launch_medians
from pocketbench.reports.sections.section import details, plot, section
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.tabulate import Column, figure_cell, table, text_cell

__all__ = ["job_words", "latency_section"]


def latency_section(campaign: Campaign, tables: CampaignTables, figures: list[Figure]) -> Html:
    """Appends its plots to `figures`."""
    found, colds, medians = distributions(tables), cold_starts(tables, campaign.confidence), launch_medians(tables)
    content: list[Html] = []
    for position, device in enumerate(campaign.devices):
        jobs = [job for job in campaign.jobs_on(device) if job.usable]
        if campaign.several_devices:
            content.append(element("h3", name(device)))
        if not jobs:
            content.append(element("p", "No launch of this device could be used.", class_="none"))
            continue
        content += _steady(campaign, jobs, found, position, figures)
        content += _cold(campaign, jobs, colds, position, figures)
        content += _launches(campaign, jobs, medians, position, figures)
    if not content:
        content.append(element("p", "Nothing was measured.", class_="none"))
    return section("latency", "Latency in detail", "", *content)


def job_words(campaign: Campaign, job: Job) -> Html:
    """What a job is called in a table of its device."""
    return sentence(called(campaign, job))


def _steady(
    campaign: Campaign, jobs: list[Job], found: Mapping[str, Distribution], position: int, figures: list[Figure]
) -> list[Html]:
    heading = element("h4", f"Steady state ({campaign.regime_words})")
    figure = latency_figure(campaign, jobs, found, f"latency-{position}")
    if figure is None:
        return [heading, element("p", "The samples are not known.", class_="none")]
    figures.append(figure)
    rows = [(job, found[job.job_id]) for job in jobs if job.job_id in found]
    unit = time_unit([distribution.p5 for _, distribution in rows])
    columns = [
        Column("Job"),
        *(Column(f"{title}, {unit.name}", True) for title in ("5 %", "25 %", "Median", "75 %", "95 %", "Largest")),
        Column("Samples", True),
    ]
    cells = [
        [
            text_cell(job_words(campaign, job), job.variant.name),
            *(figure_cell(unit.value(v), v) for v in (d.p5, d.p25, d.median, d.p75, d.p95, d.largest)),
            figure_cell(whole(d.samples), d.samples),
        ]
        for job, d in rows
    ]
    total = sum(distribution.samples for _, distribution in rows)
    return [
        heading,
        plot(
            figure,
            f"All {whole(total)} steady samples are in the boxes and whiskers; of each job's slowest 5 % at most "
            f"{TAIL_POINTS} are drawn, spread evenly by rank, the slowest among them. Nothing was removed.",
        ),
        details(
            "Figures of this plot",
            table(f"Steady latency of single inferences, {campaign.regime_words}", columns, cells, sortable=True),
        ),
    ]


def _cold(
    campaign: Campaign, jobs: list[Job], found: Mapping[str, Sequence[ColdStart]], position: int, figures: list[Figure]
) -> list[Html]:
    heading = element("h4", "Cold start")
    figure = cold_start_figure(campaign, jobs, found, f"cold-start-{position}")
    if figure is None:
        return [heading, element("p", "The cold start is not known.", class_="none")]
    figures.append(figure)
    rows = [(job, cold) for job in jobs for cold in found.get(job.job_id, ())]
    unit = time_unit([part for _, cold in rows for part in cold.parts if part is not None])
    columns = [
        Column("Job"),
        Column(f"In all, {unit.name}", True, "median of what launches took; an interval from 6 launches on"),
        *(Column(f"{title.capitalize()}, {unit.name}", True) for title in PARTS.values()),
        Column("Page cache", False, "whether the files had to come from the disk"),
        Column("Launches", True),
    ]
    cells = [
        [
            text_cell(job_words(campaign, job), job.variant.name),
            figure_cell(unit.interval(cold.total) if cold.total else None, cold.total.value if cold.total else None),
            *(figure_cell(None if part is None else unit.value(part), part) for part in cold.parts),
            text_cell(name(cold.page_cache or "not known", 16), cold.page_cache or ""),
            figure_cell(whole(cold.launches), cold.launches),
        ]
        for job, cold in rows
    ]
    return [
        heading,
        plot(figure, "Medians over launches, from loading the engine to the first answer; never part of steady state."),
        details(
            "Figures of this plot",
            table("Cold start, medians over launches with 95 % intervals", columns, cells, sortable=True),
        ),
    ]


def _launches(
    campaign: Campaign, jobs: list[Job], medians: ByRound, position: int, figures: list[Figure]
) -> list[Html]:
    heading = element("h4", f"Launches over rounds ({campaign.regime_words})")
    figure = launches_figure(campaign, jobs, medians, f"launches-{position}")
    if figure is None:
        return [heading, element("p", "No launch has a round.", class_="none")]
    figures.append(figure)
    return [
        heading,
        plot(
            figure,
            "Lines that move together are the device drifting, which pairing by round cancels out. "
            "A line that moves alone is its own variant's unrest.",
        ),
    ]
