"""Conditions and provenance: devices, engines, files, the campaign, how estimates are made, and the words used."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from pocketbench.reports.cut_short import MEANINGS
from pocketbench.reports.digits import byte_size, instant, whole
from pocketbench.reports.markup import Html, absent, element, name
from pocketbench.reports.names import visible
from pocketbench.reports.sections.section import details, section
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.tabulate import Cell, Column, figure_cell, table, text_cell
from pocketbench.reports.values import count, number, text

__all__ = ["conditions_section"]

_ESTIMATES = (
    "A launch is one process on the device. It warms up for the iterations and the time that the plan asks for; its "
    "value is the median of the iterations after that. Every sample is kept, none is removed.",
    "A round launches every job once, in an order drawn from the seed. A job's latency is the geometric mean of its "
    "launches, with Student's t interval of their logarithms at 95 %: over launches, as the iterations of one launch "
    "share its luck.",
    "A ratio is taken within each round, so that what slows a whole round cancels out: geometric mean of the rounds' "
    "ratios, t interval over rounds. Size, memory and cold start have no interval.",
    "Quality is of the deployed file, run on the device over the evaluation data.",
)
_GLOSSARY = {
    "reference": "the variant that every round includes; ratios are against it, at the same threads and cores",
    "control": "the base model trained equally longer without compression: what training alone does",
    "job": "a variant on a device with an engine, a number of threads and a choice of cores",
    "ok, partial, failed": "everything is there, something is missing, or there is no latency",
    **MEANINGS,
    "dominated": "another variant is at least as good in both measures and better in one",
    "not told apart": "the interval includes no difference; the two may still differ by what it spans",
    "interval": "95 %: of twenty such, nineteen hold the true value",
    "SQNR": "signal to quantization noise ratio of a file's outputs; 6 dB are one bit",
    "peak resident": "most memory that the process held at once (VmHWM), shared pages included",
}


def conditions_section(tables: CampaignTables) -> Html:
    """Last on the page."""
    row = tables.campaign.iloc[0].to_dict()
    plan = text(row["plan"])
    return section(
        "conditions",
        "Conditions and provenance",
        "",
        element("h3", "Campaign"),
        _facts(row, _CAMPAIGN),
        element("h3", "Devices"),
        *_devices(tables),
        element("h3", "Engines and files"),
        *_files(tables),
        element("h3", "How the estimates are made"),
        element("ul", *(element("li", line) for line in _ESTIMATES)),
        element("h3", "Words"),
        element(
            "dl",
            *(element("div", element("dt", word), element("dd", meaning)) for word, meaning in _GLOSSARY.items()),
            class_="facts words",
        ),
        details(
            "The plan", element("pre", visible(plan), tabindex=0) if plan else element("p", "The plan is not known.")
        ),
    )


_CAMPAIGN = {
    "campaign_id": "identifier",
    "status": "status",
    "started_at": "started",
    "finished_at": "finished",
    "rounds_planned": "rounds planned",
    "rounds_done": "rounds done",
    "seed": "seed of the order",
    "quality_metric": "quality metric",
    "pocketbench_version": "pocketbench",
}
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
}


def _facts(row: dict[Hashable, Any], titles: dict[str, str]) -> Html:
    return element(
        "dl",
        *(element("div", element("dt", title), element("dd", _fact(key, row[key]))) for key, title in titles.items()),
        class_="facts",
    )


def _fact(key: str, cell: Any) -> Html:
    figure = number(cell)
    if key.endswith("_bytes"):
        return absent() if figure is None else Html(byte_size(figure))
    found = text(cell)
    if found is None:
        return absent()
    if key.endswith("_at"):
        return element("span", instant(found))
    if isinstance(cell, float) and cell.is_integer():
        return Html(whole(cell))
    return name(found, 120)


def _devices(tables: CampaignTables) -> list[Html]:
    rows = tables.devices.to_dict(orient="records")
    if not rows:
        return [element("p", "No device is known.", class_="none")]
    return [part for row in rows for part in (element("h4", name(str(row["device"]))), _facts(row, _DEVICE))]


def _files(tables: CampaignTables) -> list[Html]:
    engines = [
        [*(_words(row[column]) for column in ("name", "version", "platform")), _hash(row["sha256"])]
        for row in tables.engines.to_dict(orient="records")
    ]
    files = [
        [
            *(_words(row[column]) for column in ("name", "format")),
            figure_cell(None if (size := count(row["size_bytes"])) is None else f"{size:,} B", size),
            _hash(row["sha256"]),
        ]
        for row in tables.variants.to_dict(orient="records")
    ]
    shown = []
    if engines:
        columns = [Column("Engine"), Column("Version"), Column("Platform"), Column("sha256 of the library")]
        shown.append(table("Engines", columns, engines))
    if files:
        columns = [Column("Variant"), Column("Format"), Column("Size", True), Column("sha256 of the file")]
        shown.append(table("Files", columns, files))
    return shown or [element("p", "No engine and no file is known.", class_="none")]


def _words(cell: Any) -> Cell:
    found = text(cell)
    return Cell(absent(), None) if found is None else text_cell(name(found), found)


def _hash(cell: Any) -> Cell:
    found = text(cell)
    return Cell(absent(), None) if found is None else text_cell(element("code", name(found, 80)), found)
