"""Each device: what it is, how it was prepared and cooled, what it was asked during launches and why not the rest."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from pocketbench.reports.digits import significant
from pocketbench.reports.markup import Html, element, long_text, name
from pocketbench.reports.preparations import preparations
from pocketbench.reports.sections.facts import facts, words_cell
from pocketbench.reports.sections.section import details
from pocketbench.reports.sensors import sensor_facts
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.tabulate import Column, figure_cell, table, text_cell
from pocketbench.reports.values import text

__all__ = ["devices"]

_DEVICE = {
    "address": "address",
    "profile": "profile",
    "model": "model",
    "cpu": "CPU",
    "cores": "logical CPUs",
    "memory_bytes": "memory",
    "os": "operating system",
    "kernel": "kernel",
    "architecture": "architecture",
    "cpu_features": "CPU features",
    "governor": "governor at the start",
    "load_average_1min": "load average at the start (1 min)",
    "start_line_c": "start line of launches",
    "sampler_ratio": "latency with the sampler against without",
    "rounds_ended": "rounds ended by",
}


def devices(tables: CampaignTables) -> list[Html]:
    rows = tables.devices.to_dict(orient="records")
    if not rows:
        return [element("p", "No device is known.", class_="none")]
    return [
        part for row in rows for part in (element("h4", name(str(row["device"]))), facts(row, _DEVICE), *_details(row))
    ]


def _details(row: dict[Hashable, Any]) -> list[Html]:
    return [*_preparation(text(row["preparation"])), *_sensors(text(row["sensors"]))]


def _preparation(cell: str | None) -> list[Html]:
    """What was set for the campaign, and whether it is as it was."""
    found = preparations(cell)
    if not found:
        why = "It was not prepared." if cell is None else "What it was prepared with cannot be read."
        return [element("p", why, class_="none")]
    columns = [Column("Setting"), Column("Status"), Column("Before"), Column("During"), Column("Why")]
    rows = [
        [
            text_cell(name(one.what, 60), one.what),
            text_cell(name(one.status, 24), one.status),
            words_cell(one.before),
            words_cell(one.now),
            text_cell(element("span", long_text(one.reason or ""), class_="wide"), one.reason or ""),
        ]
        for one in found
    ]
    return [details("Prepared for the campaign", table("Preparation", columns, rows, sortable=True))]


def _sensors(cell: str | None) -> list[Html]:
    """What was asked during launches, and why the rest was not."""
    found = sensor_facts(cell)
    if not found:
        why = "No sensor was asked during launches." if cell is None else "What was sensed cannot be read."
        return [element("p", why, class_="none")]
    columns = [Column("Sensor"), Column("Asked", True, "times a second"), Column("Power of"), Column("Why not")]
    rows = [
        [
            text_cell(name(one.name, 32), one.name),
            figure_cell(
                f"{significant(one.rate_hz, 2)} Hz" if one.rate_hz else "yes" if one.is_sensed else None,
                one.rate_hz,
                "not asked",
            ),
            words_cell(one.boundary),
            text_cell(long_text(one.reason or ("" if one.is_sensed else "no reason is known")), one.reason or ""),
        ]
        for one in found
    ]
    asked = sum(one.is_sensed for one in found)
    title = f"Sensors: {asked} asked during launches, {len(found) - asked} not"
    return [details(title, table("Sensors", columns, rows, sortable=True))]
