"""Where an inference's time goes: a bar per job, a part per kind of operator, coloured by what ran it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pocketbench.reports.campaign import Campaign, Job
from pocketbench.reports.digits import significant, time_unit
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
from pocketbench.reports.operators import Kind, Profile

__all__ = ["MOST_KINDS", "operators_figure"]

# Of each job; what comes after them is one part, as it is too thin to be seen apart.
MOST_KINDS = 12
_COLORS = ("--part-1", "--part-2", "--part-3", "--part-4", "--part-0")
_FALLBACK = "interpreter"
_HATCH = {"bgcolor": "--paper", "fgopacity": 1, "size": 5}


def operators_figure(
    campaign: Campaign, jobs: Sequence[Job], found: Mapping[str, Profile], identifier: str
) -> Figure | None:
    """Of one device's jobs that were profiled; None where there is none."""
    rows = [(job, found[job.job_id]) for job in jobs if job.job_id in found and found[job.job_id].time_ns > 0]
    if not rows:
        return None
    unit = time_unit([profile.time_ns for _, profile in rows])
    labels = [job_label(campaign, job) for job, _ in rows]
    ran_on = list(dict.fromkeys(kind.runs_on for _, profile in rows for kind in profile.kinds))
    colors = {name: _COLORS[position % len(_COLORS)] for position, name in enumerate(ran_on)}
    data: list[Json] = []
    # One trace for the largest part of every job, one for the second, …: traces stack in their order.
    parts = [_parts(profile) for _, profile in rows]
    for rank in range(max(map(len, parts))):
        held = [(place, own[rank]) for place, own in enumerate(parts) if rank < len(own)]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": [place for place, _ in held],
                "x": [kind.time_ns / unit.size for _, kind in held],
                "width": 0.7,
                "marker": {
                    "color": [colors[kind.runs_on] for _, kind in held],
                    "line": {"color": "--paper", "width": 1},
                    "pattern": {
                        "shape": ["/" if kind.is_conversion else "" for _, kind in held],
                        "fgcolor": [colors[kind.runs_on] for _, kind in held],
                        **_HATCH,
                    },
                },
                "hovertext": [
                    f"<b>{labels[place]}</b><br>{plot_text(kind.operator, 60)}, {kind.calls}×<br>"
                    f"{unit.value(kind.time_ns)} {unit.name}, {significant(100 * kind.share, 2)} %<br>"
                    f"ran on {plot_text(kind.runs_on)}"
                    for place, kind in held
                ],
                "hoverinfo": "text",
                "showlegend": False,
            }
        )
    data += [_entry(plot_text(name), colors[name], "") for name in ran_on]
    if any(kind.is_conversion for own in parts for kind in own):
        data.append(_entry("quantize, dequantize", "--muted", "/"))
    layout = base_layout(
        barmode="stack",
        xaxis=axis(f"Time of an inference under the profiler, {unit.name}", rangemode="tozero"),
        yaxis=row_axis(labels),
    )
    description = f"Stacked bars of the operators' time of {len(rows)} jobs. The table below it has its figures."
    return Figure(identifier, description, data, layout, rows_height(len(rows)) + 16, rows=labels)


def _parts(profile: Profile) -> list[Kind]:
    """The slowest kinds, then the rest of each thing that ran any; those that ran on the same stand together."""
    shown, rest = profile.kinds[:MOST_KINDS], profile.kinds[MOST_KINDS:]
    others = [
        Kind(
            "all others",
            runs_on,
            sum(kind.calls for kind in rest if kind.runs_on == runs_on),
            sum(kind.time_ns for kind in rest if kind.runs_on == runs_on),
            sum(kind.share for kind in rest if kind.runs_on == runs_on),
        )
        for runs_on in dict.fromkeys(kind.runs_on for kind in rest)
    ]
    return sorted([*shown, *others], key=lambda kind: (kind.runs_on == _FALLBACK, kind.runs_on, kind.is_conversion))


def _entry(title: str, color: str, shape: str) -> Json:
    marker = {"color": color, "pattern": {"shape": shape, "fgcolor": color, **_HATCH}}
    return {"type": "bar", "orientation": "h", "name": title, "x": [None], "y": [None], "marker": marker}
