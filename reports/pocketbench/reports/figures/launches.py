"""Median of each launch over the rounds, against its job's mean: drift of the device is what all lines share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pocketbench.reports.campaign import Campaign, Job
from pocketbench.reports.digits import significant, time_unit
from pocketbench.reports.figures.figure import Figure, axis, base_layout, engine_style, job_label, plot_text
from pocketbench.reports.paired import ByRound

__all__ = ["launches_figure"]


def launches_figure(campaign: Campaign, jobs: Sequence[Job], medians: ByRound, identifier: str) -> Figure | None:
    """One line per job in its engine's colour; None where no job has a launch."""
    rows = [(job, medians[job.job_id]) for job in jobs if medians.get(job.job_id) and job.latency]
    if not rows:
        return None
    engines = sorted({_engine(job) for job, _ in rows})
    data: list[dict[str, Any]] = []
    named: set[str] = set()
    for job, by_round in rows:
        assert job.latency is not None  # rows have one
        engine, mean = _engine(job), job.latency.value
        color, symbol = engine_style(engines, engine)
        unit = time_unit([mean])
        numbers = sorted(by_round)
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": engine,
                "legendgroup": engine,
                "showlegend": engine not in named,
                "x": [number + 1 for number in numbers],
                "y": [100 * (by_round[number] / mean - 1) for number in numbers],
                "line": {"color": color, "width": 1},
                "marker": {"color": color, "symbol": symbol, "size": 6},
                "opacity": 0.75,
                "hovertext": [
                    "<br>".join(
                        (
                            f"<b>{job_label(campaign, job)}</b>",
                            f"round {number + 1}: {unit.value(by_round[number])} {unit.name}",
                            f"{significant(100 * (by_round[number] / mean - 1), 2)} % from the job's mean",
                        )
                    )
                    for number in numbers
                ],
                "hoverinfo": "text",
            }
        )
        named.add(engine)
    rounds = max(max(by_round) for _, by_round in rows) + 1
    layout = base_layout(
        xaxis=axis("Round", range=[0.5, rounds + 0.5], tickformat="d", nticks=min(rounds + 1, 12), zeroline=False),
        yaxis=axis("Launch median against<br>the job's mean, %", zeroline=True),
    )
    description = f"Lines of {len(rows)} jobs over {rounds} rounds: median of each launch against the mean of its job."
    return Figure(identifier, description, data, layout, 340)


def _engine(job: Job) -> str:
    return plot_text(job.engine.label) if job.engine else "engine not known"
