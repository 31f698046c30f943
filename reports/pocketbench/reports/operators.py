"""Where the time of each job's inference goes, by kind of operator and by what ran it: why int8 is not faster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.values import identifier, number, text

__all__ = ["Kind", "Profile", "is_conversion", "profiles"]

# Operators that change the type of numbers and compute nothing: where they are left, nothing fused them away.
_CONVERSIONS = frozenset({"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QUANTIZE", "DEQUANTIZE"})
# LiteRT's own kernels, which run what no delegate took.
_INTERPRETER = "interpreter"
_CPU = "CPU"


@dataclass(frozen=True, slots=True)
class Kind:
    """All operators of one kind that the same thing ran; `time_ns` is the mean of an inference."""

    operator: str
    runs_on: str
    calls: int
    time_ns: float
    share: float

    @property
    def is_conversion(self) -> bool:
        """Whether it only quantizes or dequantizes."""
        return is_conversion(self.operator)


@dataclass(frozen=True, slots=True)
class Profile:
    """Of one job, the slowest kind first. `positions` counts operators, `conversions` those that only convert."""

    kinds: tuple[Kind, ...]
    positions: int
    conversions: int
    conversion_share: float

    @property
    def time_ns(self) -> float:
        """All operators together; profiling itself costs time, so it is more than an inference takes."""
        return sum(kind.time_ns for kind in self.kinds)

    def fallback_share(self, accelerator: str | None) -> float | None:
        """Share of time outside of what the job was to run on; None where everything may run anywhere.

        With LiteRT that is its own kernels, which run what XNNPACK or the accelerator did not take. ONNX Runtime on the
        CPU has one way to run an operator; with another execution provider, what the CPU ran is the fallback.
        """
        ran_on = {kind.runs_on for kind in self.kinds}
        if _INTERPRETER in ran_on or "XNNPACK" in ran_on:
            return sum(kind.share for kind in self.kinds if kind.runs_on == _INTERPRETER)
        if accelerator in (None, "cpu"):
            return None
        return sum(kind.share for kind in self.kinds if kind.runs_on == _CPU)


def is_conversion(operator: str) -> bool:
    """The rule of the runner's `profiling.conversions`, which knows the same two engines."""
    return operator in _CONVERSIONS or operator.startswith("Convert (")


def profiles(tables: CampaignTables) -> dict[str, Profile]:
    """By job; a job without a profile has none."""
    found: dict[str, list[tuple[str, str, float]]] = {}
    columns = (tables.operators[column] for column in ("job_id", "operator", "runs_on", "time_ns"))
    for job_id, operator, runs_on, cell in zip(*columns, strict=True):
        time_ns = number(cell)
        if time_ns is not None and time_ns >= 0:
            entry = (text(operator) or "unnamed", text(runs_on) or "not known", time_ns)
            found.setdefault(identifier(job_id) or "unnamed", []).append(entry)
    return {job_id: _profile(entries) for job_id, entries in found.items()}


def _profile(entries: list[tuple[str, str, float]]) -> Profile:
    total = sum(time_ns for *_, time_ns in entries)
    grouped: dict[tuple[str, str], list[float]] = {}
    for operator, runs_on, time_ns in entries:
        grouped.setdefault((operator, runs_on), []).append(time_ns)
    kinds = [Kind(*key, len(times), sum(times), sum(times) / total if total else 0.0) for key, times in grouped.items()]
    kinds.sort(key=lambda kind: (-kind.time_ns, kind.operator, kind.runs_on))
    return Profile(
        tuple(kinds),
        positions=len(entries),
        conversions=sum(is_conversion(operator) for operator, *_ in entries),
        conversion_share=_share(kind for kind in kinds if kind.is_conversion),
    )


def _share(kinds: Iterable[Kind]) -> float:
    return sum(kind.share for kind in kinds)
