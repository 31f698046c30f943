"""The steady latencies of each job in a few figures, exact over all samples: a million cost no more than ten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.values import identifier

__all__ = ["TAIL_POINTS", "Distribution", "distributions"]

# Samples above the 95th percentile that a plot shows of each job: by even rank, so that the largest is among them.
TAIL_POINTS = 40
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Distribution:
    """Steady iterations of all launches of one job; times in ns."""

    samples: int
    p5: float
    p25: float
    median: float
    p75: float
    p95: float
    largest: float
    tail: tuple[float, ...]


def distributions(tables: CampaignTables) -> dict[str, Distribution]:
    """By job; a job without steady samples has none."""
    jobs = tables.launches.set_index("launch_id")["job_id"]
    steady = tables.samples[tables.samples["kind"] == "steady"]
    latencies = pd.to_numeric(steady["latency_ns"], errors="coerce").astype("float64")
    grouped = latencies.groupby(steady["launch_id"].map(jobs[~jobs.index.duplicated()]), observed=True)
    found = {}
    for job_id, group in grouped:
        values = group.to_numpy()
        values = np.sort(values[np.isfinite(values) & (values > 0)])
        if len(values):
            found[identifier(job_id) or "unnamed"] = _distribution(values)
    return found


def _distribution(ordered: np.ndarray) -> Distribution:
    p5, p25, median, p75, p95 = (float(value) for value in np.quantile(ordered, _QUANTILES))
    above = ordered[ordered > p95]
    ranks = np.unique(np.linspace(0, len(above) - 1, min(TAIL_POINTS, len(above))).round().astype(int))
    tail = tuple(float(value) for value in above[ranks]) if len(above) else ()
    return Distribution(len(ordered), p5, p25, median, p75, p95, float(ordered[-1]), tail)
