"""The runner on a device, as an object: each method is one process there."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from pocketbench.harness.engines.catalogue import EngineName
from pocketbench.harness.errors import RunnerError, TransportError
from pocketbench.harness.runner.batches import stack_inputs, unstack_outputs
from pocketbench.harness.runner.latencies import read_samples, read_stream
from pocketbench.harness.runner.launch import read_launch
from pocketbench.harness.runner.one_command import OneCommand
from pocketbench.harness.runner.profiling import OperatorTime, parse_profile
from pocketbench.harness.runner.protocol import (
    EngineEvent,
    Event,
    FirstInferenceEvent,
    IdleEvent,
    InferredEvent,
    MemoryEvent,
    ModelEvent,
    PlacementEvent,
    ProfileEvent,
    SamplesEvent,
    SensorsEvent,
    one_event,
)
from pocketbench.harness.runner.results import (
    BenchOptions,
    BenchResult,
    Description,
    IdleResult,
    MemoryStage,
    SamplerOptions,
    Sampling,
)
from pocketbench.harness.runner.sensing import read_readings, sensor_list
from pocketbench.harness.runner.tensors import TensorFileError, read_tensors, write_tensors
from pocketbench.harness.transports.base import Transport

__all__ = ["Runner"]

_CLEAN_UP_TIMEOUT_S = 30.0


class Runner:
    """Runs one model with one engine through `transport`; all paths are on the device.

    `launcher` is what starts the runner: its path, or a carried loader with its options and then the path.
    `work_directory` must exist and be writable: data files go there and are removed again. An engine that refuses
    raises RunnerError, one that crashes RunnerCrashError, a device that is slow DeviceTimeoutError.
    """

    def __init__(
        self,
        transport: Transport,
        launcher: Sequence[str],
        engine: EngineName,
        library: PurePosixPath,
        model: PurePosixPath,
        work_directory: PurePosixPath,
    ) -> None:
        self._transport = transport
        self._work_directory = work_directory
        self._launcher = tuple(launcher)
        self._engine = engine
        self._options = ("--engine", engine, "--library", str(library), "--model", str(model))
        self._description: Description | None = None

    def describe(self, timeout_s: float = 60.0) -> Description:
        """Inputs and outputs of the model as the engine sees them; asked once, then remembered."""
        if self._description is None:
            events = self._launch("describe", (), timeout_s)
            model = one_event(events, ModelEvent)
            self._description = Description(
                one_event(events, EngineEvent).version,
                tuple(entry.facts() for entry in model.inputs),
                tuple(entry.facts() for entry in model.outputs),
            )
        return self._description

    def bench(self, options: BenchOptions, timeout_s: float) -> BenchResult:
        """Measure latency."""
        command = OneCommand(self._work_directory)
        arguments = [
            *("--samples", str(command.file("samples")), "--seed", str(options.seed)),
            *("--warmup-iterations", str(options.warmup_iterations)),
            *("--warmup-time-ms", str(options.warmup_time_ms)),
            *("--iterations", str(options.iterations)),
            *("--min-time-ms", str(options.min_time_ms), "--max-time-ms", str(options.max_time_ms)),
            *("--interval-us", str(options.interval_us), "--streams", str(options.streams)),
            *_placement(options.threads, options.cores, options.accelerator),
        ]
        others = [f"samples.{number}" for number in range(1, options.streams)]
        events, files = self._launch_at_once(
            command,
            *("bench", arguments, options.input, timeout_s),
            sampler=options.sampler,
            results=("samples", *others),
        )
        counts = one_event(events, SamplesEvent)
        engine = one_event(events, EngineEvent)
        samples = read_samples(files.get("samples", b""), counts, timeout_s)
        placed = [event.fully_accelerated for event in events if isinstance(event, PlacementEvent)]
        return BenchResult(
            samples=samples,
            engine_version=engine.version,
            engine_load_ns=engine.engine_load_ns,
            model_init_ns=one_event(events, ModelEvent).model_init_ns,
            first_inference_ns=one_event(events, FirstInferenceEvent).first_inference_ns,
            stages=_stages(events),
            flags=counts.flags,
            fully_accelerated=placed[0] if placed else None,
            sampling=_sampling(options.sampler, events, files),
            other_streams=tuple(read_stream(files.get(name, b""), samples, timeout_s) for name in others),
        )

    def idle(self, options: BenchOptions, time_ms: int, timeout_s: float) -> IdleResult:
        """Load and run the model as `bench` does with `options`, then do nothing for `time_ms`."""
        command = OneCommand(self._work_directory)
        arguments = [
            *("--min-time-ms", str(time_ms), "--seed", str(options.seed)),
            *_placement(options.threads, options.cores, options.accelerator),
        ]
        events, files = self._launch_at_once(
            command, "idle", arguments, options.input, timeout_s, sampler=options.sampler
        )
        idle = one_event(events, IdleEvent)
        return IdleResult(idle.start_ns, idle.end_ns, _sampling(options.sampler, events, files))

    def profile(self, options: BenchOptions, runs: int, timeout_s: float) -> tuple[OperatorTime, ...]:
        """What each operator takes, by the engine's own profiler over `runs` inferences."""
        command = OneCommand(self._work_directory)
        arguments = [
            *("--profile", str(command.file("profile")), "--iterations", str(runs), "--seed", str(options.seed)),
            *_placement(options.threads, options.cores, options.accelerator),
        ]
        events, files = self._launch_at_once(
            command, "profile", arguments, options.input, timeout_s, results=("profile",)
        )
        one_event(events, ProfileEvent)
        return parse_profile(self._engine, files.get("profile", b""), runs, accelerator=options.accelerator)

    def infer(
        self,
        inputs: Sequence[np.ndarray],
        *,
        threads: int = 1,
        cores: tuple[int, ...] | None = None,
        accelerator: str = "cpu",
        timeout_s: float,
    ) -> list[np.ndarray]:
        """Outputs for N samples, in the model's own dtypes.

        `inputs` has one array per model input, in its dtype, of shape (N, *shape without the batch). Where the model
        has a static batch of more than 1, samples run in groups of it, the last one filled up by repetition. An input
        or output without a batch (its first dimension is no batch of the model) keeps its whole shape: (N, *shape).
        """
        description = self.describe(timeout_s)
        batches = stack_inputs(inputs, description.inputs)
        with (
            self._remote_files("input", "output") as (input_path, output_path),
            tempfile.TemporaryDirectory(prefix="pocketbench-") as folder,
        ):
            local_input, local_output = Path(folder) / "input", Path(folder) / "output"
            write_tensors(local_input, batches.arrays)
            self._transport.push(local_input, input_path)
            local_input.unlink()
            arguments = (
                "--input",
                str(input_path),
                "--output",
                str(output_path),
                *_placement(threads, cores, accelerator),
            )
            events = self._launch("infer", arguments, timeout_s)
            self._transport.pull(output_path, local_output)
            try:
                outputs = read_tensors(local_output)
            except TensorFileError as error:
                raise RunnerError(f"{self._transport.address} {error}", stage="output") from error
        if one_event(events, InferredEvent).runs != batches.runs:
            raise RunnerError(f"expected {batches.runs} runs, got another number.", stage="output")
        return unstack_outputs(outputs, description.outputs, batches)

    def memory(
        self,
        threads: int,
        timeout_s: float,
        *,
        cores: tuple[int, ...] | None = None,
        seed: int = 0,
        input: Path | None = None,  # noqa: A002  # the runner's word, as in BenchOptions
        accelerator: str = "cpu",
    ) -> tuple[MemoryStage, ...]:
        """Memory of a process that does nothing but load and run the model, at each stage.

        `seed`, `input` and `accelerator` as in BenchOptions.
        """
        arguments = ("--seed", str(seed), *_placement(threads, cores, accelerator))
        command = OneCommand(self._work_directory)
        events, _ = self._launch_at_once(command, "memory", arguments, input, timeout_s)
        return _stages(events)

    def _launch(self, mode: str, arguments: Sequence[str], timeout_s: float) -> list[Event]:
        completed = self._transport.run(self._argv(mode, arguments), timeout_s=timeout_s)
        return read_launch(completed, self._transport.address)

    def _launch_at_once(
        self,
        command: OneCommand,
        mode: str,
        arguments: Sequence[str],
        input_file: Path | None,
        timeout_s: float,
        *,
        sampler: SamplerOptions | None = None,
        results: tuple[str, ...] = (),
    ) -> tuple[list[Event], dict[str, bytes]]:
        """A launch with random input, or that of a file: its events, and its result files."""
        given = () if input_file is None else ("--input", str(command.file("input")))
        listed = b""
        sensed: tuple[str, ...] = ()
        if sampler is not None:
            listed, sensed, results = sensor_list(sampler.sensors), _sensed(command, sampler), (*results, "readings")
        argv = self._argv(mode, (*arguments, *given, *sensed))
        completed, files = command.run(
            self._transport, argv, timeout_s=timeout_s, input_file=input_file, sensors=listed, results=results
        )
        return read_launch(completed, self._transport.address), files

    def _argv(self, mode: str, arguments: Sequence[str]) -> tuple[str, ...]:
        return (*self._launcher, mode, *self._options, *arguments)

    @contextlib.contextmanager
    def _remote_files(self, *names: str) -> Iterator[tuple[PurePosixPath, ...]]:
        """Paths in the work directory that no other launch uses; what is there in the end is removed."""
        token = secrets.token_hex(8)
        paths = tuple(self._work_directory / f".{token}.{name}" for name in names)
        clean_up = ("rm", "-f", *map(str, paths))
        try:
            yield paths
        except BaseException:
            with contextlib.suppress(TransportError):  # a device that is gone: why is already on its way up
                self._transport.run(clean_up, timeout_s=_CLEAN_UP_TIMEOUT_S)
            raise
        self._transport.run(clean_up, timeout_s=_CLEAN_UP_TIMEOUT_S)


