"""What compression did to each variant, from the reports of its steps; forms it does not know are shown as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pocketbench.reports.campaign import Campaign, Interval, Variant
from pocketbench.reports.digits import quality_value, significant, whole
from pocketbench.reports.markup import Html, element, join, long_text, name
from pocketbench.reports.sections.section import details, section
from pocketbench.reports.tabulate import Cell, Column, figure_cell, table, text_cell
from pocketbench.reports.values import number, text

__all__ = ["compression_section"]

_KNOWN = frozenset({"step", "summary", "details", "options", "changed"})
_DEEPEST = 200


def compression_section(campaign: Campaign) -> Html:
    """A table of counts, then the steps of each variant."""
    title = "What compression did"
    if not any(own.steps or own.recipe for own in campaign.variants):
        lead = "The files were given as they are: nothing is known of how they were made."
        return section("compression", title, lead)
    columns = [
        Column("Variant"),
        Column("Recipe"),
        Column("Parameters", True, "before the first step and after the last"),
        Column("MACs", True, "multiplications of one inference, before and after"),
        Column("SQNR, dB", True, "signal to quantization noise of the file's outputs against its source model's"),
        Column("Quality on the host", True, "of the file, on the computer that compressed it"),
        Column("Control", False, "trained equally longer without compression"),
    ]
    rows = [_row(campaign, own) for own in campaign.variants]
    steps = [details(f"{own.name}", _steps(own)) for own in campaign.variants if own.steps]
    return section(
        "compression",
        title,
        "",
        table("Compression of each variant", columns, rows, sortable=True),
        *([element("h3", "Step by step"), *steps] if steps else []),
    )


def _row(campaign: Campaign, own: Variant) -> list[Cell]:
    metric = campaign.quality_metric or ""
    host = None if own.host_quality is None else quality_value(metric, Interval(own.host_quality, None, None))
    nothing = "exact or not known" if own.ok else "the variant failed"
    return [
        text_cell(name(own.name), own.name),
        text_cell(name(own.recipe or "a file of the user's", 32), own.recipe or ""),
        _before_after(own, "parameters", own.parameters, whole),
        _before_after(own, "macs", None, _millions),
        figure_cell(None if own.sqnr_db is None else significant(own.sqnr_db), own.sqnr_db, nothing),
        figure_cell(host, own.host_quality),
        text_cell(name(own.control), own.control)
        if own.control
        else Cell(element("span", "none", class_="quiet"), None),
    ]


def _before_after(own: Variant, what: str, final: float | None, write: Callable[[float], str]) -> Cell:
    """Counts of the first and last step that tell them; `final` where no step does."""
    before = [found for step in own.steps if (found := _figure(step, f"{what}_before")) is not None]
    after = [found for step in own.steps if (found := _figure(step, f"{what}_after")) is not None]
    if before and after and before[0] != after[-1]:
        return figure_cell(f"{write(before[0])} → {write(after[-1])}", after[-1])
    last = after[-1] if after else final
    return figure_cell(None if last is None else write(last), last)


def _millions(count: float) -> str:
    return f"{significant(count / 1e6)} M"


def _figure(step: dict[str, Any], key: str) -> float | None:
    found = step.get("details")
    return number(step[key]) if key in step else number(found.get(key)) if isinstance(found, dict) else None


def _steps(own: Variant) -> Html:
    return element("ol", *(element("li", _step(step)) for step in own.steps), class_="steps")


def _step(step: dict[str, Any]) -> Html:
    words = [element("strong", name(str(step.get("step") or "step"))), ": "]
    words.append(long_text(str(step.get("summary") or "no summary")))
    facts: dict[str, Any] = {key: value for key, value in step.items() if key not in _KNOWN}
    for part in ("options", "details"):
        found = step.get(part)
        facts |= found if isinstance(found, dict) else {} if found is None else {part: found}
    shown = {key: written for key, value in facts.items() if (written := _written(value)) is not None}
    if shown:
        words.append(
            element(
                "dl",
                *(
                    element("div", element("dt", name(key.replace("_", " "))), element("dd", name(value, _DEEPEST)))
                    for key, value in shown.items()
                ),
                class_="facts",
            )
        )
    return join(words)


def _written(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return whole(value) if abs(value) < 1e15 else str(value)[:40]
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return "; ".join(f"{key}: {json.dumps(part, ensure_ascii=False)}" for key, part in value.items()) or None
    return json.dumps(value, ensure_ascii=False) if value else None
