"""Box per job of its steady latencies: 25 to 75 % in the box, 5 to 95 % the whiskers, the tail as points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pocketbench.reports.campaign import Campaign, Job
from pocketbench.reports.digits import time_unit, whole
from pocketbench.reports.distributions import Distribution
from pocketbench.reports.figures.figure import Figure, axis, base_layout, job_label, log_ticks, row_axis, rows_height

__all__ = ["latency_figure"]


def latency_figure(
    campaign: Campaign, jobs: Sequence[Job], found: Mapping[str, Distribution], identifier: str
) -> Figure | None:
    """Of one device's jobs that have samples; None where there is none."""
    rows = [(job, found[job.job_id]) for job in jobs if job.job_id in found]
    if not rows:
        return None
    unit = time_unit([distribution.p5 for _, distribution in rows])
    places = list(range(len(rows)))
    labels = [job_label(campaign, job) for job, _ in rows]
    hover = [
        f"<b>{label}</b><br>median {unit.value(d.median)} {unit.name}<br>"
        f"5 to 95 %: {unit.value(d.p5)} to {unit.value(d.p95)} {unit.name}<br>largest {unit.value(d.largest)} "
        f"{unit.name}<br>{whole(d.samples)} samples"
        for label, (_, d) in zip(labels, rows, strict=True)
    ]
    tail = [(value / unit.size, place) for place, (_, d) in enumerate(rows) for value in d.tail]
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "slowest 5 %",
            "x": [value for value, _ in tail],
            "y": [place for _, place in tail],
            "marker": {"color": "--muted", "symbol": "line-ns-open", "size": 8, "opacity": 0.6},
            "hoverinfo": "skip",
        },
        {
            "type": "box",
            "name": "25 to 75 %, whiskers 5 to 95 %",
            "orientation": "h",
            "y": places,
            **{key: [getattr(d, part) / unit.size for _, d in rows] for key, part in _PARTS.items()},
            "width": 0.55,
            "line": {"color": "--engine-0", "width": 1.5},
            "fillcolor": "--fill",
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": [d.median / unit.size for _, d in rows],
            "y": places,
            "marker": {"size": 16, "opacity": 0, "color": "--engine-0"},
            "hovertext": hover,
            "hoverinfo": "text",
            "showlegend": False,
        },
    ]
    shown = [part / unit.size for _, d in rows for part in (d.p5, d.largest)]
    layout = base_layout(
        xaxis=axis(f"Latency of one inference, {unit.name}", zeroline=False, **log_ticks(shown)), yaxis=row_axis(labels)
    )
    description = f"Box plot of the steady latencies of {len(rows)} jobs. The table below it has its figures."
    return Figure(identifier, description, data, layout, rows_height(len(rows)), rows=labels)


_PARTS = {"lowerfence": "p5", "q1": "p25", "median": "median", "q3": "p75", "upperfence": "p95"}
