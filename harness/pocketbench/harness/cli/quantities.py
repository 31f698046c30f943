"""Times and shares as users write them."""

from __future__ import annotations

import re

import typer

__all__ = ["seconds", "share"]

_UNITS_S = {"s": 1.0, "min": 60.0, "h": 3600.0}
_TIME = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?(s|min|h)", re.ASCII)
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?) ?%|(0?\.\d{1,8})", re.ASCII)


def seconds(text: str, option: str) -> float:
    """`90s`, `10min`, `1.5h`."""
    match = _TIME.fullmatch(text.strip())
    if match is None or float(match[1]) == 0:
        raise typer.BadParameter(f"expected a time such as 90s, 10min or 2h, got {text!r}", param_hint=option)
    return float(match[1]) * _UNITS_S[match[2]]


def share(text: str, option: str) -> float:
    """`1%` or `0.01`."""
    match = _SHARE.fullmatch(text.strip())
    value = 0.0 if match is None else float(match[1]) / 100 if match[1] else float(match[2])
    if value == 0:
        raise typer.BadParameter(f"expected a share such as 1% or 0.01, got {text!r}", param_hint=option)
    return value
