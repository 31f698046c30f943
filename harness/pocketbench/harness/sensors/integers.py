"""Files of /sys that hold one whole number and a line end: most sensors are such."""

from __future__ import annotations

import re

from pocketbench.harness.sensors.readings import Parser, Reading, known, shown, unknown

__all__ = ["integer_parser", "parse_integer"]

# The longest number of 64 bits has 20 characters.
_INTEGER = re.compile(rb"[ \t]*(-?\d{1,20})\s*")


# 1800000
def parse_integer(data: bytes) -> int | None:
    """The number; None where there is anything else."""
    match = _INTEGER.fullmatch(data)
    return int(match[1]) if match else None


def integer_parser(quantity: str, source: str, *, times: int = 1) -> Parser:
    """A parser of one number, in the unit of `quantity` once it is taken `times` so many (1000 for mA to µA)."""

    def parse(data: bytes) -> tuple[Reading, ...]:
        value = parse_integer(data)
        if value is None:
            return (unknown(quantity, source, f"expected a whole number, got {shown(data)}"),)
        return (known(quantity, source, value * times),)

    return parse
