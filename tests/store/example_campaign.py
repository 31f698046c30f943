"""A campaign to fill a store with: two variants on one device, one and two threads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pocketbench.harness.store.records import (
    CampaignRecord,
    DeviceRecord,
    EnergyRecord,
    EngineRecord,
    IdleRecord,
    JobRecord,
    LaunchRecord,
    MemoryStageRecord,
    OperatorRecord,
    OpinionRecord,
    QualityRecord,
    TraceRecord,
    VariantRecord,
)
from pocketbench.harness.store.samples import SAMPLES_DTYPE

__all__ = [
    "DEVICE",
    "ENERGY",
    "ENGINE",
    "IDLE",
    "JOBS",
    "OPERATOR",
    "OPINION",
    "QUALITY",
    "STAGES",
    "TRACES",
    "VARIANTS",
    "add",
    "campaign",
    "good_launch",
    "samples",
]

DEVICE = DeviceRecord("board", "local:", "host", "/srv/pocketbench")
ENGINE = EngineRecord("litert-2.1-linux-x86_64-ab12", "LiteRT", "2.1", "linux-x86_64", "ab12" * 16)
VARIANTS = [
    VariantRecord("float32-tflite", "tflite", "float32", "reference", "/variants/float32", sha256="f" * 64),
    VariantRecord("broken", "tflite", None, "variant", "/variants/broken", status="failed", reason="export: no"),
    VariantRecord("int8-tflite", "tflite", "int8", "variant", "/variants/int8", sha256="8" * 64, size_bytes=0),
]
JOBS = [
    JobRecord(
        key=f"{variant}, {threads} threads",
        variant=variant,
        device="board",
        threads=threads,
        cores="0,1" if threads == 2 else None,
        is_reference=variant == "float32-tflite",
        reference=f"float32-tflite, {threads} threads",
    )
    for threads in (1, 2)
    for variant in ("int8-tflite", "float32-tflite")  # the reference comes after what refers to it
]
QUALITY = QualityRecord("top-1", 0.75, 0.5, None, 100, higher_is_better=True)
ENERGY = EnergyRecord("rapl", "rails", 12.5, None, 900.0, None, "few-updates", None)
IDLE = IdleRecord(
    "20260102T030405Z-net-0000", "board", 0, "2026-01-02T03:04:30.000Z", "rapl", power_mw=0.0, reason=None
)
OPERATOR = OperatorRecord(0, "Conv", "conv_1", "XNNPACK", 1200, 1.0)
OPINION = OpinionRecord(
    *(1, "benchmark_model", "android_benchmark_model", 0, 2, "2026-01-02T03:04:40.000Z", "ok"),
    arguments="[]",
    runs=50,
    latency_mean_ns=1.5e6,
    peak_memory_bytes=2**40,
    problems="",
)
TRACES = [
    TraceRecord("thermal", "temperature_c", "cpu", np.array([5, 2**60]), np.array([40.5, 41.0])),
    TraceRecord("rapl", "energy_uj", "package-0", np.array([6]), np.array([1e15])),
]
STAGES = [
    MemoryStageRecord("start", 1000, 1100, None, None, None),
    MemoryStageRecord("end", 9000, 9900, 8000, 7000, 0),
]


def campaign(campaign_id="20260102T030405Z-net-0000", *, started_at="2026-01-02T03:04:05.000Z", **values):
    record = CampaignRecord(
        campaign_id=campaign_id,
        name="net",
        started_at=started_at,
        seed=7,
        rounds_planned=2,
        quality_metric=None,
        quality_higher_is_better=None,
        evaluation_sha256=None,
        pocketbench_version="0.1.0",
        versions={"python": "3.11.7", "numpy": "2.0"},
        plan="name: net\n",
    )
    return replace(record, **values)


def add(store, campaign_id="20260102T030405Z-net-0000", **values):
    """Add the campaign; the identifiers of its jobs by key."""
    store.add_campaign(campaign(campaign_id, **values), [DEVICE], VARIANTS, JOBS)
    return {job.key: job.job_id for job in store.jobs(campaign_id)}


def good_launch(job_id, number=0, position=0):
    return LaunchRecord(job_id, number, position, "2026-01-02T03:05:00.000Z", "ok", latency_median_ns=1.5)


def samples(*latencies_ns, warmup=1):
    array = np.zeros(len(latencies_ns), SAMPLES_DTYPE)
    array["start_ns"] = np.arange(len(latencies_ns)) * 1000
    array["latency_ns"] = latencies_ns
    array["steady"] = np.arange(len(latencies_ns)) >= warmup
    return array
