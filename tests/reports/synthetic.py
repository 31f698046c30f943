"""Tables of a campaign that looks real: every figure is drawn from a seed, every column documented is there."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from pocketbench.reports.tables import COLUMNS, CampaignTables

__all__ = ["DIGITS", "Spec", "empty_tables", "make_tables", "spec"]

ENGINES = {"tflite": ("e1", "LiteRT", "2.1.0"), "onnx": ("e2", "ONNX Runtime", "1.23.2")}
STAGES = ("start", "engine_loaded", "model_loaded", "first_inference", "end")


@dataclass(frozen=True, slots=True)
class Spec:
    """One variant; `latency_ms` on one thread, `quality` as its metric says, None for no evaluation."""

    name: str
    latency_ms: float
    quality: float | None
    size_bytes: int
    format: str = "tflite"
    recipe: str | None = "int8"
    role: str = "variant"
    control: str | None = None
    failed: str | None = None
    job_failed: str | None = None
    job_status: str = "ok"
    job_reason: str | None = None
    flags: str = ""
    warnings: str = ""
    sqnr_db: float | None = 34.2
    parameters: int | None = 93_322
    steps: tuple[dict[str, Any], ...] = field(default=())


def spec(specs: Sequence[Spec], name: str, **changes: Any) -> list[Spec]:
    """`specs` with the variant of that name changed."""
    return [replace(one, **changes) if one.name == name else one for one in specs]


def _step(step: str, summary: str, before: int | None, after: int | None, **details: Any) -> dict[str, Any]:
    return {
        "step": step,
        "options": {"epochs": 4} if step == "finetune" else {},
        "changed": True,
        "summary": summary,
        "parameters_before": before,
        "parameters_after": after,
        "nonzero_parameters_after": after,
        "details": details,
    }


_PRUNE = _step(
    "prune-channels",
    "5 of 6 layers are narrower: 93,322 parameters became 30,154.",
    93_322,
    30_154,
    macs_before=4_881_408,
    macs_after=1_502_208,
    channels={"conv2d": [32, 16], "conv2d_1": [64, 32]},
    frozen={"output": 10},
    pruned_equals_masked=3.1e-07,
)
_TUNE = _step("finetune", "trained for 4 epochs: the loss went from 0.412 to 0.063.", 30_154, 30_154, losses=[0.4, 0.1])
_INT8 = _step("quantize", "int8 weights per channel, int8 activations, ranges from 128 samples", None, None)

DIGITS = [
    Spec("float32-tflite", 2.87, 0.974, 377_120, recipe="float32", role="reference", sqnr_db=None),
    Spec("float32-onnx", 2.31, 0.974, 379_800, "onnx", recipe="float32", sqnr_db=128.4),
    Spec("float16-tflite", 2.88, 0.974, 190_400, recipe="float16", sqnr_db=71.3),
    Spec("int8-tflite", 1.21, 0.971, 102_992, steps=(_INT8,)),
    Spec("int8-onnx", 1.58, 0.969, 108_310, "onnx", steps=(_INT8,), warnings="least SQNR of the outputs is 21.4 dB"),
    Spec(
        "prune-channels-tflite",
        1.02,
        0.948,
        124_880,
        recipe="prune-channels",
        control="prune-channels-control-tflite",
        steps=(_PRUNE, _TUNE),
        parameters=30_154,
    ),
    Spec(
        "prune-channels-control-tflite",
        2.86,
        0.978,
        377_120,
        recipe="prune-channels",
        role="control",
        steps=({**_TUNE, "parameters_before": 93_322, "parameters_after": 93_322},),
        sqnr_db=None,
    ),
    Spec("int16x8-tflite", 4.9, 0.973, 104_300, recipe="int16x8", sqnr_db=58.0),
    Spec(
        "int16x8-onnx",
        0.0,
        None,
        0,
        "onnx",
        recipe="int16x8",
        failed="quantize: expected an engine that runs int16 activations, got ONNX Runtime: use int8 or tflite.",
    ),
]


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
    seed: int = 7,
) -> CampaignTables:
    """A campaign of `specs` on `devices`; a second device is 1.9 times as slow, another thread gains `thread_gain`."""
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
                            "started_at": "2026-07-25T09:30:00Z",
                            "status": "failed" if failed else "ok",
                            "reason": one.job_failed,
                            "iterations": None if failed else iterations,
                            "warmup_iterations": None if failed else 20,
                            "latency_median_ns": None if failed else float(np.median(steady)),
                            "latency_p90_ns": None if failed else float(np.quantile(steady, 0.9)),
                            "latency_mean_ns": None if failed else float(np.mean(steady)),
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
            for job_id, values in medians.items():
                if any(row["job_id"] == job_id and row["status"] == "failed" for row in rows["jobs"]) or not values:
                    continue
                logs = np.log(values)
                others = medians.get(reference_id or "")
                failed_reference = any(r["job_id"] == reference_id and r["status"] == "failed" for r in rows["jobs"])
                ratios = logs - np.log(others) if others and not failed_reference else None
                rows["estimates"].append(
                    {
                        "job_id": job_id,
                        "launches": len(values),
                        **_estimate(logs, "latency_ns", "latency_low_ns", "latency_high_ns"),
                        **_estimate(ratios, "ratio", "ratio_low", "ratio_high"),
                        "rounds_compared": 0 if ratios is None else len(ratios),
                    }
                )
    frames = {name: pd.DataFrame(rows[name], columns=list(COLUMNS[name])) for name in COLUMNS}
    if samples:
        frames["samples"] = pd.concat(samples, ignore_index=True)
    return CampaignTables(**frames)


def empty_tables() -> CampaignTables:
    """A campaign of which nothing was measured: one row in `campaign`, none anywhere else."""
    return make_tables([], devices=(), rounds=0, rounds_planned=10, status="interrupted")


def _estimate(logs: np.ndarray[Any, Any] | None, value: str, low: str, high: str) -> dict[str, float | None]:
    if logs is None:
        return {value: None, low: None, high: None}
    if len(logs) < 2:
        return {value: float(np.exp(logs.mean())), low: None, high: None}
    spread = float(stdtrit(len(logs) - 1, 0.975)) * logs.std(ddof=1) / math.sqrt(len(logs))
    return {
        value: float(np.exp(logs.mean())),
        low: float(np.exp(logs.mean() - spread)),
        high: float(np.exp(logs.mean() + spread)),
    }


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
