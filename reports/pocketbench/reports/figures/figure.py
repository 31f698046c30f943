"""What every plot shares: its data for the page, axes, texts that Plotly shows as they are, rows of jobs.

Colours are names of CSS properties (`--engine-0`): `assets/page.js` puts in their values, in light and in dark.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pocketbench.reports.campaign import Campaign, Job
from pocketbench.reports.names import shorten

__all__ = [
    "ROW_HEIGHT",
    "Figure",
    "axis",
    "base_layout",
    "engine_style",
    "job_label",
    "log_ticks",
    "plot_text",
    "row_axis",
    "rows_height",
]

ROW_HEIGHT = 30
_AROUND_ROWS = 96
# Okabe and Ito's colours differ for every kind of colour vision; symbols differ for a print without colours.
_SYMBOLS = ("circle", "diamond", "square", "triangle-up")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """One plot. `description` is for readers who do not see it; `labels` are placed where there is room, `rows`
    are the names on a `row_axis`."""

    identifier: str
    description: str
    data: Sequence[Json]
    layout: Json
    height: int
    labels: Sequence[Json] = field(default=())
    rows: Sequence[str] = field(default=())

    def payload(self) -> Json:
        """What page.js reads."""
        return {
            "id": self.identifier,
            "data": self.data,
            "layout": {**self.layout, "height": self.height},
            "labels": self.labels,
            "rows": self.rows,
        }


def plot_text(value: str, longest: int = 30) -> str:
    """`value` for a plot: Plotly reads tags and entities in its texts, so none of its characters may be one."""
    return html.escape(shorten(value, longest), quote=False)


def job_label(campaign: Campaign, job: Job, longest: int = 30) -> str:
    """What a job is called in a plot of its device."""
    label = plot_text(job.variant.name, longest)
    if campaign.several_settings(job.device):
        cores = "" if job.cores is None else f" on {plot_text(job.cores, 12)}"
        label += f", {'?' if job.threads is None else job.threads}T{cores}"
    if campaign.several_accelerators(job.device) and job.accelerator:
        label += f", {plot_text(job.accelerator, 12)}"
    return label


def engine_style(engines: Sequence[str], engine: str) -> tuple[str, str]:
    """Colour and symbol of an engine."""
    position = engines.index(engine) % len(_SYMBOLS)
    return f"--engine-{position}", _SYMBOLS[position]


def base_layout(**more: Any) -> Json:
    """A quiet frame: no title (the page has a heading), no background, the legend above the plot."""
    return {
        "margin": {"l": 8, "r": 16, "t": 40, "b": 48},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        **more,
    }


def axis(title: str, **more: Any) -> Json:
    """An axis with its title and unit."""
    return {
        "title": {"text": title, "standoff": 12, "font": {"size": 13}},
        "gridcolor": "--grid",
        "linecolor": "--rule",
        "zerolinecolor": "--rule",
        "automargin": True,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": "--rule",
        **more,
    }


def log_ticks(values: Sequence[float]) -> Json:
    """A logarithmic axis with ticks at 1, 2 and 5, where the largest of `values` is over ten times the least."""
    present = [value for value in values if value > 0]
    if not present or max(present) <= 10 * min(present):
        return {}
    decades = range(math.floor(math.log10(min(present))), math.ceil(math.log10(max(present))) + 1)
    steps = (1, 2, 5) if len(decades) <= 4 else (1,)
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    return {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:,.10g}" for tick in ticks]}


def row_axis(labels: Sequence[str]) -> Json:
    """A vertical axis with one row per job, the first on top; rows are numbers, as two jobs may look alike."""
    return axis(
        "",
        tickmode="array",
        tickvals=list(range(len(labels))),
        ticktext=list(labels),
        range=[len(labels) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
        ticks="",
        fixedrange=True,
    )


def rows_height(rows: int) -> int:
    """Height in pixels of a plot with that many rows."""
    return _AROUND_ROWS + ROW_HEIGHT * rows
