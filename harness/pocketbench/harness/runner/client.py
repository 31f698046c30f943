"""The runner on a device, as an object: each method is one process there."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from pocketbench.harness.errors import RunnerError, TransportError
from pocketbench.harness.runner.batches import stack_inputs, unstack_outputs
from pocketbench.harness.runner.launch import read_launch
from pocketbench.harness.runner.one_command import OneCommand
from pocketbench.harness.runner.protocol import (
    EngineEvent,
    Event,
    FirstInferenceEvent,
    InferredEvent,
    MemoryEvent,
    ModelEvent,
    SamplesEvent,
    one_event,
)
from pocketbench.harness.runner.results import SAMPLE_DTYPE, BenchOptions, BenchResult, Description, MemoryStage
from pocketbench.harness.runner.tensors import TensorFileError, read_tensors, write_tensors
from pocketbench.harness.transports.base import Transport

__all__ = ["Runner"]

_CLEAN_UP_TIMEOUT_S = 30.0
# No device's clock runs twice as fast as ours.
_CLOCK_SLACK = 2.0


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
        engine: str,
        library: PurePosixPath,
        model: PurePosixPath,
        work_directory: PurePosixPath,
    ) -> None:
        self._transport = transport
        self._work_directory = work_directory
        self._launcher = tuple(launcher)
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
            *("--samples", str(command.samples), "--seed", str(options.seed)),
            *("--warmup-iterations", str(options.warmup_iterations)),
            *("--warmup-time-ms", str(options.warmup_time_ms)),
            *("--iterations", str(options.iterations)),
            *("--min-time-ms", str(options.min_time_ms), "--max-time-ms", str(options.max_time_ms)),
        ]
        placement = _placement(options.threads, options.cores)
        events, data = self._launch_at_once(command, "bench", (*arguments, *placement), options.input, timeout_s)
        counts = one_event(events, SamplesEvent)
        engine = one_event(events, EngineEvent)
        return BenchResult(
            samples=_read_samples(data, counts, timeout_s),
            engine_version=engine.version,
            engine_load_ns=engine.engine_load_ns,
            model_init_ns=one_event(events, ModelEvent).model_init_ns,
            first_inference_ns=one_event(events, FirstInferenceEvent).first_inference_ns,
            stages=_stages(events),
            flags=counts.flags,
        )

    def infer(
        self,
        inputs: Sequence[np.ndarray],
        *,
        threads: int = 1,
        cores: tuple[int, ...] | None = None,
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
            arguments = ("--input", str(input_path), "--output", str(output_path), *_placement(threads, cores))
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
    ) -> tuple[MemoryStage, ...]:
        """Memory of a process that does nothing but load and run the model, at each stage.

        `seed` and `input` as in BenchOptions.
        """
        arguments = ("--seed", str(seed), *_placement(threads, cores))
        command = OneCommand(self._work_directory)
        events, _ = self._launch_at_once(command, "memory", arguments, input, timeout_s)
        return _stages(events)

    def _launch(self, mode: str, arguments: Sequence[str], timeout_s: float) -> list[Event]:
        completed = self._transport.run(self._argv(mode, arguments), timeout_s=timeout_s)
        return read_launch(completed, self._transport.address)

    def _launch_at_once(
        self, command: OneCommand, mode: str, arguments: Sequence[str], input_file: Path | None, timeout_s: float
    ) -> tuple[list[Event], bytes]:
        """A launch with random input, or that of a file: its events, and its samples where it writes any."""
        given = () if input_file is None else ("--input", str(command.input))
        argv = self._argv(mode, (*arguments, *given))
        completed, samples = command.run(self._transport, argv, input_file=input_file, timeout_s=timeout_s)
        return read_launch(completed, self._transport.address), samples

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


def _placement(threads: int, cores: tuple[int, ...] | None) -> tuple[str, ...]:
    pinned = ("--cores", ",".join(map(str, cores))) if cores is not None else ()
    return ("--threads", str(threads), *pinned)


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


def _read_samples(data: bytes, counts: SamplesEvent, timeout_s: float) -> np.ndarray:
    """Pairs of int64; checked against the counts, and against time itself: in order, and within the launch."""
    expected = counts.warmup + counts.steady
    if len(data) != expected * 16:
        raise RunnerError(f"expected {expected * 16} bytes of samples, got {len(data)}.", stage="samples")
    pairs = np.frombuffer(data, "<i8").reshape(-1, 2)
    starts, latencies = pairs[:, 0], pairs[:, 1]
    if (pairs < 0).any() or (starts[1:] - starts[:-1] < latencies[:-1]).any():
        raise RunnerError("expected samples in the order of time, got others: the file is damaged.", stage="samples")
    span_ns = int(starts[-1]) + int(latencies[-1]) - int(starts[0])
    if span_ns > _CLOCK_SLACK * timeout_s * 1e9:
        raise RunnerError(
            f"expected samples within the {timeout_s:g} s that the launch may take, got {span_ns / 1e9:g} s: "
            "the file is damaged.",
            stage="samples",
        )
    if np.median(latencies[counts.warmup :]) == 0:
        raise RunnerError("expected latencies that the device's clock can tell, got a median of 0 ns.", stage="samples")
    samples = np.empty(expected, SAMPLE_DTYPE)
    samples["start_ns"], samples["latency_ns"] = starts, latencies
    samples["steady"] = np.arange(expected) >= counts.warmup
    return samples
