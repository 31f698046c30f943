"""Boards whose meters name their rails: which of them is the input, and which add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pocketbench.harness.sensors.spec import Node, SensorSpec

__all__ = ["is_board_input", "power_specs"]

# VDD_IN of the TX2, Xavier NX and Orin Nano, POM_5V_IN of the Nano. An AGX Orin's VIN_SYS_5V0 is one of its rails: it
# has no meter at its input.
_INPUTS = {"VDD_IN", "POM_5V_IN"}


def is_board_input(rail: str) -> bool:
    """True for the rail that feeds all others."""
    return rail.split(" ")[0] in _INPUTS


def power_specs(name: str, rate_hz: float, rails: Mapping[str, Sequence[Node]]) -> tuple[SensorSpec, ...]:
    """The input of the board in a spec of its own, where there is one, since it holds the others; then the rest."""
    inputs = tuple(rail for rail in rails if is_board_input(rail))[:1]
    others = tuple(rail for rail in rails if rail not in inputs)
    parts = (("board input", f"{name}-input", inputs), ("rails", f"{name}-rails", others))
    return tuple(
        SensorSpec(
            title,
            rate_hz,
            tuple(node for rail in chosen for node in rails[rail]),
            "board input" if boundary == "board input" else "rails",
            chosen,
        )
        for boundary, title, chosen in parts
        if chosen
    )
