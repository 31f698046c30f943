"""The verdict in words: headline, what it wins and costs, what to watch, and how it was decided."""

from __future__ import annotations

from pocketbench.reports.campaign import Campaign
from pocketbench.reports.changes import Change
from pocketbench.reports.markup import Html, element, join, name, sentence
from pocketbench.reports.names import Sentence
from pocketbench.reports.sections.section import details, section
from pocketbench.reports.tabulate import Cell, Column, figure_cell, table, text_cell
from pocketbench.reports.verdict import DeviceVerdict, Verdict

__all__ = ["verdict_section"]

_RULE = (
    "In question are all jobs of a device that could be measured, with every engine, number of threads and choice of "
    "cores; controls are not, they exist to be compared with.",
    "A difference is only called one where the 95 % interval of the latency ratio to the reference excludes 1 and the "
    "ratio is further from 1 than that of the A/A copy, which is the reference once more. It is paired by round, at "
    "the same threads and cores. A variant is faster where it differs and the ratio is below 1.",
    "It keeps the quality unless the reference's value lies outside its interval, on the good side. Both are evaluated "
    "on the same examples, where they mostly agree, so this rather calls a drop a drop than misses one. Where the "
    "metric has no interval, or no quality is known, quality was not judged, and the headline says “if”.",
    "Of the variants that are faster and keep the quality, the fastest is what to ship, unless the reference is faster "
    "still with other threads or cores. Where there is none, the reference is what to ship.",
    "Where nothing is faster, but of a variant it cannot be said (no interval, no A/A copy), nothing is decided.",
    "Without a reference nothing is called faster than it: the lowest latency is named, and no more than that.",
    "Intervals are not widened for the number of variants: of twenty equal ones, one may look different by chance.",
)


def verdict_section(campaign: Campaign, verdict: Verdict) -> Html:
    """First on the page."""
    devices = [_device(campaign, device) for device in verdict.devices]
    if not devices:
        devices = [element("p", "Nothing was measured on any device, so there is nothing to ship.", class_="headline")]
    notes = (
        element("ul", *(element("li", sentence(note)) for note in verdict.notes), class_="notes")
        if verdict.notes
        else ""
    )
    rule = details("How this was decided", element("ol", *(element("li", line) for line in _RULE), class_="rule"))
    return section("verdict", "Verdict", "", *devices, Html(notes), rule)


def _device(campaign: Campaign, device: DeviceVerdict) -> Html:
    parts = [element("h3", name(device.decision.device))] if campaign.several_devices else []
    parts.append(element("p", sentence(device.headline), class_="headline"))
    if device.reasons:
        parts.append(element("p", join(_spaced([sentence(reason) for reason in device.reasons])), class_="reasons"))
    if device.changes and device.decision.pick and device.decision.reference:
        parts.append(_changes(campaign, device.changes))
    parts += _list("What to watch", device.cautions) + _list("What to mend", device.findings)
    return element("article", *parts, class_=f"device {device.decision.outcome.replace(' ', '-')}")


def _spaced(sentences: list[Html]) -> list[Html]:
    return [part for one in sentences for part in (one, Html(" "))][:-1]


def _list(title: str, items: tuple[Sentence, ...]) -> list[Html]:
    if not items:
        return []
    words = element("ul", *(element("li", sentence(item)) for item in items))
    return [element("div", element("h4", title), words, class_="watch")]


def _changes(campaign: Campaign, changes: tuple[Change, ...]) -> Html:
    columns = [Column("Measure"), Column("Change", True), Column("To ship", True), Column("Reference", True)]
    rows: list[list[Cell]] = [
        [
            text_cell(name(change.measure), change.measure),
            figure_cell(change.change, None),
            figure_cell(change.ours, None),
            figure_cell(change.reference, None),
        ]
        for change in changes
    ]
    return table(f"What it wins and costs, {campaign.regime_words}, with 95 % intervals", columns, rows)
