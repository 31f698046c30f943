"""Cold start apart from steady latency: what stands between a process and its first answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pocketbench.reports.campaign import Campaign, Job
from pocketbench.reports.cold_starts import PARTS, ColdStart
from pocketbench.reports.digits import time_unit
from pocketbench.reports.figures.figure import Figure, axis, base_layout, job_label, plot_text, row_axis, rows_height

__all__ = ["cold_start_figure"]


def cold_start_figure(
    campaign: Campaign, jobs: Sequence[Job], found: Mapping[str, Sequence[ColdStart]], identifier: str
) -> Figure | None:
    """Stacked bars of medians over launches; a part that is not known has no bar."""
    rows = [(job, cold) for job in jobs for cold in found.get(job.job_id, ())]
    if not rows:
        return None
    unit = time_unit([sum(part for part in cold.parts if part is not None) for _, cold in rows])
    several = len({cold.page_cache for _, cold in rows}) > 1
    labels = [
        job_label(campaign, job) + (f", {plot_text(cold.page_cache or 'unknown', 16)}" if several else "")
        for job, cold in rows
    ]
    data = []
    for position, title in enumerate(PARTS.values()):
        parts = [cold.parts[position] for _, cold in rows]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": title,
                "y": list(range(len(rows))),
                "x": [None if part is None else part / unit.size for part in parts],
                "width": 0.6,
                "marker": {"color": f"--part-{position}"},
                "hovertext": [
                    f"<b>{label}</b><br>{title}: "
                    + ("not known" if part is None else f"{unit.value(part)} {unit.name}")
                    for label, part in zip(labels, parts, strict=True)
                ],
                "hoverinfo": "text",
            }
        )
    layout = base_layout(
        barmode="stack",
        xaxis=axis(f"Time to the first answer, {unit.name}", rangemode="tozero"),
        yaxis=row_axis(labels),
    )
    description = f"Stacked bars of the cold start of {len(rows)} jobs. The table below it has its figures."
    return Figure(identifier, description, data, layout, rows_height(len(rows)), rows=labels)
