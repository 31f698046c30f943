"""What sensors said over a whole campaign, in few enough points for a page: a million cost no more than a thousand."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocketbench.reports.launch_facts import Signs, signs
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.values import count, identifier, text

__all__ = ["MOST_POINTS", "MOST_SOURCES", "LaunchSpan", "Line", "Traces", "device_traces"]

# A plot is some 1,100 pixels wide: the lowest and the highest reading of each of so many stretches lose nothing that
# could be seen.
MOST_POINTS = 1200
# A phone has dozens of thermal zones: the hottest and the fastest are shown, and how many there are is said.
MOST_SOURCES = 4
_SHOWN = ("temperature_c", "frequency_khz")
_SERIES = ("quantity", "sensor", "source")
_MINUTE_NS = 6e10
Row = dict[Hashable, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One source of one sensor; `minutes` since the first launch, NaN in `values` between two launches."""

    quantity: str
    sensor: str
    source: str
    readings: int
    minutes: NDArray[np.float64]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LaunchSpan:
    """When a launch was sensed, and its signs of throttling."""

    job_id: str
    round: int
    start_min: float
    end_min: float
    signs: Signs


@dataclass(frozen=True, slots=True)
class Traces:
    """Of one device. `sources` counts all of each quantity, `lines` are those that are shown."""

    lines: tuple[Line, ...]
    sources: dict[str, int]
    spans: tuple[LaunchSpan, ...]


def device_traces(tables: CampaignTables, job_ids: Iterable[str]) -> Traces:
    """Of all launches of these jobs, also of those that do not count."""
    wanted = set(job_ids)
    rows = tables.launches.to_dict(orient="records")
    launches = {identifier(row["launch_id"]) or "": row for row in rows if identifier(row["job_id"]) in wanted}
    timed = _timed(tables.traces, launches)
    if timed.empty:
        return Traces((), {}, ())
    first = timed.groupby("launch")["time_ns"].agg(["min", "max"])
    starts = _starts(launches, first["min"])
    timed["begin"] = timed["launch"].map(starts)
    timed["minutes"] = timed["begin"] + (timed["time_ns"] - timed["launch"].map(first["min"])) / _MINUTE_NS
    spans = [
        LaunchSpan(
            identifier(launches[launch]["job_id"]) or "unnamed",
            count(launches[launch]["round"]) or 0,
            starts[launch],
            starts[launch] + float(last - begin) / _MINUTE_NS,
            signs(launches[launch]),
        )
        for launch, begin, last in zip(first.index, first["min"], first["max"], strict=True)
    ]
    lines, sources = _lines(timed)
    return Traces(lines, sources, tuple(sorted(spans, key=lambda span: span.start_min)))


def _timed(traces: pd.DataFrame, launches: dict[str, Row]) -> pd.DataFrame:
    """The readings that are shown, with finite figures, each with its launch."""
    # Once for each launch and not for each of a million readings.
    names = {cell: identifier(cell) for cell in traces["launch_id"].unique()}
    ours = [cell for cell, name in names.items() if name in launches]
    kept = traces[traces["quantity"].isin(_SHOWN) & traces["launch_id"].isin(ours)]
    timed = pd.DataFrame(
        {
            "launch": kept["launch_id"].map(names),
            "time_ns": pd.to_numeric(kept["time_ns"], errors="coerce").astype("float64"),
            "value": pd.to_numeric(kept["value"], errors="coerce").astype("float64"),
            **{column: kept[column].astype("category") for column in _SERIES},
        }
    )
    finite: pd.DataFrame = timed[np.isfinite(timed["time_ns"]) & np.isfinite(timed["value"])]
    return finite.copy()


def _starts(launches: dict[str, Row], first_ns: pd.Series[float]) -> dict[str, float]:
    """Minute at which each launch began: by this computer's clock, as the device's begins anew when it restarts.

    Where the instant is not known, by the device's clock.
    """
    cells = [text(launches[launch]["started_at"]) for launch in first_ns.index]
    instants = pd.to_datetime(pd.Series(cells, dtype="object"), errors="coerce", utc=True, format="ISO8601")
    by_device = (first_ns - first_ns.min()) / _MINUTE_NS
    if instants.isna().any():
        return {str(launch): float(minute) for launch, minute in by_device.items()}
    minutes = (instants - instants.min()).dt.total_seconds() / 60
    return {str(launch): float(minute) for launch, minute in zip(first_ns.index, minutes, strict=True)}


def _lines(timed: pd.DataFrame) -> tuple[tuple[Line, ...], dict[str, int]]:
    grouped = timed.groupby(list(_SERIES), observed=True)
    series = [([text(part) or "unnamed" for part in key], group) for key, group in grouped]
    lines: list[Line] = []
    sources: dict[str, int] = {}
    for quantity in _SHOWN:
        ours = [(key, group) for key, group in series if key[0] == quantity]
        ours.sort(key=lambda one: -float(one[1]["value"].max()))
        sources[quantity] = len(ours)
        lines += [_line(key, group) for key, group in ours[:MOST_SOURCES]]
    return tuple(lines), sources


def _line(key: list[str], group: pd.DataFrame) -> Line:
    # A launch stays together, even where clocks that disagree would have two of them overlap.
    ordered = group.sort_values(["begin", "launch", "minutes"], kind="stable")
    minutes, values = ordered["minutes"].to_numpy(), ordered["value"].to_numpy()
    kept = _extremes(minutes, values)
    launch = ordered["launch"].to_numpy()[kept]
    breaks = np.flatnonzero(launch[1:] != launch[:-1]) + 1
    quantity, sensor, source = key
    return Line(
        quantity,
        sensor,
        source,
        readings=len(values),
        minutes=np.insert(minutes[kept], breaks, minutes[kept][breaks]),
        values=np.insert(values[kept], breaks, np.nan),
    )


def _extremes(minutes: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Places of the lowest and the highest value of each of MOST_POINTS / 2 equal stretches of time, in order."""
    if len(values) <= MOST_POINTS:
        return np.arange(len(values))
    stretches = MOST_POINTS // 2
    first, length = minutes.min(), max(np.ptp(minutes), 1e-9)
    stretch = ((minutes - first) / length * (stretches - 1)).astype(np.int64)
    by_value = np.lexsort((values, stretch))
    ends = np.searchsorted(stretch[by_value], np.arange(stretches + 1))
    filled = ends[:-1] < ends[1:]
    return np.unique(np.concatenate([by_value[ends[:-1][filled]], by_value[ends[1:][filled] - 1]]))
