"""Memory of each job by stage: medians over its memory launches."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.values import identifier, number, text

__all__ = ["Stage", "memory_stages"]

_FIGURES = ("resident_bytes", "peak_resident_bytes", "pss_bytes", "private_bytes")


@dataclass(frozen=True, slots=True)
class Stage:
    """Bytes at the end of a stage; None where the device does not say."""

    stage: str
    resident: float | None
    peak: float | None
    pss: float | None
    private: float | None


def memory_stages(tables: CampaignTables) -> dict[str, tuple[Stage, ...]]:
    """By job, in the order of the stages."""
    launches: dict[str, dict[tuple[float, str], list[dict[Any, Any]]]] = {}
    for row in tables.memory.to_dict(orient="records"):
        place = (number(row["position"]) or 0.0, text(row["stage"]) or "unnamed")
        launches.setdefault(identifier(row["job_id"]) or "unnamed", {}).setdefault(place, []).append(row)
    return {
        job_id: tuple(
            Stage(name, *(_median([row[figure] for row in rows]) for figure in _FIGURES))
            for (_, name), rows in sorted(stages.items(), key=lambda stage: stage[0])
        )
        for job_id, stages in launches.items()
    }


def _median(cells: Sequence[Any]) -> float | None:
    known = [value for value in map(number, cells) if value is not None]
    return statistics.median(known) if known else None
