"""Latency against quality, one plot per device."""

from __future__ import annotations

from pocketbench.reports.campaign import Campaign
from pocketbench.reports.figures.figure import Figure
from pocketbench.reports.figures.pareto import pareto_figure
from pocketbench.reports.markup import Html, element, name
from pocketbench.reports.sections.section import plot, section

__all__ = ["pareto_section"]


def pareto_section(campaign: Campaign, figures: list[Figure]) -> Html:
    """Appends its plots to `figures`."""
    content: list[Html] = []
    judged = any(job.quality for job in campaign.jobs)
    for position, device in enumerate(campaign.devices):
        if campaign.several_devices:
            content.append(element("h3", name(device)))
        figure = pareto_figure(campaign, device, f"pareto-{position}")
        if figure is None:
            content.append(element("p", "No job of this device has both measures, so there is no plot.", class_="none"))
            continue
        figures.append(figure)
        content.append(plot(figure, _caption(campaign, device)))
    if not content:
        content.append(element("p", "Nothing was measured.", class_="none"))
    return section("trade-off", f"Latency against {'quality' if judged else 'size'}", "", *content)


def _caption(campaign: Campaign, device: str) -> str:
    jobs = [job for job in campaign.jobs_on(device) if job.usable]
    judged = any(job.quality for job in jobs)
    area = (
        "The area of a mark is the file's size. " if judged else "Quality is not known, so size stands in its place. "
    )
    bars = "Bars are 95 % intervals. " if any(job.latency and job.latency.low is not None for job in jobs) else ""
    return (
        f"{area}{bars}Faint: another variant is at least as good in both measures and better in one, by point "
        "estimates; the dotted line joins the others. Controls are open marks and dominate nothing. "
        f"Latency: {campaign.regime_words}."
    )
