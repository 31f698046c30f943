"""Cells of a pandas table as plain Python values: what is missing, or no finite number, is None and never 0."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

__all__ = ["count", "flag", "identifier", "number", "text"]


def number(cell: Any) -> float | None:
    """A finite number, else None."""
    try:
        value = float(cell)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def count(cell: Any) -> int | None:
    """A whole number, else None."""
    value = number(cell)
    return None if value is None else round(value)


def text(cell: Any) -> str | None:
    """The cell as text; None where it is missing or blank."""
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return None
    return str(cell) if str(cell).strip() else None


def identifier(cell: Any) -> str | None:
    """A key as text; pandas turns a column of whole numbers with a gap into floats, and 7.0 is still key 7."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return text(cell)


def flag(cell: Any) -> bool | None:
    """A truth value; None where it is missing."""
    return None if pd.isna(cell) else bool(cell)
