"""What every benchmark prints and writes: a table of rows, the goals, the versions and the machine."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Cell", "Goal", "Row", "machine", "print_goals", "print_table", "versions", "write_json"]

Cell = str | int | float | None
Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Goal:
    """`value` is what was found, in the unit that `target` is written in; None where nothing could be found."""

    name: str
    target: str
    value: float | None
    met: bool


def versions(*packages: str) -> dict[str, str]:
    """Version of each distribution, `missing` where it is not installed."""

    def version(name: str) -> str:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return "missing"

    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def machine() -> dict[str, Cell]:
    """What the figures depend on, without a name that identifies the computer."""
    # "model name	: Intel(R) Xeon(R) Processor"; absent on most ARM kernels
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), None)
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "kernel": platform.release(),
        "load_average_1min": round(os.getloadavg()[0], 2),
    }


def print_table(rows: Sequence[Row]) -> None:
    """Print rows of the same keys as columns of text."""
    if not rows:
        print("no rows")
        return
    names = list(rows[0])
    table = [names, *[[_text(row[name]) for name in names] for row in rows]]
    widths = [max(len(line[column]) for line in table) for column in range(len(names))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_goals(goals: Sequence[Goal]) -> None:
    """Print one line a goal."""
    for goal in goals:
        print(f"{'met' if goal.met else 'NOT MET':8}{goal.name}: {_text(goal.value)} (target {goal.target})")


def write_json(path: Path, rows: Sequence[Row], goals: Sequence[Goal], packages: Mapping[str, str]) -> None:
    """Write the whole outcome."""
    content = {
        "rows": [dict(row) for row in rows],
        "goals": [asdict(goal) for goal in goals],
        "versions": dict(packages),
        "machine": machine(),
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _text(value: Cell) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
