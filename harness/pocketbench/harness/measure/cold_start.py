"""Cold start: from the start of the process to the first answer. A metric of its own, never part of steady latency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

__all__ = ["ColdStart", "PageCache", "median_cold_start"]

PageCache = Literal["dropped", "warm", "first after install", "unknown"]


@dataclass(frozen=True, slots=True)
class ColdStart:
    """Of one launch, in ns: loading the engine's library, making the model ready, the first inference.

    `page_cache` says whether the files had to come from the disk, which changes the first two by multiples.
    """

    engine_load_ns: float
    model_init_ns: float
    first_inference_ns: float
    page_cache: PageCache

    @property
    def total_ns(self) -> float:
        """What a user waits for in all."""
        return self.engine_load_ns + self.model_init_ns + self.first_inference_ns


def median_cold_start(starts: Sequence[ColdStart]) -> ColdStart:
    """Each part's median over launches, so that the parts of one unlucky launch do not count together.

    Raises ValueError for none, and for launches with different page caches: they measure different things.
    """
    if len(states := {start.page_cache for start in starts}) != 1:
        raise ValueError(f"expected cold starts with the page cache in one state, got {sorted(states) or 'none'}")
    return ColdStart(
        engine_load_ns=median(start.engine_load_ns for start in starts),
        model_init_ns=median(start.model_init_ns for start in starts),
        first_inference_ns=median(start.first_inference_ns for start in starts),
        page_cache=starts[0].page_cache,
    )
