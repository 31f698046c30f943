"""Temperature and frequency over a campaign's launches, with the signs of throttling below them on the same axis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pocketbench.reports.campaign import Campaign, Job
from pocketbench.reports.digits import significant
from pocketbench.reports.figures.figure import Figure, Json, axis, base_layout, job_label, plot_text
from pocketbench.reports.traces import LaunchSpan, Line, Traces

__all__ = ["heat_figure"]

_PANELS = {"temperature_c": ("Temperature, °C", 1.0), "frequency_khz": ("CPU clock, GHz", 1e-6)}
_SIGNS = ("declared", "frequency fell", "latency rose")
_DASHES = ("solid", "dash", "dot", "dashdot")
_HEIGHTS = {1: 300, 2: 440}


def heat_figure(
    campaign: Campaign, jobs: Mapping[str, Job], found: Traces, start_line_c: float | None, identifier: str
) -> Figure | None:
    """Of one device; None where nothing was sensed. A line breaks between two launches."""
    panels = [quantity for quantity in _PANELS if any(line.quantity == quantity for line in found.lines)]
    if not panels:
        return None
    data = [
        _curve(line, place, position)
        for place, quantity in enumerate(panels)
        for position, line in enumerate(line for line in found.lines if line.quantity == quantity)
    ]
    marks = _marks(campaign, jobs, found.spans, f"y{len(panels) + 1}")
    shapes = _start_line(start_line_c) if panels[0] == "temperature_c" else []
    layout = base_layout(
        xaxis=axis("Minutes since the first launch", zeroline=False, anchor=_name("y", len(panels) - (not marks))),
        shapes=shapes,
        **_axes(panels, with_marks=bool(marks)),
    )
    signs = f", {len(marks)} marks of throttling" if marks else ""
    description = f"Lines of {len(data)} sensors over {len(found.spans)} launches{signs}."
    return Figure(identifier, description, [*data, *marks], layout, _HEIGHTS[len(panels)] + (70 if marks else 0))


def _name(letter: str, place: int) -> str:
    return letter if place == 0 else f"{letter}{place + 1}"


def _curve(line: Line, place: int, position: int) -> Json:
    factor = _PANELS[line.quantity][1]
    label = plot_text(line.source, 24)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label,
        "x": [round(float(minute), 3) for minute in line.minutes],
        "y": [None if math.isnan(value) else round(float(value) * factor, 3) for value in line.values],
        "yaxis": _name("y", place),
        "line": {
            "color": f"--engine-{position if place == 0 else len(_DASHES) - 1 - position}",
            "dash": _DASHES[position],
            "width": 1.5,
        },
        "connectgaps": False,
        "hoverinfo": "x+y+name",
    }


def _marks(campaign: Campaign, jobs: Mapping[str, Job], spans: tuple[LaunchSpan, ...], on: str) -> list[Json]:
    """A mark over each launch with a sign; nothing at all where no launch has one."""
    marked = [(span, word) for span in spans for word in span.signs.words]
    if not marked:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "signs of throttling",
            "x": [round((span.start_min + span.end_min) / 2, 3) for span, _ in marked],
            "y": [_SIGNS.index(word) for _, word in marked],
            "yaxis": on,
            "marker": {"color": "--bad", "symbol": "line-ns-open", "size": 10, "line": {"width": 2, "color": "--bad"}},
            "hovertext": [_hover(campaign, jobs, span, word) for span, word in marked],
            "hoverinfo": "text",
            "showlegend": False,
        }
    ]


def _hover(campaign: Campaign, jobs: Mapping[str, Job], span: LaunchSpan, word: str) -> str:
    job = jobs.get(span.job_id)
    label = plot_text(span.job_id) if job is None else job_label(campaign, job)
    return f"<b>{label}</b><br>round {span.round + 1}, {significant(span.start_min)} min<br>throttling: {word}"


def _axes(panels: list[str], *, with_marks: bool) -> dict[str, Any]:
    bottom = 0.24 if with_marks else 0.0
    height = (1 - bottom) / len(panels)
    axes: dict[str, Any] = {}
    for place, quantity in enumerate(panels):
        top = 1 - place * height
        domain = [top - height + (0.06 if place + 1 < len(panels) else 0), top]
        axes[f"yaxis{place + 1 if place else ''}"] = axis(_PANELS[quantity][0], zeroline=False, domain=domain)
    if with_marks:
        axes[f"yaxis{len(panels) + 1}"] = axis(
            "",
            domain=[0, bottom - 0.06],
            tickvals=list(range(len(_SIGNS))),
            ticktext=list(_SIGNS),
            range=[len(_SIGNS) - 0.5, -0.5],
            zeroline=False,
            fixedrange=True,
        )
    return axes


def _start_line(start_line_c: float | None) -> list[Json]:
    if start_line_c is None:
        return []
    line = {"color": "--muted", "width": 1, "dash": "dot"}
    place = {"xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": start_line_c, "y1": start_line_c}
    return [{"type": "line", "layer": "below", "line": line, **place}]
