"""An HTML table with a caption, scopes, numbers to the right and keys to sort by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pocketbench.reports.markup import Html, absent, element, join

__all__ = ["Cell", "Column", "figure_cell", "table", "text_cell"]


@dataclass(frozen=True, slots=True)
class Column:
    """`title` with its unit; numbers are set to the right."""

    title: str
    numeric: bool = False
    explanation: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """Content and what it is sorted by: a number, a text, or None, which is always sorted last."""

    content: Html
    key: float | str | None


def text_cell(content: Html, key: str) -> Cell:
    """Words, sorted by `key`; endless ones by their beginning."""
    return Cell(content, key[:200])


def figure_cell(figure: str | None, key: float | None, missing: str = "not known") -> Cell:
    """A figure as text; where it is missing, a dash that says why."""
    if figure is None:
        return Cell(absent(missing), None)
    # Value and interval may stand on two lines, but neither is broken.
    value, bracket, interval = figure.partition(" [")
    parts = [element("span", value, class_="value")]
    if bracket:
        parts += [Html(" "), element("span", f"[{interval}", class_="interval")]
    return Cell(join(parts), key)


def table(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, sortable: bool = False) -> Html:
    """The first cell of a row is its heading. It scrolls in its own container, which the keyboard can reach."""
    head = element(
        "tr",
        *(
            element(
                "th", column.title, scope="col", class_="number" if column.numeric else None, title=column.explanation
            )
            for column in columns
        ),
    )
    body = (element("tr", *_cells(columns, row)) for row in rows)
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", head),
            element("tbody", *body),
            data_sortable=sortable,
        ),
        class_="scroll",
        role="region",
        aria_label=caption,
        tabindex=0,
    )


def _cells(columns: Sequence[Column], row: Sequence[Cell]) -> list[Html]:
    cells = []
    for position, (column, cell) in enumerate(zip(columns, row, strict=True)):
        tag, scope = ("td", None) if position else ("th", "row")
        kind = "number" if column.numeric else None
        cells.append(element(tag, cell.content, scope=scope, class_=kind, data_key=_key(cell.key)))
    return cells


def _key(key: float | str | None) -> str | None:
    return None if key is None else str(key)
