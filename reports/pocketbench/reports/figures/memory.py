"""Peak resident memory by stage: the bar is the peak at the end, its parts are what each stage added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pocketbench.reports.campaign import Campaign, Job
from pocketbench.reports.digits import byte_size
from pocketbench.reports.figures.figure import Figure, axis, base_layout, job_label, plot_text, row_axis, rows_height
from pocketbench.reports.memory_stages import Stage

__all__ = ["memory_figure"]

_MEGABYTE = 1e6
_PARTS = 5


def memory_figure(
    campaign: Campaign, jobs: Sequence[Job], found: Mapping[str, Sequence[Stage]], identifier: str
) -> Figure | None:
    """Of one device's jobs; private memory and PSS at the end as marks where the device says them."""
    rows = [(job, found[job.job_id]) for job in jobs if any(s.peak is not None for s in found.get(job.job_id, ()))]
    if not rows:
        return None
    labels = [job_label(campaign, job) for job, _ in rows]
    names = list(dict.fromkeys(stage.stage for _, stages in rows for stage in stages))
    data: list[dict[str, Any]] = []
    before = [0.0] * len(rows)
    for position, name in enumerate(names):
        peaks = [next((s.peak for s in stages if s.stage == name), None) for _, stages in rows]
        title = plot_text(name.replace("_", " "))
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": title,
                "y": list(range(len(rows))),
                "x": [
                    None if peak is None else max(0.0, peak - start) / _MEGABYTE
                    for peak, start in zip(peaks, before, strict=True)
                ],
                "width": 0.6,
                "marker": {"color": f"--part-{position % _PARTS}"},
                "hovertext": [
                    f"<b>{label}</b><br>{title}: "
                    + (
                        "not known"
                        if peak is None
                        else f"peak {byte_size(peak)}, {byte_size(max(0.0, peak - start))} more"
                    )
                    for label, peak, start in zip(labels, peaks, before, strict=True)
                ],
                "hoverinfo": "text",
            }
        )
        before = [start if peak is None else max(peak, start) for peak, start in zip(peaks, before, strict=True)]
    for title, symbol, figures in (
        ("private at the end", "diamond", [stages[-1].private for _, stages in rows]),
        ("PSS at the end", "circle-open", [stages[-1].pss for _, stages in rows]),
    ):
        if any(figure is not None for figure in figures):
            data.append(_marks(title, symbol, labels, figures))
    layout = base_layout(
        barmode="stack", xaxis=axis("Peak resident memory, MB", rangemode="tozero"), yaxis=row_axis(labels)
    )
    description = f"Stacked bars of the peak resident memory of {len(rows)} jobs. The table below it has its figures."
    return Figure(identifier, description, data, layout, rows_height(len(rows)) + 16, rows=labels)


def _marks(title: str, symbol: str, labels: Sequence[str], figures: Sequence[float | None]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": title,
        "x": [None if figure is None else figure / _MEGABYTE for figure in figures],
        "y": list(range(len(labels))),
        "marker": {"color": "--ink", "symbol": symbol, "size": 9, "line": {"width": 1.5, "color": "--ink"}},
        "hovertext": [
            f"<b>{label}</b><br>{title}: {'not known' if figure is None else byte_size(figure)}"
            for label, figure in zip(labels, figures, strict=True)
        ],
        "hoverinfo": "text",
    }
