"""What was noticed of launches, in words: flags, which take nothing away, and the rules that make one invalid."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from pocketbench.reports.campaign import FlagCount
from pocketbench.reports.values import identifier, text

__all__ = ["INVALID", "MEANINGS", "WEIGHTY", "flags_by_job"]

MEANINGS = {
    "cool_start": "it started more than 2 °C below the start line",
    "drift_faster": "latency fell by more than 2 % while it was measured",
    "drift_slower": "latency rose by more than 2 % while it was measured",
    "few_iterations": "fewer iterations than the 100 (30 for a slow model) that a launch should have",
    "hot_start": "the device did not cool to the start line in the time that is waited for it",
    "late_readings": "sensors were read later than asked for",
    "long_span": "it was measured for longer than the regime allows",
    "readings_limit": "sensors said more than is kept of a launch (64 MiB), and what came later is missing",
    "max_time": "the measurement reached its time limit with fewer iterations than asked for",
    "no_temperature": "the device tells no temperature, so how warm it started is not known",
    "not_settled": "latency was still changing when the warm-up ended",
    "partly_accelerated": "a part of the model, or all of it, ran on the CPU instead of the accelerator",
    "sample_limit": "the launch reached the number of samples that the runner keeps",
    "several_speeds": "latency has more than one level, and the median lies on one of them or between",
    "short_span": "it was measured for less time than the regime asks for",
    "warmup_max_time": "the warm-up reached its time limit with fewer iterations than asked for",
}
# Those that a reader of the verdict must know; of the others the table of launches tells.
WEIGHTY = frozenset(
    {"drift_faster", "drift_slower", "few_iterations", "hot_start", "max_time", "not_settled"}
    | {"partly_accelerated", "sample_limit", "several_speeds", "short_span", "warmup_max_time"}
)
INVALID = {
    "charger_changed": "a charger was plugged in or out",
    "governor_changed": "the frequency governor changed",
    "no_steady_part": "no iteration was left after the warm-up",
    "sampler_gap": "the sampler stood still, so nobody knows what happened meanwhile",
    "screen_changed": "the screen went on or off",
    "throttled": "the device was throttled",
    "under_voltage": "the supply's voltage was too low",
}


def flags_by_job(launches: pd.DataFrame) -> dict[str, tuple[FlagCount, ...]]:
    """The flags of a job's launches, most frequent first; a flag that is not known here stands for itself."""
    found: dict[str, Counter[str]] = {}
    for job_id, cell in zip(launches["job_id"], launches["flags"], strict=True):
        found.setdefault(identifier(job_id) or "unnamed", Counter()).update(set((text(cell) or "").split()))
    return {
        job_id: tuple(FlagCount(flag, n) for flag, n in sorted(flags.items(), key=lambda one: (-one[1], one[0])))
        for job_id, flags in found.items()
    }
