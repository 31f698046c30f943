"""Memory of each device's jobs by stage."""

from __future__ import annotations

from pocketbench.reports.campaign import Campaign
from pocketbench.reports.digits import byte_size
from pocketbench.reports.figures.figure import Figure
from pocketbench.reports.figures.memory import memory_figure
from pocketbench.reports.markup import Html, element, name
from pocketbench.reports.memory_stages import memory_stages
from pocketbench.reports.sections.latency import job_words
from pocketbench.reports.sections.section import details, plot, section
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.tabulate import Column, figure_cell, table, text_cell

__all__ = ["memory_section"]


def memory_section(campaign: Campaign, tables: CampaignTables, figures: list[Figure]) -> Html:
    """Appends its plots to `figures`."""
    found = memory_stages(tables)
    content: list[Html] = []
    columns = [Column("Job"), Column("Stage"), *(Column(title, True) for title in _FIGURES)]
    for position, device in enumerate(campaign.devices):
        jobs = [job for job in campaign.jobs_on(device) if job.usable]
        if campaign.several_devices:
            content.append(element("h3", name(device)))
        figure = memory_figure(campaign, jobs, found, f"memory-{position}")
        if figure is None:
            content.append(element("p", "Memory by stage is not known for this device.", class_="none"))
            continue
        figures.append(figure)
        rows = [
            [
                text_cell(job_words(campaign, job), job.variant.name),
                text_cell(name(stage.stage.replace("_", " "), 24), stage.stage),
                *(
                    figure_cell(None if size is None else byte_size(size), size)
                    for size in (stage.resident, stage.peak, stage.pss, stage.private)
                ),
            ]
            for job in jobs
            for stage in found.get(job.job_id, ())
        ]
        content += [
            plot(
                figure,
                "Launches of their own, without timing. Each part is what a stage added to the peak; resident memory "
                "counts pages shared with other processes, private memory does not, PSS counts its share of them.",
            ),
            details(
                "Figures of this plot", table("Memory by stage, medians over launches", columns, rows, sortable=True)
            ),
        ]
    if not content:
        content.append(element("p", "Nothing was measured.", class_="none"))
    return section("memory", "Memory", "", *content)


_FIGURES = ("Resident", "Peak resident", "PSS", "Private")
