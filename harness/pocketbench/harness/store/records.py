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
    "EngineRecord",
    "FailureStage",
    "JobRecord",
    "LaunchRecord",
    "MemoryStageRecord",
    "QualityRecord",
    "StoredJob",
    "StoredVariant",
    "VariantRecord",
]

Array = np.ndarray[Any, np.dtype[Any]]
CampaignStatus = Literal["running", "finished", "interrupted"]
FailureStage = Literal["deploy", "quality", "memory"]


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


@dataclass(frozen=True, slots=True)
class LaunchRecord:
    """One launch; the figures are None where it failed or the device was lost meanwhile."""

    job_id: int
    round: int
    position: int
    started_at: str
    status: Literal["ok", "failed", "lost"]
    reason: str | None = None
    iterations: int | None = None
    warmup_iterations: int | None = None
    latency_median_ns: float | None = None
    latency_p90_ns: float | None = None
    latency_mean_ns: float | None = None
    engine_load_ns: int | None = None
    model_init_ns: int | None = None
    first_inference_ns: int | None = None
    peak_memory_bytes: int | None = None
    flags: str | None = None


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
    """A job and what is there of it: the rounds launched (lost ones left out), memory and quality taken."""

    job_id: int
    key: str
    variant: str
    device: str
    threads: int
    cores: tuple[int, ...] | None
    engine_id: str | None
    rounds: frozenset[int]
    has_memory: bool
    has_quality: bool
