"""Tables of a campaign that looks real: every figure is drawn from a seed, every column documented is there."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pocketbench.harness.measure.comparison import compare, noise_floor
from pocketbench.harness.measure.statistics import Estimate, geometric_mean_interval, paired_ratio
from pocketbench.reports.tables import COLUMNS, CampaignTables
from tests.reports.specs import DIGITS, Spec, spec

__all__ = ["DIGITS", "Spec", "empty_tables", "make_tables", "spec"]

ENGINES = {"tflite": ("e1", "LiteRT", "2.1.0"), "onnx": ("e2", "ONNX Runtime", "1.23.2")}
_SENSED = (
    *("drift_ramp", "drift_step", "lag1", "effective_iterations", "declared_throttling", "frequency_share"),
    *("temperature_start_c", "temperature_max_c", "fully_accelerated", "page_cache"),
    *("throughput_per_s", "last_minute_ratio"),
)
STAGES = ("start", "engine_loaded", "model_loaded", "first_inference", "end")


def make_tables(
    specs: Sequence[Spec] = tuple(DIGITS),
    *,
    devices: Sequence[str] = ("local",),
    threads: Sequence[int] = (1,),
    cores: str | None = None,
    rounds: int = 10,
    rounds_planned: int | None = None,
    status: str = "finished",
    metric: str | None = "top-1",
    higher_is_better: bool = True,
    quality_half_width: float | None = 0.008,
    iterations: int = 120,
    reference: bool = True,
    thread_gain: float = 0.7,
    spread: float = 0.01,
    aa_copy: float | None = 1.002,
    precision: float | None = None,
    seed: int = 7,
) -> CampaignTables:
    """A campaign of `specs` on `devices`; a second device is 1.9 times as slow, another thread gains `thread_gain`.

    `aa_copy` is what the A/A copies differ from their references by, None for a campaign without. With a `precision`
    rounds were added, so intervals are made with more than 95 %.
    """
    confidence = 0.95 if precision is None else 0.9675
    rng = np.random.default_rng(seed)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in COLUMNS}
    samples: list[pd.DataFrame] = []
    rows["campaign"].append(
        {
            "campaign_id": "20260725-093000-digits",
            "name": "digits",
            "status": status,
            "started_at": "2026-07-25T09:30:00Z",
            "finished_at": "2026-07-25T09:41:12Z" if status == "finished" else None,
            "seed": 1,
            "rounds_planned": rounds_planned or rounds,
            "rounds_done": rounds,
            "quality_metric": metric,
            "quality_higher_is_better": higher_is_better if metric else None,
            "pocketbench_version": "0.1.0",
            "plan": "version: 1\nname: digits\nmodel: model.keras\nrecipes: [float32, int8]\ndevices: [local]\n",
            "regime": "burst",
            "scenario": "single-stream",
            "precision": precision,
            "budget_s": None,
            "confidence": confidence,
        }
    )
    for device in devices:
        rows["devices"].append(
            {
                "device": device,
                "address": "local:" if device == "local" else f"ssh://pi@{device}:22",
                "profile": "linux-computer",
                "model": "ThinkPad T14 Gen 3",
                "cpu": "AMD Ryzen 7 PRO 6850U",
                "cores": 16,
                "memory_bytes": 33_554_432_000,
                "os": "Debian GNU/Linux 13",
                "kernel": "6.12.38",
                "architecture": "x86_64",
                "cpu_features": "avx2 avx_vnni",
                "governor": None,
                "load_average_1min": 0.31,
                "sensors": None,
                "start_line_c": None,
                "sampler_ratio": None,
                "rounds_ended": None,
                "unreached": None,
                "preparation": None,
            }
        )
    for engine_id, name, version in ENGINES.values():
        rows["engines"].append(
            {
                "engine_id": engine_id,
                "name": name,
                "version": version,
                "platform": "linux-x86_64",
                "sha256": f"{rng.bytes(32).hex()}",
            }
        )
    for position, one in enumerate(specs):
        ok = one.failed is None
        rows["variants"].append(
            {
                "variant_id": f"v{position}",
                "name": one.name,
                "format": one.format,
                "recipe": one.recipe,
                "role": one.role,
                "control": one.control,
                "sha256": rng.bytes(32).hex() if ok else None,
                "size_bytes": one.size_bytes if ok else None,
                "size_gzip_bytes": round(one.size_bytes * 0.88) if ok else None,
                "parameters": one.parameters if ok else None,
                "status": "ok" if ok else "failed",
                "reason": one.failed,
                "warnings": one.warnings,
                "steps": json.dumps(list(one.steps)),
                "sqnr_db": one.sqnr_db if ok else None,
                "host_quality": one.quality,
            }
        )
    for place, device in enumerate(devices):
        drift = 1 + 0.03 * np.sin(np.linspace(0, 3, rounds)) if rounds else np.ones(0)
        for number in threads:
            medians: dict[str, list[float]] = {}
            reference_id = next(
                (f"j{device}-{number}-{i}" for i, one in enumerate(specs) if reference and one.role == "reference"),
                None,
            )
            for position, one in enumerate(specs):
                if one.failed is not None:
                    continue
                job_id = f"j{device}-{number}-{position}"
                failed = one.job_failed is not None
                rows["jobs"].append(
                    {
                        "job_id": job_id,
                        "variant_id": f"v{position}",
                        "device": device,
                        "engine_id": ENGINES[one.format][0],
                        "accelerator": "cpu",
                        "threads": number,
                        "cores": cores,
                        "is_reference": job_id == reference_id,
                        "reference_job_id": reference_id,
                        "is_aa_copy": False,
                        "status": "failed" if failed else one.job_status,
                        "reason": one.job_failed or one.job_reason,
                    }
                )
                base = one.latency_ms * 1e6 * (1.9 if place else 1) * thread_gain ** math.log2(number)
                medians[job_id] = []
                for count in range(rounds):
                    launch_id = f"{job_id}-{count}"
                    median = base * drift[count] * math.exp(rng.normal(0, spread))
                    steady = median * np.exp(rng.gamma(1.5, 0.02, iterations) - 0.0235)
                    warmup = median * (1 + np.exp(-np.arange(20) / 5))
                    medians[job_id].append(float(np.median(steady)))
                    rows["launches"].append(
                        {
                            "launch_id": launch_id,
                            "job_id": job_id,
                            "round": count,
                            "attempt": 0,
                            "position": position,
                            "started_at": _instant(count, position),
                            "status": "failed" if failed else "ok",
                            "reason": one.job_failed,
                            "iterations": None if failed else iterations,
                            "warmup_iterations": None if failed else 20,
                            "latency_median_ns": None if failed else float(np.median(steady)),
                            "latency_p90_ns": None if failed else float(np.quantile(steady, 0.9)),
                            "latency_p99_ns": None if failed or iterations < 662 else float(np.quantile(steady, 0.99)),
                            "latency_mean_ns": None if failed else float(np.mean(steady)),
                            **dict.fromkeys(_SENSED),
                            "engine_load_ns": None if failed else rng.normal(6.1e6, 2e5),
                            "model_init_ns": None if failed else rng.normal(3.2e6, 2e5) + one.size_bytes * 10,
                            "first_inference_ns": None if failed else median * 3.2,
                            "peak_memory_bytes": None if failed else 31e6 + one.size_bytes * 3,
                            "flags": None if failed else one.flags,
                        }
                    )
                    if not failed:
                        latencies = np.concatenate([warmup, steady])
                        samples.append(
                            pd.DataFrame(
                                {
                                    "launch_id": launch_id,
                                    "stream": 0,
                                    "iteration": np.arange(len(latencies)),
                                    "kind": np.where(np.arange(len(latencies)) < 20, "warmup", "steady"),
                                    "start_ns": np.cumsum(latencies),
                                    "latency_ns": latencies,
                                }
                            )
                        )
                if failed or not rounds:
                    continue
                _add_memory(rows["memory"], job_id, one)
                if metric and one.quality is not None:
                    half = quality_half_width
                    rows["quality"].append(
                        {
                            "job_id": job_id,
                            "metric": metric,
                            "value": one.quality,
                            "low": None if half is None else one.quality - half,
                            "high": None if half is None else one.quality + half,
                            "samples": 1797,
                            "higher_is_better": higher_is_better,
                        }
                    )
            failed_jobs = {row["job_id"] for row in rows["jobs"] if row["status"] == "failed"}
            copy_id = None
            if reference_id is not None and reference_id not in failed_jobs and aa_copy is not None and rounds:
                noise = np.random.default_rng(seed + 1).normal(0, spread, rounds)
                factors = [aa_copy * math.exp(value - noise.mean()) for value in noise]
                copy_id = _add_copy(rows, samples, reference_id, factors)
                medians[copy_id] = [f * median for f, median in zip(factors, medians[reference_id], strict=True)]
            floor = None
            for job_id, values in sorted(medians.items(), key=lambda item: item[0] != copy_id):
                if job_id in failed_jobs or not values:
                    continue
                own, others = dict(enumerate(values)), dict(enumerate(medians.get(reference_id or "", [])))
                ratio = None if reference_id in failed_jobs else paired_ratio(own, others, confidence=confidence)
                floor = noise_floor(ratio) if job_id == copy_id else floor
                told = None if job_id == reference_id else compare(ratio, floor)
                latency = geometric_mean_interval(values, confidence=confidence)
                rows["estimates"].append(
                    {
                        "job_id": job_id,
                        "launches": len(values),
                        **_estimate(latency, "latency_ns", "latency_low_ns", "latency_high_ns"),
                        **_estimate(ratio, "ratio", "ratio_low", "ratio_high"),
                        "rounds_compared": 0 if ratio is None else ratio.count,
                        "verdict": told and told.verdict,
                        "verdict_reason": told and told.reason,
                    }
                )
            rows["estimates"].sort(key=lambda row: row["job_id"])
    frames = {name: pd.DataFrame(rows[name], columns=list(COLUMNS[name])) for name in COLUMNS}
    if samples:
        frames["samples"] = pd.concat(samples, ignore_index=True)
    return CampaignTables(**frames)


def empty_tables() -> CampaignTables:
    """A campaign of which nothing was measured: one row in `campaign`, none anywhere else."""
    return make_tables([], devices=(), rounds=0, rounds_planned=10, status="interrupted")


def _instant(number_of_round: int, position: int) -> str:
    minutes = 2 * number_of_round + position // 6
    return f"2026-07-25T{9 + (30 + minutes) // 60:02}:{(30 + minutes) % 60:02}:{10 * (position % 6):02}Z"


def _add_copy(
    rows: dict[str, list[dict[str, Any]]], samples: list[pd.DataFrame], reference_id: str, factors: Sequence[float]
) -> str:
    """The A/A copy of a reference: its launches once more, each times its factor."""
    copy_id = f"{reference_id}-copy"
    job = next(row for row in rows["jobs"] if row["job_id"] == reference_id)
    rows["jobs"].append({**job, "job_id": copy_id, "is_reference": False, "is_aa_copy": True})
    launches = [row for row in rows["launches"] if row["job_id"] == reference_id]
    for launch, factor in zip(launches, factors, strict=True):
        latencies = {key: None if launch[key] is None else launch[key] * factor for key in launch if "latency" in key}
        new_id = f"{launch['launch_id']}-copy"
        place = {"position": 11, "started_at": _instant(launch["round"], 11)}
        rows["launches"].append({**launch, **latencies, **place, "launch_id": new_id, "job_id": copy_id})
        own = next(frame for frame in samples if frame["launch_id"].iloc[0] == launch["launch_id"])
        samples.append(own.assign(launch_id=new_id, latency_ns=own["latency_ns"] * factor))
    return copy_id


def _estimate(estimate: Estimate | None, value: str, low: str, high: str) -> dict[str, float | None]:
    found = (None, None, None) if estimate is None else (estimate.value, estimate.low, estimate.high)
    return dict(zip((value, low, high), found, strict=True))


def _add_memory(rows: list[dict[str, Any]], job_id: str, one: Spec) -> None:
    engine = 9.1e6 if one.format == "tflite" else 17.4e6
    resident = 2.2e6
    for position, (stage, more) in enumerate(zip(STAGES, (0, engine, one.size_bytes * 2, 1.9e6, 0.2e6), strict=True)):
        resident += more
        rows.append(
            {
                "job_id": job_id,
                "stage": stage,
                "position": position,
                "resident_bytes": resident,
                "peak_resident_bytes": resident * 1.02,
                "pss_bytes": resident * 0.8,
                "private_bytes": resident * 0.55,
                "private_dirty_bytes": resident * 0.4,
            }
        )
