"""From what a launch gave to the row that is stored of it: judged by the rules of harness.measure, nothing left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from pocketbench.harness.campaign.joint import Joint, put_together
from pocketbench.harness.campaign.preparing import Changed
from pocketbench.harness.campaign.sensing import DeviceSensors, LaunchSigns, Traces, processor_temperature
from pocketbench.harness.measure.assessment import Assessment, assess_launch
from pocketbench.harness.measure.regimes import Regime
from pocketbench.harness.measure.streams import common_window, last_minute_ratio
from pocketbench.harness.measure.temperature import Reading, steady_since
from pocketbench.harness.runner.results import BenchResult
from pocketbench.harness.sensors.metering import window_energy
from pocketbench.harness.store.records import EnergyRecord, LaunchRecord

__all__ = ["JudgedLaunch", "Place", "judge_launch"]

Samples = np.ndarray[Any, np.dtype[Any]]
_NANO = 1e-9


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a campaign a launch stands, how warm its device was before it, and what was not kept during it."""

    job_id: int
    round: int
    position: int
    started_at: str
    temperature_start_c: float | None = None
    start_flag: str | None = None
    page_cache: Literal["dropped", "warm"] | None = None
    changed: Changed = field(default_factory=Changed)


@dataclass(frozen=True, slots=True, eq=False)
class JudgedLaunch:
    """The row, and the samples with `steady` as the rules found it; `inference_s` is the time of one inference."""

    record: LaunchRecord
    samples: Samples
    traces: Traces
    energies: tuple[EnergyRecord, ...]
    inference_s: float | None


def judge_launch(
    result: BenchResult, place: Place, sensors: DeviceSensors, regime: Regime, cores: tuple[int, ...] | None
) -> JudgedLaunch:
    """Judge a launch that ended well: `ok`, or `invalid` with the rules that it broke."""
    traces = sensors.traces(result.sampling)
    window = common_window([result.samples])
    signs = sensors.signs(traces, result.sampling, window, cores)
    changed = place.changed
    assessment = assess_launch(
        result.samples,
        regime,
        replace(signs.conditions, governor_changed=changed.cores, screen_changed=changed.screen),
        declared_throttling=signs.declared_throttling,
        share_at_frequency=signs.share_at_frequency,
        least_warmup_s=_least_warmup_s(result.samples, traces, regime),
    )
    joint = put_together(result, assessment.steady)
    record = _record(result, place, signs, assessment, joint)
    return JudgedLaunch(record, joint.samples, traces, _energies(joint, traces, sensors), joint.inference_s)


def _least_warmup_s(samples: Samples, traces: Traces, regime: Regime) -> float | None:
    """When the temperature had settled, from the first iteration: what sustained latency is measured from."""
    temperatures = processor_temperature(traces)
    if regime.name != "sustained" or temperatures is None:
        return None
    readings = [
        Reading(float(time) * _NANO, float(value))
        for time, value in zip(temperatures.times_ns, temperatures.values, strict=True)
    ]
    since_s = steady_since(readings)
    return None if since_s is None else max(0.0, since_s - float(samples["start_ns"][0]) * _NANO)


def _record(
    result: BenchResult, place: Place, signs: LaunchSigns, assessment: Assessment, joint: Joint
) -> LaunchRecord:
    summary, drift = joint.summary, assessment.drift
    reasons: tuple[str, ...] = assessment.reasons
    if summary is None and assessment.summary is not None:  # streams that never worked at the same time
        reasons = (*reasons, "no_steady_part")
    return LaunchRecord(
        job_id=place.job_id,
        round=place.round,
        position=place.position,
        started_at=place.started_at,
        status="invalid" if reasons else "ok",
        reason=" ".join(reasons) or None,
        iterations=summary.iterations if summary else None,
        warmup_iterations=summary.warmup_iterations if summary else None,
        latency_median_ns=summary.median_ns if summary else None,
        latency_p90_ns=summary.p90_ns if summary else None,
        latency_p99_ns=summary.p99_ns if summary else None,
        latency_mean_ns=summary.mean_ns if summary else None,
        throughput_per_s=joint.throughput_per_s,
        last_minute_ratio=last_minute_ratio(result.samples),
        drift_ramp=drift.ramp if drift else None,
        drift_step=drift.step if drift else None,
        lag1=assessment.lag1,
        effective_iterations=assessment.effective_iterations,
        declared_throttling=signs.declared_throttling,
        frequency_share=signs.share_at_frequency,
        temperature_start_c=place.temperature_start_c,
        temperature_max_c=signs.temperature_max_c,
        fully_accelerated=result.fully_accelerated,
        engine_load_ns=result.engine_load_ns,
        model_init_ns=result.model_init_ns,
        first_inference_ns=result.first_inference_ns,
        peak_memory_bytes=result.stages[-1].peak_resident_bytes if result.stages else None,
        page_cache=place.page_cache,
        flags=" ".join(_flags(result, place, assessment.flags)),
    )


def _flags(result: BenchResult, place: Place, noticed: Sequence[str]) -> list[str]:
    fell_back = result.fully_accelerated is False
    late = result.sampling is not None and result.sampling.late > 0
    return [
        *result.flags,
        *noticed,
        *([place.start_flag] if place.start_flag else ()),
        *(("partly_accelerated",) if fell_back else ()),
        *(("late_readings",) if late else ()),
        *(result.sampling.flags if result.sampling is not None else ()),
        *(("fan_changed",) if place.changed.fan else ()),
    ]


def _energies(joint: Joint, traces: Traces, sensors: DeviceSensors) -> tuple[EnergyRecord, ...]:
    """Gross, by every sensor of power; what idling takes is known after the round (device_run.py)."""
    window, inference_s = joint.window, joint.inference_s
    if window is None or inference_s is None:
        return ()
    inferences = window.duration_s / inference_s
    records = []
    for spec in sensors.power():
        energy = window_energy(spec, traces, window)
        gross_mj = None if energy.energy_j is None else energy.energy_j * 1e3 / inferences
        power_mw = None if energy.power_w is None else energy.power_w * 1e3
        assert spec.boundary is not None  # what power() is about
        records.append(
            EnergyRecord(
                spec.name, spec.boundary, gross_mj, None, power_mw, None, " ".join(energy.flags), energy.reason
            )
        )
    return tuple(records)
