"""What a benchmark program was asked for, and what it said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from pocketbench.checked.errors import DeviceError, InputError
from pocketbench.harness.runner.profiling import OperatorTime

__all__ = ["Asked", "Latency", "Opinion", "OpinionError", "ToolName"]

ToolName = Literal["benchmark_litert_model.py", "benchmark_model", "onnxruntime_perf_test"]

# Programs read these into an int32 and run as long as they say: a typing error must not cost a day.
_MOST_ITERATIONS = 1_000_000
_MOST_THREADS = 1024
_MOST_CORES = 1024
_MOST_TIME_S = 86_400


class OpinionError(DeviceError):
    """The program failed, did something else than asked, or its output is not what such a program prints."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One launch of a program: exactly `iterations` inferences after `warmup_iterations` unmeasured ones.

    `model` is a path on the device. `cores` are those it is bound to (None: any). `flags` go to the program as they
    are, after ours. `time_limit_s` is for the whole launch.
    """

    model: PurePosixPath
    threads: int = 1
    iterations: int = 50
    warmup_iterations: int = 1
    cores: tuple[int, ...] | None = None
    flags: tuple[str, ...] = ()
    time_limit_s: float = 300.0

    def __post_init__(self) -> None:
        for name, value, most in (
            ("threads", self.threads, _MOST_THREADS),
            ("iterations", self.iterations, _MOST_ITERATIONS),
            ("warm-up iterations", self.warmup_iterations, _MOST_ITERATIONS),
        ):
            if not 1 <= value <= most:
                raise InputError(f"expected 1 to {most} {name} for a second opinion, got {value}.")
        if self.cores is not None and not (self.cores and all(0 <= core < _MOST_CORES for core in self.cores)):
            raise InputError(f"expected one or more cores from 0 to {_MOST_CORES - 1}, got {self.cores!r}.")
        if not 0 < self.time_limit_s <= _MOST_TIME_S:
            raise InputError(f"expected a time limit of up to {_MOST_TIME_S} s, got {self.time_limit_s!r}.")
        if not self.model.is_absolute():
            raise InputError(f"expected an absolute path of the model on the device, got {self.model}.")


@dataclass(frozen=True, slots=True)
class Latency:
    """Of the measured inferences, in ns, by the program's own definitions; None where it does not say.

    `resolution_ns` is the step in which the program prints: a difference below that is none. Percentiles of programs
    that keep no samples are printed without regard to how many runs there were.
    """

    mean_ns: int
    resolution_ns: int
    median_ns: int | None = None
    min_ns: int | None = None
    max_ns: int | None = None
    std_ns: int | None = None
    p5_ns: int | None = None
    p90_ns: int | None = None
    p95_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a launch of `tool` said; times in ns.

    `threads` are those that it says it used, None where it does not say. `arguments` is all that it was given, paths
    on the device among it. `program_sha256` says which build it was: none of these programs tells its version.
    `samples_ns` is empty where it prints no single latencies. `first_inference_ns` is of the warm-up.
    `memory_growth_bytes` is how much the process's high-water mark grew from its start, `peak_memory_bytes` the mark
    itself. `problems` are things that a reader must know beside the figures.
    """

    tool: ToolName
    latency: Latency
    runs: int
    warmup_runs: int
    threads: int | None
    arguments: tuple[str, ...] = ()
    program_sha256: str = ""
    init_ns: int | None = None
    first_inference_ns: int | None = None
    memory_growth_bytes: int | None = None
    peak_memory_bytes: int | None = None
    samples_ns: tuple[int, ...] = ()
    operators: tuple[OperatorTime, ...] = ()
    problems: tuple[str, ...] = ()
