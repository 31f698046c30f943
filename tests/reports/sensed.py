"""What issue 4's sensors, profiler and rules add to a campaign: temperatures, energy, operators, invalid launches."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pocketbench.reports.tables import COLUMNS, CampaignTables

__all__ = ["add_invalid", "operators_of", "with_sensors"]

SENSORS = {
    "sensed": [
        {"sensor": "thermal_zone", "rate_hz": 2},
        {"sensor": "cpu_frequency", "rate_hz": 10},
        {"sensor": "ina2xx", "rate_hz": 50, "boundary": "board input"},
    ],
    "absent": [{"sensor": "rapl", "reason": "energy_uj can be read by root only"}],
}
KINDS = (
    ("Convolution (NHWC, F32) GEMM", "XNNPACK", 0.7),
    ("Fully Connected (NC, F32) GEMM", "XNNPACK", 0.2),
    ("SOFTMAX", "interpreter", 0.1),
)
PREPARATION = [
    {
        "settings": [
            {"name": "governor of policy0", "before": "schedutil", "wanted": "performance", "found": "performance"}
            | {"status": "set", "node": "/sys/x", "reason": None, "remedy": None},
            {"name": "fan", "before": None, "wanted": "full", "found": None, "status": "not possible", "node": None}
            | {"reason": "no fan is driven by the kernel", "remedy": "use an external one"},
        ],
        "changes": [
            {"at": "2026-07-25T09:31:00Z", "name": "governor of policy0", "instead": "ondemand", "found": None}
        ],
        "restoration": {"items": [{"node": "/sys/x", "before": "schedutil", "found": "powersave", "status": "failed"}]},
    }
]
FALLEN_BACK = (
    ("QUANTIZE", "interpreter", 0.15),
    ("CUSTOM_ATTENTION", "interpreter", 0.45),
    ("Convolution (NHWC, QS8) IGEMM", "XNNPACK", 0.25),
    ("DEQUANTIZE", "interpreter", 0.15),
)


def with_sensors(tables: CampaignTables, *, readings: int = 30, invalid: int = 2, seed: int = 3) -> CampaignTables:
    """`tables` of a device with every sensor; `invalid` launches were throttled and made again."""
    rng = np.random.default_rng(seed)
    devices = tables.devices.assign(
        sensors=json.dumps(SENSORS), start_line_c=42.0, sampler_ratio=1.0021, rounds_ended="reached"
    )
    devices["preparation"] = json.dumps(PREPARATION)
    launches = _sensed_launches(tables.launches, rng)
    tables = add_invalid(replace(tables, devices=devices, launches=launches), invalid)
    device_of = dict(zip(tables.jobs["job_id"], tables.jobs["device"], strict=True))
    operators = [row for job_id in tables.jobs["job_id"] for row in operators_of(job_id)]
    energies = [row for launch in _rows(tables.launches) for row in _energies(launch, rng)]
    idle = [
        {"device": device, "round": count, "started_at": "2026-07-25T09:30:00Z", "sensor": "ina2xx"}
        | {"power_mw": 1900 + 10 * rng.normal(), "reason": None}
        for device in dict.fromkeys(device_of.values())
        for count in range(3)
    ]
    return replace(
        tables,
        operators=_frame("operators", operators),
        opinions=_opinions(tables),
        energies=_frame("energies", energies),
        idle_launches=_frame("idle_launches", idle),
        traces=_traces(tables.launches, readings),
    )


def add_invalid(tables: CampaignTables, number: int, reason: str = "throttled under_voltage") -> CampaignTables:
    """The first launches once more, before themselves, as invalid ones."""
    first = tables.launches.iloc[:number]
    broken = first.assign(
        launch_id=first["launch_id"] + "-invalid", status="invalid", reason=reason, started_at="2026-07-25T09:29:30Z"
    )
    again = tables.launches.copy()
    again.loc[again.index[:number], "attempt"] = 1
    return replace(tables, launches=pd.concat([broken, again], ignore_index=True))


def operators_of(
    job_id: str, kinds: tuple[tuple[str, str, float], ...] = KINDS, time_ns: int = 2_000_000
) -> list[dict[str, Any]]:
    """Rows of the operators of a job; `kinds` are operator, what ran it, and its share of `time_ns`."""
    return [
        {"job_id": job_id, "position": position, "operator": operator, "name": f"node_{position}", "runs_on": runs_on}
        | {"time_ns": round(share * time_ns), "share": share}
        for position, (operator, runs_on, share) in enumerate(kinds)
    ]


def _sensed_launches(launches: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    count = len(launches)
    hot = np.arange(count) % 17 == 3
    flags = [
        " ".join(filter(None, (flag, "drift_slower" * bool(is_hot))))
        for flag, is_hot in zip(launches["flags"].fillna(""), hot, strict=True)
    ]
    return launches.assign(
        drift_ramp=np.where(hot, 0.034, rng.normal(0, 0.003, count)),
        drift_step=np.where(hot, 0.04, rng.normal(0, 0.003, count)),
        lag1=rng.uniform(0.2, 0.6, count),
        effective_iterations=rng.uniform(30, 80, count),
        declared_throttling=hot,
        frequency_share=np.where(hot, 0.81, 0.995),
        temperature_start_c=rng.uniform(41, 44, count),
        temperature_max_c=np.where(hot, 84.0, rng.uniform(50, 58, count)),
        flags=flags,
    )


def _energies(launch: dict[str, Any], rng: np.random.Generator) -> list[dict[str, Any]]:
    if launch["status"] != "ok":
        return []
    gross = launch["latency_median_ns"] / 1e6 * 5.1 * np.exp(rng.normal(0, 0.01))
    known = {"gross_mj": gross, "net_mj": gross * 0.63, "power_mw": 5100, "idle_mw": 1900, "flags": "", "reason": None}
    unknown = dict.fromkeys(known) | {"flags": "few-updates", "reason": "two readings are more than 3 periods apart"}
    first = {"launch_id": launch["launch_id"], "sensor": "ina2xx", "boundary": "board input"}
    second = {"launch_id": launch["launch_id"], "sensor": "rapl", "boundary": "rails"}
    return [first | known, second | unknown]


def _opinions(tables: CampaignTables) -> pd.DataFrame:
    """Of the first job: a program that is 3 % slower in all rounds but the last, where it stopped early."""
    job_id = tables.jobs["job_id"].iloc[0]
    ours = tables.launches[(tables.launches["job_id"] == job_id) & (tables.launches["status"] == "ok")]
    rows = [
        {"job_id": job_id, "tool": "benchmark_model", "program": "android_aarch64_benchmark_model"}
        | {"round": launch["round"], "status": "ok", "problems": "1 operator fell back to the CPU"}
        | {"latency_mean_ns": launch["latency_median_ns"] * 1.03, "latency_median_ns": None}
        for launch in _rows(ours)
    ]
    stopped = {"status": "failed", "reason": "expected 100 runs, got 61", "latency_mean_ns": None, "problems": None}
    return _frame("opinions", [*rows[:-1], rows[-1] | stopped] if rows else [])


def _traces(launches: pd.DataFrame, readings: int) -> pd.DataFrame:
    """Two zones and a policy; a launch lasts 8 s."""
    parts = []
    for number, launch in enumerate(_rows(launches)):
        times = number * 10_000_000_000 + np.linspace(0, 8e9, readings).astype(np.int64)
        heat = np.linspace(0, 1, readings)
        top = launch["temperature_max_c"]
        clock = np.where((heat > 0.5) & (launch["frequency_share"] < 0.95), 1_500_000, 2_400_000)
        for sensor, quantity, source, values in (
            ("thermal_zone", "temperature_c", "cpu-thermal", 43 + (top - 43) * heat),
            ("thermal_zone", "temperature_c", "gpu-thermal", 42 + (top - 45) * heat),
            ("cpu_frequency", "frequency_khz", "policy0", clock),
            ("ina2xx", "power_uw", "total", 5e6 + heat),
        ):
            columns = {"launch_id": launch["launch_id"], "sensor": sensor, "quantity": quantity, "source": source}
            parts.append(pd.DataFrame(columns | {"time_ns": times, "value": values}))
    joined = pd.concat(parts, ignore_index=True) if parts else _frame("traces", [])
    return joined.astype({"sensor": "category", "quantity": "category", "source": "category"})


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _frame(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS[name]))
