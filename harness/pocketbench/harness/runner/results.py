"""What a launch of the runner gives, and what a bench is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pocketbench.compression.manifest import TensorFacts
from pocketbench.harness.runner.sensing import Reading, SensorRequest

__all__ = [
    "SAMPLE_DTYPE",
    "BenchOptions",
    "BenchResult",
    "Description",
    "IdleResult",
    "MemoryStage",
    "SamplerOptions",
    "Sampling",
]

# Warm-up samples are kept, and marked.
SAMPLE_DTYPE = np.dtype([("start_ns", "<i8"), ("latency_ns", "<i8"), ("steady", "?")])


@dataclass(frozen=True, slots=True)
class SamplerOptions:
    """What a second process reads during a launch. Without `cores` it keeps away from the measured ones."""

    sensors: tuple[SensorRequest, ...]
    cores: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """What the sampler read, in the order of time, and what it cost.

    `late` counts readings that were left out since others took too long; `cpu_ns` is the processor time of the sampler
    and its commands, of the `wall_ns` that it was there.
    """

    readings: tuple[Reading, ...]
    late: int
    cpu_ns: int
    wall_ns: int
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """How a launch measures latency.

    Warm-up goes on for at least `warmup_iterations` and `warmup_time_ms`, the measurement for at least `iterations`
    and `min_time_ms`; neither for longer than `max_time_ms`. `cores` are pinned before the engine loads. Inputs are
    random from `seed` (src/random_input.h says of which range), or the first sample of the tensor file `input` on
    this computer. Inferences follow at once on each other, or begin at turns every `interval_us`. `streams` processes
    measure at the same time. What `accelerator` cannot take runs on the CPU.
    """

    threads: int = 1
    cores: tuple[int, ...] | None = None
    warmup_iterations: int = 10
    warmup_time_ms: int = 0
    iterations: int = 100
    min_time_ms: int = 500
    max_time_ms: int = 10_000
    seed: int = 0
    input: Path | None = None
    accelerator: str = "cpu"
    interval_us: int = 0
    streams: int = 1
    sampler: SamplerOptions | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """A model as its engine sees it. `engine_version` is None where the library does not tell (LiteRT)."""

    engine_version: str | None
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]


@dataclass(frozen=True, slots=True)
class MemoryStage:
    """Memory of the runner's process at a named stage; None where the kernel does not say or it was not asked."""

    stage: str
    resident_bytes: int | None
    peak_resident_bytes: int | None
    pss_bytes: int | None
    private_bytes: int | None
    private_dirty_bytes: int | None


@dataclass(frozen=True, slots=True, eq=False)
class BenchResult:
    """Every sample of a launch (dtype SAMPLE_DTYPE, warm-up first) and what the start cost.

    `stages` has resident and peak memory only: the exact figures would disturb latency. `flags` say what cut the
    launch short: `warmup_max_time`, `max_time`, `sample_limit`. `fully_accelerated` is None on the CPU, and where the
    engine does not say. `other_streams` has the samples of each further stream; there `steady` are those that began
    after the first stream's warm-up.
    """

    samples: np.ndarray
    engine_version: str | None
    engine_load_ns: int
    model_init_ns: int
    first_inference_ns: int
    stages: tuple[MemoryStage, ...]
    flags: tuple[str, ...]
    fully_accelerated: bool | None = None
    sampling: Sampling | None = None
    other_streams: tuple[np.ndarray, ...] = ()

    @property
    def steady_ns(self) -> np.ndarray:
        """Latencies of the steady iterations."""
        return np.asarray(self.samples["latency_ns"][self.samples["steady"]])


@dataclass(frozen=True, slots=True)
class IdleResult:
    """A process that had loaded and run the model did nothing from `start_ns` to `end_ns` of the device's clock."""

    start_ns: int
    end_ns: int
    sampling: Sampling | None
