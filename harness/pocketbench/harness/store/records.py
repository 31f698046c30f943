"""What is written into the store: one frozen class per table, its fields named as the columns (see schema.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

__all__ = [
    "Array",
    "CampaignRecord",
    "CampaignStatus",
    "DeviceRecord",
    "EnergyRecord",
    "EngineRecord",
    "FailureStage",
    "IdleRecord",
    "JobRecord",
    "LaunchRecord",
    "MemoryStageRecord",
    "OperatorRecord",
    "OpinionRecord",
    "QualityRecord",
    "StoredJob",
    "StoredVariant",
    "TraceRecord",
    "VariantRecord",
]

Array = np.ndarray[Any, np.dtype[Any]]
CampaignStatus = Literal["running", "finished", "interrupted"]
FailureStage = Literal["deploy", "quality", "memory", "profile"]
LaunchStatus = Literal["ok", "failed", "invalid", "lost"]


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """A campaign as it begins; `plan` is YAML with absolute paths."""

    campaign_id: str
    name: str
    started_at: str
    seed: int
    rounds_planned: int
    quality_metric: str | None
    quality_higher_is_better: bool | None
    evaluation_sha256: str | None
    pocketbench_version: str
    versions: Mapping[str, str]
    plan: str
    regime: Literal["burst", "sustained"] = "burst"
    scenario: str = "single-stream"
    precision: float | None = None
    budget_s: float | None = None
    confidence: float = 0.95


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """A device as it was registered; what it says of itself is added once it is reached."""

    device: str
    address: str
    profile: str
    directory: str


@dataclass(frozen=True, slots=True)
class EngineRecord:
    """A build of an inference library."""

    engine_id: str
    name: str
    version: str
    platform: str
    sha256: str


@dataclass(frozen=True, slots=True)
class VariantRecord:
    """A variant; `source` is the folder or file that it is read from again when the campaign is resumed."""

    name: str
    format: str
    recipe: str | None
    role: Literal["reference", "variant", "control"]
    source: str
    control: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    size_gzip_bytes: int | None = None
    parameters: int | None = None
    status: Literal["ok", "failed"] = "ok"
    reason: str | None = None
    warnings: str = ""
    steps: str = "[]"
    sqnr_db: float | None = None
    host_quality: float | None = None
    manifest: str | None = None


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job of the variant and device of these names; `reference` is the key of the job it is compared to."""

    key: str
    variant: str
    device: str
    threads: int
    cores: str | None
    is_reference: bool
    reference: str | None
    accelerator: str = "cpu"
    is_aa_copy: bool = False


@dataclass(frozen=True, slots=True)
class LaunchRecord:
    """One launch; the figures are None where it failed or the device was lost meanwhile.

    The reason of an invalid one is the rules that it broke, space separated.
    """

    job_id: int
    round: int
    position: int
    started_at: str
    status: LaunchStatus
    reason: str | None = None
    iterations: int | None = None
    warmup_iterations: int | None = None
    latency_median_ns: float | None = None
    latency_p90_ns: float | None = None
    latency_p99_ns: float | None = None
    latency_mean_ns: float | None = None
    throughput_per_s: float | None = None
    last_minute_ratio: float | None = None
    drift_ramp: float | None = None
    drift_step: float | None = None
    lag1: float | None = None
    effective_iterations: float | None = None
    declared_throttling: bool | None = None
    frequency_share: float | None = None
    temperature_start_c: float | None = None
    temperature_max_c: float | None = None
    fully_accelerated: bool | None = None
    engine_load_ns: int | None = None
    model_init_ns: int | None = None
    first_inference_ns: int | None = None
    peak_memory_bytes: int | None = None
    page_cache: Literal["dropped", "warm"] | None = None
    flags: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TraceRecord:
    """What one sensor said of one thing: `values` (float64) at `times_ns` (int64) of the device's CLOCK_MONOTONIC."""

    sensor: str
    quantity: str
    source: str
    times_ns: Array
    values: Array


@dataclass(frozen=True, slots=True)
class EnergyRecord:
    """Energy of a launch by one sensor of power; the figures are None where they are not known, for `reason`."""

    sensor: str
    boundary: str
    gross_mj: float | None
    net_mj: float | None
    power_mw: float | None
    idle_mw: float | None
    flags: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class IdleRecord:
    """Mean power of a device with nothing to do, before the round of that number, by one sensor of power."""

    campaign_id: str
    device: str
    round: int
    started_at: str
    sensor: str
    power_mw: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class OperatorRecord:
    """An operator of a job's model, by the engine's own profiler; fields as OperatorTime's."""

    position: int
    operator: str
    name: str
    runs_on: str
    time_ns: int
    share: float


@dataclass(frozen=True, slots=True)
class OpinionRecord:
    """One launch of a benchmark program of the user's on a job's file; the figures are None where it failed.

    They are the program's own words (docs/second-opinion.md).
    """

    job_id: int
    tool: str
    program: str
    round: int
    position: int
    started_at: str
    status: Literal["ok", "failed", "lost"]
    reason: str | None = None
    program_sha256: str | None = None
    arguments: str | None = None
    runs: int | None = None
    warmup_runs: int | None = None
    threads: int | None = None
    latency_mean_ns: float | None = None
    latency_median_ns: float | None = None
    latency_min_ns: float | None = None
    latency_max_ns: float | None = None
    latency_std_ns: float | None = None
    latency_p5_ns: float | None = None
    latency_p90_ns: float | None = None
    latency_p95_ns: float | None = None
    resolution_ns: float | None = None
    init_ns: float | None = None
    first_inference_ns: float | None = None
    memory_growth_bytes: int | None = None
    peak_memory_bytes: int | None = None
    problems: str | None = None


@dataclass(frozen=True, slots=True)
class MemoryStageRecord:
    """Memory of a job's process at one point; bytes."""

    stage: str
    resident_bytes: int | None
    peak_resident_bytes: int | None
    pss_bytes: int | None
    private_bytes: int | None
    private_dirty_bytes: int | None


@dataclass(frozen=True, slots=True)
class QualityRecord:
    """Quality of a job's deployed file."""

    metric: str
    value: float
    low: float | None
    high: float | None
    samples: int
    higher_is_better: bool


@dataclass(frozen=True, slots=True)
class StoredVariant:
    """What a resumed campaign needs to know of a variant."""

    variant_id: int
    name: str
    source: str
    sha256: str | None
    status: str


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job and what is there of it: the rounds launched, memory, quality and profile taken.

    `opinion` is the program of the user's that is launched on its file, None for our runner. `rounds` are those with a
    launch that is ok or failed; `launches` has the number of all but the lost ones, and
    `medians` the median latency in ns of each round that is ok.
    """

    job_id: int
    key: str
    variant: str
    device: str
    threads: int
    cores: tuple[int, ...] | None
    engine_id: str | None
    accelerator: str
    reference: str | None
    is_aa_copy: bool
    rounds: frozenset[int]
    launches: int
    medians: Mapping[int, float]
    has_memory: bool
    has_quality: bool
    has_profile: bool
    opinion: str | None = None