def _placement(threads: int, cores: tuple[int, ...] | None, accelerator: str = "cpu") -> tuple[str, ...]:
    pinned = ("--cores", _listed(cores)) if cores is not None else ()
    placed = ("--accelerator", accelerator) if accelerator != "cpu" else ()
    return ("--threads", str(threads), *pinned, *placed)


def _sensed(command: OneCommand, sampler: SamplerOptions) -> tuple[str, ...]:
    away = ("--sampler-cores", _listed(sampler.cores)) if sampler.cores is not None else ()
    return ("--sensors", str(command.file("sensors")), "--readings", str(command.file("readings")), *away)


def _listed(cores: Sequence[int]) -> str:
    return ",".join(map(str, cores))


def _sampling(sampler: SamplerOptions | None, events: list[Event], files: dict[str, bytes]) -> Sampling | None:
    if sampler is None:
        return None
    said = one_event(events, SensorsEvent)
    readings = read_readings(files.get("readings", b""), sensors=len(sampler.sensors), count=said.readings)
    return Sampling(tuple(readings), said.late, said.cpu_ns, said.wall_ns, said.flags)


def _stages(events: list[Event]) -> tuple[MemoryStage, ...]:
    return tuple(
        MemoryStage(
            stage=event.stage,
            resident_bytes=event.resident_bytes,
            peak_resident_bytes=event.peak_resident_bytes,
            pss_bytes=event.pss_bytes,
            private_bytes=(
                None
                if event.private_clean_bytes is None or event.private_dirty_bytes is None
                else event.private_clean_bytes + event.private_dirty_bytes
            ),
            private_dirty_bytes=event.private_dirty_bytes,
        )
        for event in events
        if isinstance(event, MemoryEvent)
    )
