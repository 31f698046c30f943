"""Temperature and clock over the launches of each device, with the signs of throttling."""

from __future__ import annotations

from pocketbench.reports.campaign import Campaign
from pocketbench.reports.digits import significant, whole
from pocketbench.reports.figures.figure import Figure
from pocketbench.reports.figures.heat import heat_figure
from pocketbench.reports.markup import Html, element, name
from pocketbench.reports.sections.section import details, plot, section
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.tabulate import Column, figure_cell, table, text_cell
from pocketbench.reports.traces import Line, Traces, device_traces
from pocketbench.reports.values import identifier, number

__all__ = ["heat_section"]

_QUANTITIES = {"temperature_c": ("temperature", "°C", 1.0), "frequency_khz": ("clock", "GHz", 1e-6)}


def heat_section(campaign: Campaign, tables: CampaignTables, figures: list[Figure]) -> Html:
    """Appends its plots to `figures`."""
    columns = (tables.devices[column] for column in ("device", "start_line_c"))
    start_lines = {identifier(device): number(start) for device, start in zip(*columns, strict=True)}
    content: list[Html] = []
    for position, device in enumerate(campaign.devices):
        if campaign.several_devices:
            content.append(element("h3", name(device)))
        jobs = {job.job_id: job for job in (*campaign.jobs, *campaign.copies) if job.device == device}
        found = device_traces(tables, jobs)
        figure = heat_figure(campaign, jobs, found, start_lines.get(device), f"heat-{position}")
        if figure is None:
            none = "Neither temperature nor frequency was sensed on this device; “Conditions” says why."
            content.append(element("p", none, class_="none"))
            continue
        figures.append(figure)
        content += [
            plot(figure, _caption(found, start_lines.get(device))),
            details("Figures of this plot", _table(found)),
        ]
    if not content:
        content.append(element("p", "Nothing was measured.", class_="none"))
    return section("heat", "Temperature and clock", "", *content)


def _caption(found: Traces, start_line_c: float | None) -> str:
    hidden = [
        f"{shown} of {found.sources[quantity]} sources of {title} are shown, those with the highest readings"
        for quantity, (title, *_) in _QUANTITIES.items()
        if (shown := sum(line.quantity == quantity for line in found.lines)) < found.sources.get(quantity, 0)
    ]
    marked = sum(bool(span.signs.words) for span in found.spans)
    signs = (
        f"{marked} of {len(found.spans)} sensed launches show a sign of throttling"
        if marked
        else "No sensed launch shows a sign of throttling"
    )
    start = [] if start_line_c is None else ["Dotted: the start line"]
    parts = [*start, "A line breaks between two launches", *hidden, signs]
    return ". ".join(parts) + "."


def _table(found: Traces) -> Html:
    columns = [Column("Quantity"), Column("Sensor"), Column("Of"), Column("Readings", True)]
    columns += [Column("Lowest", True), Column("Highest", True)]
    rows = []
    for line in found.lines:
        lowest, highest = _range(line)
        title, unit, factor = _QUANTITIES[line.quantity]
        rows.append(
            [
                text_cell(element("span", title), title),
                text_cell(name(line.sensor, 32), line.sensor),
                text_cell(name(line.source, 32), line.source),
                figure_cell(whole(line.readings), line.readings),
                *(figure_cell(f"{significant(v * factor)} {unit}", v * factor) for v in (lowest, highest)),
            ]
        )
    return table("Temperature and clock", columns, rows, sortable=True)


def _range(line: Line) -> tuple[float, float]:
    known = line.values[line.values == line.values]
    return float(known.min()), float(known.max())
