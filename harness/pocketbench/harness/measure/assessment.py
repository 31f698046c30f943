"""Everything that is said about one launch, from its samples and the conditions around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pocketbench.harness.measure.autocorrelation import effective_count, lag1_correlation
from pocketbench.harness.measure.batches import launch_quantile_interval
from pocketbench.harness.measure.drift import Drift, find_drift
from pocketbench.harness.measure.launch_summary import LaunchSummary, summarise_launch
from pocketbench.harness.measure.modes import Mode, find_modes
from pocketbench.harness.measure.outliers import Outliers, count_outliers
from pocketbench.harness.measure.regimes import Regime, shortfalls
from pocketbench.harness.measure.statistics import Estimate
from pocketbench.harness.measure.throttle import ThrottleSigns, throttle_signs
from pocketbench.harness.measure.validity import Conditions, Reason, invalid_reasons
from pocketbench.harness.measure.warmup import find_warmup

__all__ = ["Assessment", "assess_launch"]


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """`steady` marks the samples that count. `summary` and what follows it is None where none do.

    `flags` do not take anything away from a launch: `not_settled`, `few_iterations`, `short_span`, `long_span`,
    `drift_slower`, `drift_faster`, `several_speeds`.
    """

    status: Literal["ok", "invalid"]
    reasons: tuple[Reason, ...]
    flags: tuple[str, ...]
    steady: NDArray[np.bool_]
    signs: ThrottleSigns
    summary: LaunchSummary | None
    median_interval: Estimate | None
    drift: Drift | None
    modes: tuple[Mode, ...]
    outliers: Outliers | None
    lag1: float | None
    effective_iterations: float | None


def assess_launch(
    samples: NDArray[Any],
    regime: Regime,
    conditions: Conditions,
    *,
    declared_throttling: bool | None = None,
    share_at_frequency: float | None = None,
    least_warmup_s: float | None = None,
) -> Assessment:
    """Assess samples of runner.results.SAMPLE_DTYPE.

    The warm-up ends where the runner ended it or where latency has settled, whichever is later; where it never does,
    where the runner ended it, with a flag. `least_warmup_s` from the first sample, where it is known better than the
    regime does (temperature.steady_since).
    """
    least_s = regime.least_warmup_s if least_warmup_s is None else least_warmup_s
    warmup = find_warmup(samples["start_ns"], samples["latency_ns"], least_s=least_s)
    steady = np.asarray(samples["steady"], bool).copy()
    if warmup.settled and steady[warmup.iterations :].any():
        steady[: warmup.iterations] = False
    else:
        warmup = type(warmup)(warmup.iterations, settled=False)
    kept = samples[steady]
    latencies = kept["latency_ns"]
    drift = find_drift(latencies)
    signs = throttle_signs(declared_throttling, share_at_frequency, drift)
    reasons = invalid_reasons(conditions, signs, regime, len(kept))
    modes = find_modes(latencies) if len(kept) else ()
    lag1 = lag1_correlation(latencies) if len(kept) > 2 else None
    flags = [
        *(() if warmup.settled else ("not_settled",)),
        *shortfalls(kept["start_ns"], latencies, regime),
        *((f"drift_{drift.direction}",) if drift is not None and drift.direction != "none" else ()),
        *(("several_speeds",) if len(modes) > 1 else ()),
    ]
    return Assessment(
        status="invalid" if reasons else "ok",
        reasons=reasons,
        flags=tuple(flags),
        steady=steady,
        signs=signs,
        summary=summarise_launch(samples["latency_ns"], steady) if len(kept) else None,
        median_interval=launch_quantile_interval(latencies),
        drift=drift,
        modes=modes,
        outliers=count_outliers(latencies) if len(kept) else None,
        lag1=lag1,
        effective_iterations=None if lag1 is None else effective_count(len(kept), lag1),
    )
