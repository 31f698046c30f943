"""One device of a campaign: deploy, take memory and quality, then launch round by round.

What fails is written with its reason and the rest goes on. A device that is lost is waited for: what it was doing is
marked and done again when it is back. One that stays away ends its own part only, and the campaign can be resumed:
nothing that is in the store is done again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from pocketbench.checked.errors import DeviceError, InputError
from pocketbench.harness.campaign.evaluation import Evaluation
from pocketbench.harness.campaign.plan import LaunchSpec, Plan
from pocketbench.harness.campaign.progress import Meter
from pocketbench.harness.campaign.reach import Reached
from pocketbench.harness.campaign.variants import LoadedVariant
from pocketbench.harness.deploy.variant import deploy_variant
from pocketbench.harness.engines.catalogue import DISPLAY_NAMES, EngineBuild, engine_for_format
from pocketbench.harness.errors import DeviceGoneError, DeviceTimeoutError, TransportError
from pocketbench.harness.measure.launch_summary import summarise_launch
from pocketbench.harness.measure.rounds import round_order
from pocketbench.harness.runner.binaries import runner_binary
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.runner.results import BenchOptions, BenchResult, MemoryStage
from pocketbench.harness.store.records import EngineRecord, LaunchRecord, MemoryStageRecord, QualityRecord, StoredJob
from pocketbench.harness.store.store import Store
from pocketbench.harness.store.writing import now

__all__ = ["DeviceRun"]

# Loading a large model from a slow card takes a minute; beyond that something hangs.
_START_TIMEOUT_S = 300.0
# Thousands of samples of a slow model on a slow board: an hour is no error yet.
_QUALITY_TIMEOUT_S = 4 * 3600.0
# A job whose launches fail this often in a row is not launched again: a crash repeats itself.
_FAILURES_IN_A_ROW = 2
# What loses the device this often is what loses it: the rest goes on without it.
_TRIES = 3
# A phone restarts within a minute and a half, a board within half a minute; a cable is found and plugged in again.
_RETURN_WITHIN_S = 180.0
_ASK_EVERY_S = 2.0
_ANSWER_WITHIN_S = 15.0

Result = TypeVar("Result")


@dataclass(slots=True)
class DeviceRun:
    """`jobs` are those of the device; `inputs` is a folder for tensor files, where there is evaluation data.

    `stop` ends the run at the next launch, for another thread to set.
    """

    plan: Plan
    store: Store
    reached: Reached
    variants: Mapping[str, LoadedVariant]
    jobs: Sequence[StoredJob]
    evaluation: Evaluation | None
    inputs: Path
    meter: Meter
    stop: threading.Event = field(default_factory=threading.Event)
    # How often the device came back: what was deployed before must be looked at again.
    _returns: int = field(default=0, init=False)
    _deployed: dict[str, tuple[int, Runner]] = field(default_factory=dict, init=False)

    def run(self) -> None:
        """All of it, in the order in which a failure is noticed earliest.

        Raises DeviceGoneError where the device was lost and did not come back.
        """
        jobs = self._deploy()
        self._take_memory(jobs)
        self._take_quality(jobs)
        self._launch_rounds(jobs)

    @property
    def _name(self) -> str:
        return self.reached.device.name

    def _deploy(self) -> list[StoredJob]:
        """Deploy every variant; the jobs of those that could be."""
        deployed = set()
        for name, job_ids in _by_variant(self.jobs).items():
            self.meter.tell(f"deploying {name} to {self._name}")
            try:
                engine = self._engine(name)
                self._steadily(partial(self._runner, name))
            except (DeviceError, InputError) as error:
                self._raise_if_over(error)
                self.store.add_failure(job_ids, "deploy", str(error))
            else:
                self.store.set_deployed(job_ids, _engine_record(engine))
                deployed.add(name)
        return [job for job in self.jobs if job.variant in deployed]

    def _engine(self, variant: str) -> EngineBuild:
        return self.reached.engines[engine_for_format(self.variants[variant].format)]

    def _runner(self, name: str) -> Runner:
        """The runner of a variant that is in place on the device as it is now."""
        if name in self._deployed and self._deployed[name][0] == self._returns:
            return self._deployed[name][1]
        variant, engine = self.variants[name], self._engine(name)
        assert variant.file is not None  # only variants with a file have jobs
        deployed = deploy_variant(
            self.reached.transport,
            self.reached.device.directory,
            variant_file=variant.file,
            golden=variant.golden,
            rtol=variant.rtol,
            atol=variant.atol,
            engine=engine,
            runner=runner_binary(engine.runner_platform),
            name=variant.name,
        )
        self._deployed[name] = (self._returns, deployed.runner_client)
        return deployed.runner_client

    def _take_memory(self, jobs: Sequence[StoredJob]) -> None:
        for job in jobs:
            if job.has_memory:
                continue
            self.meter.tell(f"memory of {job.key}")
            try:
                stages = self._steadily(partial(self._memory, job))
            except (DeviceError, InputError) as error:
                self._raise_if_over(error)
                self.store.add_failure([job.job_id], "memory", str(error))
            else:
                self.store.set_memory(job.job_id, [MemoryStageRecord(**asdict(stage)) for stage in stages])

    def _memory(self, job: StoredJob) -> tuple[MemoryStage, ...]:
        return self._runner(job.variant).memory(
            job.threads, _START_TIMEOUT_S, cores=job.cores, seed=self.plan.seed, input=self._input(job.variant)
        )

    def _take_quality(self, jobs: Sequence[StoredJob]) -> None:
        """Once per file, with the most threads asked for: its answers do not depend on their number."""
        for name, job_ids in _by_variant([job for job in jobs if not job.has_quality]).items():
            if self.evaluation is None:
                return
            self.meter.tell(f"quality of {name} on {self._name}")
            try:
                self._judge(self.evaluation, name, job_ids)
            except (DeviceError, InputError) as error:
                self._raise_if_over(error)
                self.store.add_failure(job_ids, "quality", str(error))

    def _judge(self, evaluation: Evaluation, name: str, job_ids: Sequence[int]) -> None:
        variant = self.variants[name]
        inputs = evaluation.inputs(variant)
        outputs = self._steadily(
            lambda: self._runner(name).infer(
                inputs, threads=max(self.plan.threads), cores=self.plan.cores, timeout_s=_QUALITY_TIMEOUT_S
            )
        )
        value = evaluation.judge(variant, outputs)
        metric = evaluation.metric
        record = QualityRecord(metric.name, value.value, value.low, value.high, value.samples, metric.higher_is_better)
        self.store.set_quality(job_ids, record, outputs)

    def _launch_rounds(self, jobs: Sequence[StoredJob]) -> None:
        by_key = {job.key: job for job in jobs}
        failures = dict.fromkeys(by_key, 0)
        for number in range(self.plan.rounds):
            for position, key in enumerate(round_order(list(by_key), seed=self.plan.seed, round_number=number)):
                job = by_key[key]
                if number in job.rounds or failures[key] >= _FAILURES_IN_A_ROW:
                    continue
                if self.stop.is_set():
                    return
                self.meter.launch(self._name, f"round {number + 1} of {self.plan.rounds}: {key}")
                ok = self._launch(job, number, position)
                failures[key] = 0 if ok else failures[key] + 1

    def _launch(self, job: StoredJob, number: int, position: int) -> bool:
        """One launch with all its attempts, each of which is stored."""
        started_at = now()

        def launch() -> BenchResult:
            nonlocal started_at
            runner = self._runner(job.variant)
            started_at = now()
            return runner.bench(options, _START_TIMEOUT_S + 2 * self.plan.launch.max_time_s)

        def record(status: Literal["failed", "lost"], error: Exception) -> None:
            self.store.add_launch(LaunchRecord(job.job_id, number, position, started_at, status, str(error)), None)

        try:
            options = _bench_options(self.plan.launch, job, self.plan.seed, self._input(job.variant))
            result = self._steadily(launch, lambda error: record("lost", error))
        except (DeviceError, InputError) as error:
            self._raise_if_over(error)
            record("failed", error)
            return False
        self.store.add_launch(_launch_record(result, job.job_id, number, position, started_at), result.samples)
        return True

    def _steadily(self, step: Callable[[], Result], lost: Callable[[TransportError], None] | None = None) -> Result:
        """Do `step`; where the device is lost meanwhile, tell `lost`, wait for the device, and do it again."""
        for _ in range(_TRIES - 1):
            try:
                return step()
            except DeviceTimeoutError:
                raise  # the device is there, and what it did took too long
            except TransportError as error:
                if self.stop.is_set():
                    raise DeviceGoneError(str(error)) from error
                if lost is not None:
                    lost(error)
                self._await_return(error)
        return step()

    def _await_return(self, error: TransportError) -> None:
        self.meter.tell(f"{self._name} is lost, waiting for it: {error}")
        deadline = time.monotonic() + _RETURN_WITHIN_S
        while True:
            try:
                self.reached.transport.run(("true",), timeout_s=_ANSWER_WITHIN_S)
            except TransportError as last:
                if time.monotonic() >= deadline or self.stop.wait(_ASK_EVERY_S):
                    raise DeviceGoneError(
                        f"{self._name}: expected the device to come back within {_RETURN_WITHIN_S:g} s, got: "
                        f"{last} What was measured is kept: see to the device, then resume the campaign."
                    ) from error
            else:
                self._returns += 1
                return

    def _raise_if_over(self, error: Exception) -> None:
        """Go on after what one variant did; not after the device has gone away or the run was told to stop.

        What fails then fails for that, and nothing of it is stored: a resumed campaign does it again.
        """
        if isinstance(error, DeviceGoneError):
            raise error
        if self.stop.is_set():
            raise DeviceGoneError(str(error)) from error

    def _input(self, variant: str) -> Path | None:
        """The tensor file of a variant, None where its input is random."""
        if self.evaluation is None:
            return None
        path = self.inputs / f"{list(self.variants).index(variant)}.tensors"
        if not path.exists():
            self.evaluation.write_first_input(self.variants[variant], path)
        return path


def _by_variant(jobs: Sequence[StoredJob]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for job in jobs:
        found.setdefault(job.variant, []).append(job.job_id)
    return found


def _engine_record(engine: EngineBuild) -> EngineRecord:
    return EngineRecord(engine.engine_id, DISPLAY_NAMES[engine.name], engine.version, engine.platform, engine.sha256)


def _bench_options(spec: LaunchSpec, job: StoredJob, seed: int, tensors: Path | None) -> BenchOptions:
    return BenchOptions(
        threads=job.threads,
        cores=job.cores,
        warmup_iterations=spec.warmup_iterations,
        warmup_time_ms=round(spec.warmup_time_s * 1000),
        iterations=spec.iterations,
        min_time_ms=round(spec.min_time_s * 1000),
        max_time_ms=round(spec.max_time_s * 1000),
        seed=seed,
        input=tensors,
    )


def _launch_record(result: BenchResult, job_id: int, number: int, position: int, started_at: str) -> LaunchRecord:
    summary = summarise_launch(result.samples["latency_ns"], result.samples["steady"])
    return LaunchRecord(
        job_id=job_id,
        round=number,
        position=position,
        started_at=started_at,
        status="ok",
        iterations=summary.iterations,
        warmup_iterations=summary.warmup_iterations,
        latency_median_ns=summary.median_ns,
        latency_p90_ns=summary.p90_ns,
        latency_mean_ns=summary.mean_ns,
        engine_load_ns=result.engine_load_ns,
        model_init_ns=result.model_init_ns,
        first_inference_ns=result.first_inference_ns,
        peak_memory_bytes=result.stages[-1].peak_resident_bytes if result.stages else None,
        flags=" ".join(result.flags),
    )
