"""How inferences come, after the scenarios of MLPerf Inference: one after the other, paced, in several streams.

scenario: single-stream
scenario: {paced_fps: 30}
scenario: {streams: 4}
scenario: {minutes: 10}
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from pocketbench.checked.yaml import Strict

__all__ = ["SINGLE_STREAM", "Scenario"]

SINGLE_STREAM = "single-stream"
# What the runner takes: an interval of 60 s, and 64 streams (docs/runner.md).
_SLOWEST_FPS, _FASTEST_FPS, _MOST_STREAMS = 1 / 60, 100_000, 64
# Under two there is no last minute beside the first.
_LEAST_MINUTES, _MOST_MINUTES = 2, 60


class Scenario(Strict):
    """Without any key an inference begins when the one before it has ended. Keys can stand together."""

    paced_fps: float | None = Field(
        default=None, ge=_SLOWEST_FPS, le=_FASTEST_FPS, description="So many inferences begin a second, as in an app."
    )
    streams: int = Field(
        default=1, ge=1, le=_MOST_STREAMS, description="So many processes with an engine each work at the same time."
    )
    minutes: int | None = Field(
        default=None, ge=_LEAST_MINUTES, le=_MOST_MINUTES, description="A launch works for so long, warm-up included."
    )

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return {} if value == SINGLE_STREAM else value

    @property
    def interval_us(self) -> int:
        """From the start of one inference to that of the next; 0: at once."""
        return 0 if self.paced_fps is None else round(1e6 / self.paced_fps)

    @property
    def text(self) -> str:
        """In words, for reports."""
        words = [
            *(() if self.paced_fps is None else (f"paced at {self.paced_fps:g}/s",)),
            *(() if self.streams == 1 else (f"{self.streams} streams",)),
            *(() if self.minutes is None else (f"{self.minutes} minutes",)),
        ]
        return ", ".join(words) or SINGLE_STREAM
