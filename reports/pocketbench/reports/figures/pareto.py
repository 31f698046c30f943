"""Latency against quality: what is dominated is faint, the area is the file's size. Without quality: against size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pocketbench.reports.campaign import Campaign, Interval, Job
from pocketbench.reports.digits import Unit, byte_size, quality_value, time_unit
from pocketbench.reports.figures.figure import Figure, axis, base_layout, engine_style, job_label, log_ticks, plot_text
from pocketbench.reports.pareto import dominated

__all__ = ["Front", "pareto_figure", "pareto_front"]

_LARGEST_PX = 40
_LEAST_PX = 9
_FAINT = 0.35

Front = list[tuple[Job, Interval, Interval | None, bool]]
"""Job, latency in ns, quality (None: the size stands for it), and whether another job dominates it."""


def pareto_front(campaign: Campaign, device: str) -> Front:
    """The jobs of a device that have both measures. Controls are shown, but make nobody else dominated."""
    jobs = [job for job in campaign.jobs_on(device) if job.usable and job.latency]
    with_quality = any(job.quality for job in jobs)
    shown = [job for job in jobs if (job.quality if with_quality else job.variant.size_bytes)]
    rivals = [_costs(job) for job in shown if not job.is_control]
    front: Front = []
    for job in shown:
        assert job.latency is not None  # usable
        own = _costs(job)
        faint = dominated([own, *rivals])[0]
        front.append((job, job.latency, job.quality.interval if with_quality and job.quality else None, faint))
    return front


def pareto_figure(campaign: Campaign, device: str, identifier: str) -> Figure | None:
    """None where no job has both measures."""
    front = pareto_front(campaign, device)
    if not front:
        return None
    unit = time_unit([latency.value for _, latency, _, _ in front])
    scale, title, better = _vertical(front)
    engines = sorted({_engine(job) for job, *_ in front})
    largest = max((job.variant.size_bytes or 0 for job, *_ in front), default=1) or 1
    data: list[dict[str, Any]] = [_line(front, unit, scale)]
    for engine in engines:
        for control in (False, True):
            members = [entry for entry in front if _engine(entry[0]) == engine and entry[0].is_control == control]
            if members:
                points = _points(campaign, members, unit, scale, engine_style(engines, engine), largest, control)
                data += [points, _legend_entry(points)]
    x = [latency.value / unit.size for _, latency, _, _ in front]
    labels = [
        {
            "x": latency.value / unit.size,
            "y": _height(job, quality) * scale,
            "text": job_label(campaign, job, 34) + (" (reference)" if job.is_reference else ""),
            "important": not faint or job.is_reference,
        }
        for job, latency, quality, faint in sorted(front, key=lambda entry: (entry[3], not entry[0].is_reference))
    ]
    layout = base_layout(
        xaxis=axis(f"Latency, {unit.name} (lower is better)", zeroline=False, **log_ticks(x)),
        yaxis=axis(f"{title} ({better} is better)", zeroline=False),
    )
    description = (
        f"Scatter plot of {len(front)} jobs: latency in {unit.name} against {title}. The table has its figures."
    )
    return Figure(identifier, description, data, layout, 480, labels)


def _costs(job: Job) -> tuple[float, float]:
    latency = job.latency.value if job.latency else float("inf")
    if job.quality is None:
        return latency, float(job.variant.size_bytes or 0)
    return latency, -job.quality.interval.value if job.quality.higher_is_better else job.quality.interval.value


def _engine(job: Job) -> str:
    return plot_text(job.engine.label) if job.engine else "engine not known"


def _height(job: Job, quality: Interval | None) -> float:
    return float(job.variant.size_bytes or 0) if quality is None else quality.value


def _vertical(front: Front) -> tuple[float, str, str]:
    """Factor, title and better direction of the vertical axis."""
    quality = next((job.quality for job, _, interval, _ in front if interval and job.quality), None)
    if quality is None:
        kilobytes = max(job.variant.size_bytes or 0 for job, *_ in front) < 1e6
        return (1e-3, "File size, kB", "lower") if kilobytes else (1e-6, "File size, MB", "lower")
    share = quality_value(quality.metric, Interval(1.0, None, None)).endswith("%")
    better = "higher" if quality.higher_is_better else "lower"
    return (100.0, f"{plot_text(quality.metric)}, %", better) if share else (1.0, plot_text(quality.metric), better)


def _line(front: Front, unit: Unit, scale: float) -> dict[str, Any]:
    best = sorted((entry for entry in front if not entry[3] and not entry[0].is_control), key=lambda e: e[1].value)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [latency.value / unit.size for _, latency, _, _ in best],
        "y": [_height(job, quality) * scale for job, _, quality, _ in best],
        "line": {"shape": "hv", "dash": "dot", "width": 1.5, "color": "--muted"},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _points(
    campaign: Campaign,
    members: Front,
    unit: Unit,
    scale: float,
    style: tuple[str, str],
    largest: int,
    control: bool,
) -> dict[str, Any]:
    color, symbol = style
    sized = [job.variant.size_bytes for job, *_ in members]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": _engine(members[0][0]) + (", control" if control else ""),
        "x": [latency.value / unit.size for _, latency, _, _ in members],
        "y": [_height(job, quality) * scale for job, _, quality, _ in members],
        "error_x": _bars([latency for _, latency, _, _ in members], 1 / unit.size, color),
        "error_y": _bars([quality for _, _, quality, _ in members], scale, color),
        "marker": {
            "color": color,
            "symbol": f"{symbol}-open" if control else symbol,
            "size": [max(_LEAST_PX, _LARGEST_PX * ((size or 0) / largest) ** 0.5) for size in sized],
            "sizemode": "diameter",
            "opacity": [_FAINT if faint else 0.9 for *_, faint in members],
            "line": {"width": 2 if control else 1, "color": color if control else "--paper"},
        },
        "hovertext": [_hover(campaign, entry, unit) for entry in members],
        "hoverinfo": "text",
    }


def _legend_entry(points: dict[str, Any]) -> dict[str, Any]:
    """A mark of its own: Plotly would show the size and faintness of the first point."""
    points |= {"showlegend": False, "legendgroup": points["name"]}
    marker = {**points["marker"], "size": 11, "opacity": 1}
    entry = {key: points[key] for key in ("type", "mode", "name", "legendgroup")}
    return {**entry, "x": [None], "y": [None], "marker": marker, "showlegend": True}


def _bars(intervals: Sequence[Interval | None], factor: float, color: str) -> dict[str, Any]:
    known = [part if part and part.low is not None and part.high is not None else None for part in intervals]
    if not any(known):
        return {"visible": False}
    return {
        "type": "data",
        "symmetric": False,
        "array": [None if part is None else ((part.high or 0) - part.value) * factor for part in known],
        "arrayminus": [None if part is None else (part.value - (part.low or 0)) * factor for part in known],
        "color": color,
        "thickness": 1.2,
        "width": 3,
    }


def _hover(campaign: Campaign, entry: tuple[Job, Interval, Interval | None, bool], unit: Unit) -> str:
    job, latency, quality, faint = entry
    size = "size not known" if job.variant.size_bytes is None else byte_size(job.variant.size_bytes)
    lines = [f"<b>{job_label(campaign, job, 60)}</b>", f"{unit.interval(latency)} {unit.name}"]
    if quality and job.quality:
        lines.append(f"{plot_text(job.quality.metric)} {quality_value(job.quality.metric, quality)}")
    lines += [size, _engine(job)]
    if faint:
        lines.append("dominated")
    return "<br>".join(lines)
