"""Where the time of an inference goes, and what ran it: why is int8 not faster?"""

from __future__ import annotations

from collections.abc import Mapping

from pocketbench.reports.campaign import Campaign, Job
from pocketbench.reports.digits import significant, time_unit, whole
from pocketbench.reports.figures.figure import Figure
from pocketbench.reports.figures.operators import operators_figure
from pocketbench.reports.markup import Html, element, name, sentence
from pocketbench.reports.names import plain
from pocketbench.reports.naming import called
from pocketbench.reports.operators import Profile, profiles
from pocketbench.reports.sections.section import details, plot, section
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.tabulate import Cell, Column, figure_cell, table, text_cell

__all__ = ["operators_section"]

_MOST_KINDS = 20


def operators_section(campaign: Campaign, tables: CampaignTables, figures: list[Figure]) -> Html:
    """Appends its plots to `figures`."""
    found = profiles(tables)
    content: list[Html] = []
    for position, device in enumerate(campaign.devices):
        if campaign.several_devices:
            content.append(element("h3", name(device)))
        jobs = [job for job in campaign.jobs_on(device) if job.job_id in found]
        figure = operators_figure(campaign, jobs, found, f"operators-{position}")
        if figure is None:
            content.append(element("p", "No job of this device was profiled.", class_="none"))
            continue
        figures.append(figure)
        caption = (
            "By the engine's own profiler, in a launch of its own: it says where the time goes, not how much it is, as "
            "profiling costs time itself. “interpreter” is LiteRT without XNNPACK."
        )
        content += [
            plot(figure, caption),
            _summary(campaign, jobs, found),
            *(_kinds(campaign, job, found[job.job_id]) for job in jobs),
        ]
    if not content:
        content.append(element("p", "Nothing was measured.", class_="none"))
    return section("operators", "Operators", "", *content)


def _summary(campaign: Campaign, jobs: list[Job], found: Mapping[str, Profile]) -> Html:
    columns = [
        Column("Job"),
        Column("Operators", True),
        Column("Ran on", False, "share of the operators' time"),
        Column("Fallback", True, "share of time outside of what the job was to run on"),
        Column("Conversions", True, "operators that only quantize or dequantize, which nothing fused"),
        Column("Their time", True, "share of the operators' time"),
    ]
    rows = []
    for job in jobs:
        profile = found[job.job_id]
        share, asked = profile.fallback_share(job.accelerator), job.accelerator not in (None, "cpu")
        rows.append(
            [
                text_cell(sentence(called(campaign, job)), job.variant.name),
                figure_cell(whole(profile.positions), profile.positions),
                _ran_on(profile),
                figure_cell(None if share is None else _percent(share), share, _no_fallback(asked)),
                figure_cell(whole(profile.conversions), profile.conversions),
                figure_cell(_percent(profile.conversion_share), profile.conversion_share),
            ]
        )
    return table("What ran the operators", columns, rows, sortable=True)


def _no_fallback(asked: bool) -> str:
    return "not known" if asked else "on the CPU this engine has one way to run an operator"


def _ran_on(profile: Profile) -> Cell:
    shares: dict[str, float] = {}
    for kind in profile.kinds:
        shares[kind.runs_on] = shares.get(kind.runs_on, 0.0) + kind.share
    ordered = sorted(shares.items(), key=lambda one: -one[1])[:4]
    words: list[Html | str] = []
    for runs_on, share in ordered:
        words += [", " if words else "", name(runs_on, 24), f" {_percent(share)}"]
    return text_cell(element("span", *words, class_="wide"), ordered[0][0])


def _kinds(campaign: Campaign, job: Job, profile: Profile) -> Html:
    unit = time_unit([kind.time_ns for kind in profile.kinds[:3] if kind.time_ns > 0])
    columns = [Column("Operator"), Column("Ran on"), Column("Calls", True), Column(f"Time, {unit.name}", True)]
    columns.append(Column("Share", True))
    rows = [
        [
            text_cell(name(kind.operator), kind.operator),
            text_cell(name(kind.runs_on, 24), kind.runs_on),
            figure_cell(whole(kind.calls), kind.calls),
            # The engines' profilers count whole microseconds.
            figure_cell(unit.value(kind.time_ns) if kind.time_ns else "under 1 µs", kind.time_ns),
            figure_cell(_percent(kind.share), kind.share),
        ]
        for kind in profile.kinds[:_MOST_KINDS]
    ]
    words = plain(called(campaign, job))
    more = f", the slowest {_MOST_KINDS} of {len(profile.kinds)} kinds" if len(profile.kinds) > _MOST_KINDS else ""
    return details(f"Operators of {words}", table(f"Operators of {words}{more}", columns, rows, sortable=True))


def _percent(share: float) -> str:
    return f"{significant(100 * share, 2)} %"
