"""Conditions and provenance: devices, engines, files, the campaign, how estimates are made, and the words used."""

from __future__ import annotations

from pocketbench.reports.digits import significant
from pocketbench.reports.flags import MEANINGS
from pocketbench.reports.markup import Html, element
from pocketbench.reports.names import visible
from pocketbench.reports.sections.devices import devices
from pocketbench.reports.sections.facts import code_cell, facts, words_cell
from pocketbench.reports.sections.section import details, section
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.tabulate import Column, figure_cell, table
from pocketbench.reports.values import count, identifier, number, text

__all__ = ["conditions_section"]

_ESTIMATES = (
    "A launch is one process on the device. Its warm-up ends where latency has settled; its value is the median of the "
    "iterations after that. Every sample is kept, none is removed.",
    "Burst is from the start line on and over before the device is hot; sustained is after the temperature has "
    "settled, throttled or not. They answer different questions.",
    "A launch does not count where a rule that was written down beforehand says so; none of these rules looks at the "
    "latency. It is kept, listed, and made again.",
    "A round launches every job once, in an order drawn from the seed. A job's latency is the geometric mean of its "
    "launches, with Student's t interval of their logarithms: over launches, as the iterations of one launch share its "
    "luck.",
    "A ratio is taken within each round, so that what slows a whole round cancels out: geometric mean of the rounds' "
    "ratios, t interval over rounds. Size and memory have no interval; cold start has one between two of its launches.",
    "The reference is launched once more in every round, as an A/A copy: what it differs by is noise, and no smaller "
    "ratio is called a difference. A copy is no variant and stands in no ranking.",
    "Quality is of the deployed file, run on the device over the evaluation data.",
)
_GLOSSARY = {
    "reference": "the variant that every round includes; ratios are against it, at the same threads and cores",
    "control": "the base model trained equally longer without compression: what training alone does",
    "job": "a variant on a device with an engine, a number of threads and a choice of cores",
    "ok, partial, failed": "everything is there, something is missing, or there is no latency",
    **MEANINGS,
    "dominated": "another variant is at least as good in both measures and better in one",
    "difference": "the interval excludes 1, and the ratio is further from 1 than the A/A copy's",
    "none found": "there may still be a difference that is smaller than the interval or the noise",
    "cannot say": "something is missing that it takes to say so; the comparison names it",
    "A/A copy": "the reference launched once more in every round, as a job like any other",
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
        facts(row, _CAMPAIGN),
        element("h3", "Devices"),
        *devices(tables),
        element("h3", "Engines and files"),
        *_files(tables),
        element("h3", "How the estimates are made"),
        element("ul", *(element("li", line) for line in (*_ESTIMATES, _confidence(number(row["confidence"]))))),
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


def _confidence(nominal: float | None) -> str:
    """What "95 %" means here."""
    if nominal is None or nominal <= 0.95:
        return "All intervals are made with, and hold in, 95 %."
    return (
        "Rounds were added until the intervals were narrow, and so they end where the spread was found too small. To "
        f"hold in 95 %, as they are called, intervals are made with {significant(100 * nominal, 4)} %."
    )


_CAMPAIGN = {
    "campaign_id": "identifier",
    "status": "status",
    "started_at": "started",
    "finished_at": "finished",
    "regime": "regime",
    "scenario": "scenario",
    "precision": "precision asked for",
    "budget_s": "time allowed",
    "rounds_planned": "rounds planned, at most",
    "rounds_done": "rounds done",
    "seed": "seed of the order",
    "quality_metric": "quality metric",
    "pocketbench_version": "pocketbench",
}


def _files(tables: CampaignTables) -> list[Html]:
    engines = [
        [
            *(words_cell(row[column]) for column in ("name", "version", "platform")),
            code_cell(identifier(row["engine_id"])),
            code_cell(row["sha256"]),
        ]
        for row in tables.engines.to_dict(orient="records")
    ]
    files = [
        [
            *(words_cell(row[column]) for column in ("name", "format")),
            figure_cell(None if (size := count(row["size_bytes"])) is None else f"{size:,} B", size),
            code_cell(row["sha256"]),
        ]
        for row in tables.variants.to_dict(orient="records")
    ]
    shown = []
    if engines:
        columns = [Column("Engine"), Column("Version"), Column("Platform"), Column("Build")]
        columns.append(Column("sha256 of the library"))
        shown.append(table("Engines", columns, engines))
    if files:
        columns = [Column("Variant"), Column("Format"), Column("Size", True), Column("sha256 of the file")]
        shown.append(table("Files", columns, files))
    return shown or [element("p", "No engine and no file is known.", class_="none")]
