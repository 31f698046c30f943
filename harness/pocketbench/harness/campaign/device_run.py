"""One device of a campaign: deploy, take memory and quality, then launch round by round.

What fails is written with its reason and the rest goes on. Only a device that is gone ends the campaign, which can be
resumed: nothing that is in the store is done again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pocketbench.checked.errors import DeviceError, InputError
from pocketbench.harness.campaign.evaluation import Evaluation
from pocketbench.harness.campaign.plan import LaunchSpec, Plan
from pocketbench.harness.campaign.progress import Meter
from pocketbench.harness.campaign.variants import LoadedVariant
from pocketbench.harness.deploy.variant import deploy_variant
from pocketbench.harness.devices.registry import Device
from pocketbench.harness.engines.catalogue import DISPLAY_NAMES, EngineBuild, engine_for_format, local_engine
from pocketbench.harness.errors import DeviceTimeoutError, TransportError
from pocketbench.harness.measure.launch_summary import summarise_launch
from pocketbench.harness.measure.rounds import round_order
from pocketbench.harness.runner.binaries import runner_binary
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.runner.results import BenchOptions, BenchResult
from pocketbench.harness.store.records import EngineRecord, LaunchRecord, MemoryStageRecord, QualityRecord, StoredJob
from pocketbench.harness.store.store import Store
from pocketbench.harness.store.writing import now
from pocketbench.harness.transports.base import Transport

__all__ = ["DeviceRun"]

# Loading a large model from a slow card takes a minute; beyond that something hangs.
_START_TIMEOUT_S = 300.0
# Thousands of samples of a slow model on a slow board: an hour is no error yet.
_QUALITY_TIMEOUT_S = 4 * 3600.0
# A job whose launches fail this often in a row is not launched again: a crash repeats itself.
_FAILURES_IN_A_ROW = 2


@dataclass(frozen=True, slots=True)
class DeviceRun:
    """`jobs` are those of `device`; `inputs` holds a tensor file per variant where there is evaluation data."""

    plan: Plan
    store: Store
    transport: Transport
    device: Device
    variants: Mapping[str, LoadedVariant]
    jobs: Sequence[StoredJob]
    evaluation: Evaluation | None
    inputs: Path
    meter: Meter

    def run(self) -> None:
        """All of it, in the order in which a failure is noticed earliest."""
        runners = self._deploy()
        jobs = [job for job in self.jobs if job.variant in runners]
        self._take_memory(runners, jobs)
        self._take_quality(runners, jobs)
        self._launch_rounds(runners, jobs)

    def _deploy(self) -> dict[str, Runner]:
        runners: dict[str, Runner] = {}
        for name, job_ids in _by_variant(self.jobs).items():
            self.meter.tell(f"deploying {name} to {self.device.name}")
            try:
                engine = local_engine(engine_for_format(self.variants[name].format))
                runners[name] = self._deploy_one(self.variants[name], engine)
            except (DeviceError, InputError) as error:
                _raise_if_gone(error)
                self.store.add_failure(job_ids, "deploy", str(error))
            else:
                self.store.set_deployed(job_ids, _engine_record(engine))
        return runners

    def _deploy_one(self, variant: LoadedVariant, engine: EngineBuild) -> Runner:
        assert variant.file is not None  # only variants with a file have jobs
        return deploy_variant(
            self.transport,
            self.device.directory,
            variant_file=variant.file,
            golden=variant.golden,
            rtol=variant.rtol,
            atol=variant.atol,
            engine=engine,
            runner=runner_binary(engine.platform),
            name=variant.name,
        ).runner_client

    def _take_memory(self, runners: Mapping[str, Runner], jobs: Sequence[StoredJob]) -> None:
        for job in jobs:
            if job.has_memory:
                continue
            self.meter.tell(f"memory of {job.key}")
            try:
                stages = runners[job.variant].memory(
                    job.threads,
                    _START_TIMEOUT_S,
                    cores=job.cores,
                    seed=self.plan.seed,
                    input=self._input(job.variant),
                )
            except (DeviceError, InputError) as error:
                _raise_if_gone(error)
                self.store.add_failure([job.job_id], "memory", str(error))
            else:
                self.store.set_memory(job.job_id, [MemoryStageRecord(**asdict(stage)) for stage in stages])

    def _take_quality(self, runners: Mapping[str, Runner], jobs: Sequence[StoredJob]) -> None:
        """Once per file, with the most threads asked for: its answers do not depend on their number."""
        if self.evaluation is None:
            return
        for name, job_ids in _by_variant([job for job in jobs if not job.has_quality]).items():
            self.meter.tell(f"quality of {name} on {self.device.name}")
            variant = self.variants[name]
            try:
                outputs = runners[name].infer(
                    self.evaluation.inputs(variant),
                    threads=max(self.plan.threads),
                    cores=self.plan.cores,
                    timeout_s=_QUALITY_TIMEOUT_S,
                )
                value = self.evaluation.judge(variant, outputs)
            except (DeviceError, InputError) as error:
                _raise_if_gone(error)
                self.store.add_failure(job_ids, "quality", str(error))
                continue
            metric = self.evaluation.metric
            record = QualityRecord(
                metric.name, value.value, value.low, value.high, value.samples, metric.higher_is_better
            )
            self.store.set_quality(job_ids, record, outputs)

    def _launch_rounds(self, runners: Mapping[str, Runner], jobs: Sequence[StoredJob]) -> None:
        by_key = {job.key: job for job in jobs}
        failures = dict.fromkeys(by_key, 0)
        for number in range(self.plan.rounds):
            for position, key in enumerate(round_order(list(by_key), seed=self.plan.seed, round_number=number)):
                job = by_key[key]
                if number in job.rounds or failures[key] >= _FAILURES_IN_A_ROW:
                    continue
                self.meter.launch(f"round {number + 1} of {self.plan.rounds}: {key}")
                ok = self._launch(runners[job.variant], job, number, position)
                failures[key] = 0 if ok else failures[key] + 1

    def _launch(self, runner: Runner, job: StoredJob, number: int, position: int) -> bool:
        started_at = now()
        spec = self.plan.launch
        try:
            result = runner.bench(
                _bench_options(spec, job, self.plan.seed, self._input(job.variant)),
                _START_TIMEOUT_S + 2 * spec.max_time_s,
            )
        except (DeviceError, InputError) as error:
            _raise_if_gone(error)
            failed = LaunchRecord(job.job_id, number, position, started_at, "failed", str(error))
            self.store.add_launch(failed, None)
            return False
        self.store.add_launch(_launch_record(result, job.job_id, number, position, started_at), result.samples)
        return True

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


def _raise_if_gone(error: Exception) -> None:
    """Go on after what one variant did; not after the device has gone away, which would fail them all."""
    if isinstance(error, TransportError) and not isinstance(error, DeviceTimeoutError):
        raise error


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
