"""Energy of an inference by one sensor: gross as bars with their intervals, net as marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pocketbench.reports.campaign import Campaign, Interval, Job
from pocketbench.reports.digits import Unit, energy_unit
from pocketbench.reports.energies import Energy
from pocketbench.reports.figures.figure import (
    Figure,
    Json,
    axis,
    base_layout,
    job_label,
    plot_text,
    row_axis,
    rows_height,
)

__all__ = ["energy_figure"]


def energy_figure(
    campaign: Campaign, jobs: Sequence[Job], found: Mapping[str, Energy], boundary: str, identifier: str
) -> Figure | None:
    """Of one device's jobs whose energy is known; None where there is none."""
    rows = [(job, energy.gross, energy.net) for job in jobs if (energy := found.get(job.job_id)) and energy.gross]
    if not rows:
        return None
    unit = energy_unit([gross.value for _, gross, _ in rows if gross])
    labels = [job_label(campaign, job) for job, *_ in rows]
    gross = {
        "type": "bar",
        "orientation": "h",
        "width": 0.6,
        "marker": {"color": "--part-0"},
        "error_x": _bars([gross for _, gross, _ in rows], unit),
        **_figures("gross", labels, [gross for _, gross, _ in rows], unit),
    }
    data: list[Json] = [gross]
    if any(net for *_, net in rows):
        marker = {"color": "--ink", "symbol": "diamond", "size": 9}
        net = _figures("net of idle", labels, [net for *_, net in rows], unit)
        data.append({"type": "scatter", "mode": "markers", "marker": marker, **net})
    layout = base_layout(
        xaxis=axis(f"Energy of one inference, {unit.name} ({plot_text(boundary, 20)})", rangemode="tozero"),
        yaxis=row_axis(labels),
    )
    description = f"Bars of the energy of an inference of {len(rows)} jobs. The table below it has its figures."
    return Figure(identifier, description, data, layout, rows_height(len(rows)), rows=labels)


def _figures(title: str, labels: Sequence[str], figures: Sequence[Interval | None], unit: Unit) -> Json:
    return {
        "name": title,
        "y": list(range(len(labels))),
        "x": [None if figure is None else figure.value / unit.size for figure in figures],
        "hovertext": [
            f"<b>{label}</b><br>{title}: " + ("not known" if f is None else f"{unit.interval(f)} {unit.name}")
            for label, f in zip(labels, figures, strict=True)
        ],
        "hoverinfo": "text",
    }


def _bars(intervals: Sequence[Interval | None], unit: Unit) -> Json:
    bounds = [(part, part.low, part.high) if part else (None, None, None) for part in intervals]
    return {
        "type": "data",
        "symmetric": False,
        "array": [
            None if high is None or part is None else (high - part.value) / unit.size for part, _, high in bounds
        ],
        "arrayminus": [
            None if low is None or part is None else (part.value - low) / unit.size for part, low, _ in bounds
        ],
        "color": "--ink",
        "thickness": 1.2,
        "width": 3,
    }
