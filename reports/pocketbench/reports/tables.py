"""The tables that reports are made from: one pandas frame each, columns documented here and nowhere else.

A colleague can build them in a notebook from any source; `pocketbench.harness.store` builds them from a campaign.
Times in ns, sizes in bytes, instants as UTC ISO 8601 strings. A missing value is NA and means "not known", never 0.
Every text may come from a device or a user and is untrusted: pages escape it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import pandas as pd

from pocketbench.checked.errors import InputError

__all__ = ["COLUMNS", "CampaignTables", "check_tables"]

COLUMNS: dict[str, dict[str, str]] = {
    "campaign": {  # exactly one row
        "campaign_id": "identifier in the store",
        "name": "as the plan says",
        "status": "finished, running or interrupted",
        "started_at": "UTC",
        "finished_at": "UTC, NA while running or where interrupted",
        "seed": "seed of the order of launches",
        "rounds_planned": "rounds asked for; where a precision was, the most that were allowed",
        "rounds_done": "rounds in which every job was launched that did not fail",
        "quality_metric": "name of the metric, NA where no evaluation data was given",
        "quality_higher_is_better": "bool, NA without a metric",
        "pocketbench_version": "version that measured",
        "plan": "the plan as YAML text",
        "regime": "burst or sustained",
        "scenario": "single-stream, or in words how inferences come: paced, in several streams, for minutes",
        "precision": "half-width that the interval of a ratio was to have, NA for a fixed number of rounds",
        "budget_s": "time that measuring was allowed, NA without a limit",
        "confidence": "of the intervals, as they are made: 0.95, or more where rounds were added",
    },
    "devices": {  # one row per device
        "device": "registered name",
        "address": "transport address",
        "profile": "name of the device profile",
        "model": "what the device calls itself",
        "cpu": "CPU model name",
        "cores": "number of logical CPUs",
        "memory_bytes": "installed memory",
        "os": "operating system and release",
        "kernel": "kernel release",
        "architecture": "x86_64, aarch64, …",
        "cpu_features": "features that matter for int8, space separated",
        "governor": "cpufreq governor at the start, NA where the device does not say",
        "load_average_1min": "at the start",
        "sensors": "JSON: what is sensed during launches, and why the rest is not; NA where nothing was asked",
        "start_line_c": "temperature that launches start at, NA without a sensor",
        "sampler_ratio": "latency of a launch with the sampler against one without, NA where not taken",
        "rounds_ended": "why: reached, rounds or time; NA before the end",
        "unreached": "JSON: jobs whose ratio is less precise than asked for, and what it would take; NA where none",
        "preparation": "JSON: what it was prepared with each time the campaign ran; NA for nothing",
    },
    "engines": {  # one row per engine build used
        "engine_id": "identifier",
        "name": "LiteRT or ONNX Runtime",
        "version": "version the library itself reports or its package has",
        "platform": "linux-x86_64, linux-aarch64, …",
        "sha256": "of the library file",
    },
    "variants": {  # one row per variant of the campaign, failed ones too
        "variant_id": "identifier",
        "name": "recipe and format, e.g. int8-tflite",
        "format": "tflite or onnx",
        "recipe": "name of the recipe, NA for a file the user brought",
        "role": "reference, variant or control",
        "control": "name of the variant that trained equally longer without compression, NA where none",
        "sha256": "of the file, NA where failed",
        "size_bytes": "of the file, NA where failed",
        "size_gzip_bytes": "of the file under gzip -9, NA where failed",
        "parameters": "count, NA where unknown",
        "status": "ok or failed",
        "reason": "why it failed, NA where ok",
        "warnings": "what the gate noticed, one a line, empty where nothing",
        "steps": "JSON list of step reports (step, summary, parameters_before, parameters_after, …)",
        "sqnr_db": "of the file's outputs against its source model's, NA where unknown or exact",
        "host_quality": "metric of the file on the computer that compressed it, NA where unknown",
    },
    "jobs": {  # one row per job
        "job_id": "identifier",
        "variant_id": "of variants",
        "device": "of devices",
        "engine_id": "of engines, NA where no engine could be found",
        "accelerator": "cpu, gpu, npu, xnnpack, nnapi or qnn",
        "threads": "threads given to the engine",
        "cores": "cores the process was pinned to, e.g. 0,1; NA where not pinned",
        "is_reference": "bool: comparisons of jobs with the same device, threads and cores are ratios to it",
        "reference_job_id": "job that this one is compared to, NA where there is none",
        "is_aa_copy": "bool: the reference once more; what it differs by is noise",
        "status": "ok, failed (not deployed, or no launch could be used) or partial (something is missing, see reason)",
        "reason": "why, NA where ok",
    },
    "launches": {  # one row per launch, failed, invalid and lost ones too
        "launch_id": "identifier",
        "job_id": "of jobs",
        "round": "from 0",
        "attempt": "from 0; another one follows a launch that was lost or invalid",
        "position": "place within the round, from 0",
        "started_at": "UTC, by this computer's clock",
        "status": "ok, failed, invalid by a rule, or lost with the connection to the device",
        "reason": "why it failed; the rules that it broke, space separated; NA where ok",
        "iterations": "steady iterations",
        "warmup_iterations": "warm-up iterations, kept as samples",
        "latency_median_ns": "of the steady iterations, of all streams",
        "latency_p90_ns": "NA under 64 iterations",
        "latency_p99_ns": "NA under 662 iterations",
        "latency_mean_ns": "of the steady iterations",
        "throughput_per_s": "inferences per second, of all streams while all of them measured",
        "last_minute_ratio": "median latency of the last minute against the first, warm-up included; NA under two",
        "drift_ramp": "how much slower the end is than the start by the slope, as a share of the median",
        "drift_step": "the same between the two levels into which the launch splits best",
        "lag1": "correlation of neighbouring iterations",
        "effective_iterations": "independent iterations that say as much",
        "declared_throttling": "bool: the device says so; NA where it cannot",
        "frequency_share": "of time at the expected frequency, of the slowest core; NA where not known",
        "temperature_start_c": "before the launch",
        "temperature_max_c": "during the launch",
        "fully_accelerated": "bool, NA on the CPU and where the engine does not say",
        "engine_load_ns": "dlopen of the engine",
        "model_init_ns": "from model file to ready to run",
        "first_inference_ns": "the first inference of the process",
        "peak_memory_bytes": "VmHWM at the end of the launch, of the first stream",
        "page_cache": "dropped or warm before the launch; NA where not known",
        "flags": "what was noticed, space separated (docs/measurement.md); empty where nothing",
    },
    "samples": {  # one row per iteration; may be many
        "launch_id": "of launches",
        "stream": "from 0; several where the scenario has several",
        "iteration": "of the stream, from 0, warm-up first",
        "kind": "warmup or steady",
        "start_ns": "CLOCK_MONOTONIC of the device",
        "latency_ns": "duration",
    },
    "memory": {  # stages of the memory launches
        "job_id": "of jobs",
        "stage": "start, engine_loaded, model_loaded, first_inference or end",
        "position": "order of the stage, from 0",
        "resident_bytes": "VmRSS",
        "peak_resident_bytes": "VmHWM",
        "pss_bytes": "Pss of smaps_rollup, NA where the kernel has none",
        "private_bytes": "Private_Clean + Private_Dirty of smaps_rollup, NA likewise",
        "private_dirty_bytes": "Private_Dirty of smaps_rollup, NA likewise",
    },
    "quality": {  # quality of the deployed file on the device
        "job_id": "of jobs",
        "metric": "name",
        "value": "of the metric",
        "low": "95 % interval, NA where the metric has none",
        "high": "likewise",
        "samples": "examples evaluated",
        "higher_is_better": "bool",
    },
    "operators": {  # operators of the profile launches
        "job_id": "of jobs",
        "position": "order of execution, from 0",
        "operator": "kind, in the engine's words",
        "name": "of the node, empty where the engine does not tell",
        "runs_on": "XNNPACK, interpreter, or an execution provider",
        "time_ns": "mean of an inference, by the engine's own profiler",
        "share": "of all operators' time",
    },
    "opinions": {  # launches of benchmark programs of the user's (docs/second-opinion.md)
        "job_id": "of jobs: the same file, threads and cores",
        "tool": "benchmark_model, benchmark_litert_model.py or onnxruntime_perf_test",
        "program": "name of its file",
        "round": "from 0",
        "position": "place within the round, from 0",
        "started_at": "UTC, by this computer's clock",
        "status": "ok, failed, or lost with the connection to the device",
        "reason": "why it failed or was lost, NA where ok",
        "program_sha256": "of its file, NA where it was not launched",
        "runs": "inferences that it measured",
        "warmup_runs": "inferences before them",
        "threads": "that it says it used, NA where it does not say",
        "latency_mean_ns": "by its own definitions, like the rest; NA where it does not say",
        "latency_median_ns": "likewise",
        "latency_min_ns": "likewise",
        "latency_max_ns": "likewise",
        "latency_std_ns": "likewise",
        "latency_p5_ns": "likewise",
        "latency_p90_ns": "likewise",
        "latency_p95_ns": "likewise",
        "resolution_ns": "step in which it prints",
        "init_ns": "loading the model",
        "first_inference_ns": "first inference of its warm-up",
        "memory_growth_bytes": "growth of the process's high-water mark from its start",
        "peak_memory_bytes": "high-water mark of the process",
        "problems": "what to know beside the figures, one a line; empty where nothing, NA where it failed",
    },
    "energies": {  # energy of the steady part of launches, by sensor
        "launch_id": "of launches",
        "sensor": "name of the sensor of power",
        "boundary": "what it is the power of: battery, rails, board input or wall",
        "gross_mj": "energy of an inference in mJ, NA where not known",
        "net_mj": "less what the device takes idle, NA without an idle baseline",
        "power_mw": "mean power of the steady part",
        "idle_mw": "mean of the idle baselines before and after the round",
        "flags": "what was noticed, space separated",
        "reason": "why it is not known, NA where it is",
    },
    "idle_launches": {  # what devices take with nothing to do
        "device": "of devices",
        "round": "from 0: taken before it; the one after the last round has its number plus one",
        "started_at": "UTC",
        "sensor": "name of the sensor of power",
        "power_mw": "mean, NA where not known",
        "reason": "why it is not known, NA where it is",
    },
    "traces": {  # what sensors said during launches; may be many
        "launch_id": "of launches",
        "sensor": "name of the sensor",
        "quantity": "temperature_c, frequency_khz, throttled_bits, power_uw, …: docs/sensors.md",
        "source": "of what: a zone, a core, a rail",
        "time_ns": "CLOCK_MONOTONIC of the device",
        "value": "in the quantity's unit",
    },
    "estimates": {  # what the launches of a job say together
        "job_id": "of jobs",
        "launches": "launches used",
        "latency_ns": "geometric mean of the launch medians",
        "latency_low_ns": "t interval over launches with the campaign's confidence, NA under 2 launches",
        "latency_high_ns": "likewise",
        "throughput_per_s": "geometric mean over launches",
        "last_minute_ratio": "geometric mean over launches, NA where they are shorter than two minutes",
        "ratio": "latency against the reference job, geometric mean of the per-round ratios, NA for no common round",
        "ratio_low": "paired t interval over rounds, likewise; NA under 2 rounds",
        "ratio_high": "likewise",
        "rounds_compared": "rounds with both launches",
        "verdict": "difference, none found or cannot say; NA for the reference",
        "verdict_reason": "why it is no difference, NA where it is",
    },
}


@dataclass(frozen=True, slots=True)
class CampaignTables:
    """All tables of one campaign."""

    campaign: pd.DataFrame
    devices: pd.DataFrame
    engines: pd.DataFrame
    variants: pd.DataFrame
    jobs: pd.DataFrame
    launches: pd.DataFrame
    samples: pd.DataFrame
    memory: pd.DataFrame
    quality: pd.DataFrame
    operators: pd.DataFrame
    opinions: pd.DataFrame
    energies: pd.DataFrame
    idle_launches: pd.DataFrame
    traces: pd.DataFrame
    estimates: pd.DataFrame


def check_tables(tables: CampaignTables) -> None:
    """Raise InputError unless every table has exactly its documented columns."""
    for field in fields(tables):
        expected, got = set(COLUMNS[field.name]), set(getattr(tables, field.name).columns)
        if expected != got:
            raise InputError(
                f"expected the table {field.name!r} to have the columns {sorted(expected)}, "
                f"got without {sorted(expected - got)} and with {sorted(got - expected)}."
            )
    if len(tables.campaign) != 1:
        raise InputError(f"expected exactly one row in the table 'campaign', got {len(tables.campaign)}.")
