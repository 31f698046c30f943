"""Rows of the tables as lists of facts, each written with its unit; and cells of words."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from pocketbench.reports.digits import byte_size, duration, instant, significant, whole
from pocketbench.reports.markup import Html, absent, element, name
from pocketbench.reports.tabulate import Cell, text_cell
from pocketbench.reports.values import number, text

__all__ = ["code_cell", "facts", "words_cell"]

_WRITTEN: dict[str, Callable[[float], str]] = {
    "budget_s": duration,
    "precision": lambda share: f"±{significant(100 * share, 2)} %",
    "sampler_ratio": lambda found: f"{found:.4f}× ({significant(100 * (found - 1), 2)} %)",
    "start_line_c": lambda celsius: f"{significant(celsius)} °C",
}
_ENDED = {"reached": "the precision asked for", "rounds": "their number", "time": "the time allowed"}
_ABSENT = {
    "budget_s": "no limit was given",
    "precision": "a fixed number of rounds was asked for",
    "rounds_ended": "the rounds have not ended",
    "sampler_ratio": "was not measured",
    "start_line_c": "the device tells no temperature",
}


def facts(row: dict[Hashable, Any], titles: dict[str, str]) -> Html:
    return element(
        "dl",
        *(element("div", element("dt", title), element("dd", _fact(key, row[key]))) for key, title in titles.items()),
        class_="facts",
    )


def _fact(key: str, cell: Any) -> Html:
    figure = number(cell)
    if key.endswith("_bytes"):
        return absent() if figure is None else Html(byte_size(figure))
    if figure is not None and key in _WRITTEN:
        return Html(_WRITTEN[key](figure))
    found = text(cell)
    if found is None:
        return absent(_ABSENT.get(key, "not known"))
    if key == "rounds_ended":
        return element("span", _ENDED.get(found, "not known"))
    if key.endswith("_at"):
        return element("span", instant(found))
    if isinstance(cell, float) and cell.is_integer():
        return Html(whole(cell))
    return name(found, 120)


def words_cell(cell: Any) -> Cell:
    found = text(cell)
    return Cell(absent(), None) if found is None else text_cell(name(found), found)


def code_cell(cell: Any) -> Cell:
    found = text(cell)
    return Cell(absent(), None) if found is None else text_cell(element("code", name(found, 80)), found)
