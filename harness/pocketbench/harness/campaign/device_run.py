"""One device of a campaign: deploy, take memory, quality and operators, then launch round by round.

What fails is written with its reason and the rest goes on. A device that is lost is waited for (lost.py): what it was
doing is marked and done again when it is back. One that stays away ends its own part only, and the campaign can be
resumed: nothing that is in the store is done again.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath

from pocketbench.checked.errors import DeviceError, InputError
from pocketbench.harness.campaign.baseline import Baseline
from pocketbench.harness.campaign.evaluation import Evaluation
from pocketbench.harness.campaign.launching import START_TIMEOUT_S, Launcher
from pocketbench.harness.campaign.lost import Retrying
from pocketbench.harness.campaign.opinions import Opinions
from pocketbench.harness.campaign.page_cache import PageCache
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.preparing import Keeping, prepared_for
from pocketbench.harness.campaign.progress import Meter
from pocketbench.harness.campaign.reach import Reached
from pocketbench.harness.campaign.rounds import Launched, Rounds
from pocketbench.harness.campaign.sensing import DeviceSensors, find_sensors
from pocketbench.harness.campaign.variants import LoadedVariant
from pocketbench.harness.deploy.variant import DeployedVariant, deploy_variant
from pocketbench.harness.engines.catalogue import DISPLAY_NAMES, EngineBuild, engine_for_format
from pocketbench.harness.errors import TransportError
from pocketbench.harness.measure.launch_summary import launch_median
from pocketbench.harness.measure.looks import LOOKS
from pocketbench.harness.preparation.holder import Holder
from pocketbench.harness.runner.binaries import runner_binary
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.runner.profiling import OperatorTime
from pocketbench.harness.runner.results import MemoryStage
from pocketbench.harness.store.records import EngineRecord, MemoryStageRecord, OperatorRecord, QualityRecord, StoredJob
from pocketbench.harness.store.store import Store

__all__ = ["DeviceRun"]

# Thousands of samples of a slow model on a slow board: an hour is no error yet.
_QUALITY_TIMEOUT_S = 4 * 3600.0
# LiteRT's profiler counts whole microseconds: operators of a few are known to a tenth of one.
_PROFILE_RUNS = 20


@dataclass(slots=True)
class DeviceRun:
    """`jobs` are those of the device; `inputs` is a folder for tensor files, where there is evaluation data.

    `stop` ends the run at the next launch, for another thread to set.
    """

    plan: Plan
    store: Store
    campaign_id: str
    reached: Reached
    variants: Mapping[str, LoadedVariant]
    jobs: Sequence[StoredJob]
    evaluation: Evaluation | None
    inputs: Path
    meter: Meter
    holder: Holder
    stop: threading.Event = field(default_factory=threading.Event)
    _retrying: Retrying = field(init=False)
    _launcher: Launcher = field(init=False)
    # With the number of returns of the device that it has seen: after another one it must be looked at again.
    _deployed: dict[str, tuple[int, DeployedVariant]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._retrying = Retrying(self.reached, self.meter, self.stop)
        self._launcher = Launcher(
            plan=self.plan,
            store=self.store,
            reached=self.reached,
            sensors=DeviceSensors(),
            keeping=Keeping(self.store, self.campaign_id, self.reached, self.holder, ()),
            page_cache=PageCache(self.reached, self.plan.drop_page_cache, self.meter.tell),
            retrying=self._retrying,
            stop=self.stop,
            runner_of=self._runner,
            input_of=self._input,
            told=self._told,
        )

    def run(self) -> None:
        """All of it, in the order in which a failure is noticed earliest.

        Raises DeviceGoneError where the device was lost and did not come back.
        """
        self._look_around()
        jobs = self._deploy()
        originals = [job for job in jobs if not job.is_aa_copy]
        self._take_memory(originals)
        self._take_quality(originals)
        self._take_profile(originals)
        with (
            ExitStack() as programs,
            prepared_for(
                self.plan, self.store, self.campaign_id, self.reached, self.holder, self._retrying
            ) as self._launcher.keeping,
        ):
            self._sense(originals)
            self._launch_rounds(jobs, programs)

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
                self._retrying.do(partial(self._runner, name))
            except (DeviceError, InputError) as error:
                self._retrying.raise_if_over(error)
                self.store.add_failure(job_ids, "deploy", self._told(error))
            else:
                self.store.set_deployed(job_ids, _engine_record(engine))
                deployed.add(name)
        return [job for job in self.jobs if job.variant in deployed]

    def _engine(self, variant: str) -> EngineBuild:
        return self.reached.engines[engine_for_format(self.variants[variant].format)]

    def _runner(self, name: str) -> Runner:
        """The runner of a variant that is in place on the device as it is now."""
        return self._in_place(name).runner_client

    def _model(self, name: str) -> PurePosixPath:
        """Where the file of a variant lies there, under a name that tells its format."""
        return self._in_place(name).deployment.root / f"model.{self.variants[name].format}"

    def _in_place(self, name: str) -> DeployedVariant:
        if name in self._deployed and self._deployed[name][0] == self._retrying.returns:
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
        self._deployed[name] = (self._retrying.returns, deployed)
        return deployed

    def _take_memory(self, jobs: Sequence[StoredJob]) -> None:
        for job in jobs:
            if job.has_memory:
                continue
            self.meter.tell(f"memory of {job.key}")
            try:
                stages = self._retrying.do(partial(self._memory, job))
            except (DeviceError, InputError) as error:
                self._retrying.raise_if_over(error)
                self.store.add_failure([job.job_id], "memory", self._told(error))
            else:
                self.store.set_memory(job.job_id, [MemoryStageRecord(**asdict(stage)) for stage in stages])

    def _memory(self, job: StoredJob) -> tuple[MemoryStage, ...]:
        return self._runner(job.variant).memory(
            job.threads,
            START_TIMEOUT_S,
            cores=job.cores,
            seed=self.plan.seed,
            input=self._input(job.variant),
            accelerator=job.accelerator,
        )

    def _take_quality(self, jobs: Sequence[StoredJob]) -> None:
        """Once per file and accelerator, with the most threads asked for: answers do not depend on their number."""
        missing = [job for job in jobs if not job.has_quality]
        for name, accelerator in dict.fromkeys((job.variant, job.accelerator) for job in missing):
            if self.evaluation is None:
                return
            self.meter.tell(f"quality of {name} on {self._name}")
            job_ids = [job.job_id for job in missing if (job.variant, job.accelerator) == (name, accelerator)]
            try:
                self._judge(self.evaluation, name, accelerator, job_ids)
            except (DeviceError, InputError) as error:
                self._retrying.raise_if_over(error)
                self.store.add_failure(job_ids, "quality", self._told(error))

    def _judge(self, evaluation: Evaluation, name: str, accelerator: str, job_ids: Sequence[int]) -> None:
        variant = self.variants[name]
        inputs = evaluation.inputs(variant)
        outputs = self._retrying.do(
            lambda: self._runner(name).infer(
                inputs,
                threads=max(self.plan.threads),
                cores=self.plan.cores,
                accelerator=accelerator,
                timeout_s=_QUALITY_TIMEOUT_S,
            )
        )
        value = evaluation.judge(variant, outputs)
        metric = evaluation.metric
        record = QualityRecord(metric.name, value.value, value.low, value.high, value.samples, metric.higher_is_better)
        self.store.set_quality(job_ids, record, outputs)

    def _take_profile(self, jobs: Sequence[StoredJob]) -> None:
        for job in jobs:
            if job.has_profile or job.is_aa_copy or not self.plan.profile:
                continue
            self.meter.tell(f"operators of {job.key}")
            try:
                operators = self._retrying.do(partial(self._profile, job))
            except (DeviceError, InputError) as error:
                self._retrying.raise_if_over(error)
                self.store.add_failure([job.job_id], "profile", self._told(error))
            else:
                self.store.set_operators([job.job_id], [OperatorRecord(**asdict(one)) for one in operators])

    def _profile(self, job: StoredJob) -> tuple[OperatorTime, ...]:
        options = self._launcher.options(job, sampled=False)
        return self._runner(job.variant).profile(options, _PROFILE_RUNS, _QUALITY_TIMEOUT_S)

    def _launch_rounds(self, jobs: Sequence[StoredJob], programs: ExitStack) -> None:
        reference = next((job for job in jobs if job.key == job.reference), None)
        baseline = None
        if self.plan.energy and reference is not None and self._launcher.sensors.power():
            baseline = Baseline(self._launcher, self.campaign_id, reference, self.meter.tell)
        opinions = Opinions(self._launcher, lambda name: self._in_place(name).deployment, self._model, programs)
        asked = opinions.jobs(jobs, lambda name: self.variants[name].format)
        planned = range(self.plan.rounds or LOOKS[0])
        self.meter.expect(self._name, sum(number not in job.rounds for job in [*jobs, *asked] for number in planned))
        rounds = Rounds(
            self.plan,
            [*jobs, *asked],
            partial(self._launch, opinions),
            self.reached.clock,
            self.stop,
            expect=partial(self.meter.expect, self._name),
            between=baseline.take if baseline else lambda number: None,
        )
        end = rounds.run()
        if end is None:
            return
        if baseline:
            baseline.take(end.rounds)
        self.store.set_device(self.campaign_id, self._name, rounds_ended=end.reason, unreached=end.to_json())

    def _launch(self, opinions: Opinions, job: StoredJob, number: int, position: int) -> Launched:
        of = f" of {self.plan.rounds}" if self.plan.rounds else ""
        self.meter.launch(self._name, f"round {number + 1}{of}: {job.key}")
        if job.opinion is not None:
            return opinions.launch(job, number, position)
        return self._launcher.launch(job, number, position)

    def _look_around(self) -> None:
        """What the device can sense, and the temperature that launches start at: from before anything warms it.

        A campaign that goes on keeps its start line, whatever the device has now.
        """
        if not self.plan.sensors:
            return
        governor = self.reached.facts.governor
        sensors = self._retrying.do(lambda: find_sensors(self.reached.transport, governor))
        self._launcher.sensors = sensors
        before_c = self.store.start_line_c(self.campaign_id, self._name)
        start_line_c = self._launcher.find_start_line() if before_c is None else before_c
        self._launcher.start_line_c = start_line_c
        self.store.set_device(self.campaign_id, self._name, sensors=sensors.to_json(), start_line_c=start_line_c)

    def _sense(self, jobs: Sequence[StoredJob]) -> None:
        """The device is as it was prepared now: what is expected of its clocks, and what sensing costs."""
        keeping, sensors = self._launcher.keeping, self._launcher.sensors
        governor = keeping.governor or sensors.governor
        self._launcher.sensors = replace(sensors, governor=governor, fixed_khz=keeping.fixed_khz)
        if sensors.specs and jobs and not any(job.launches for job in jobs):
            self._take_sampler_cost(jobs[0])

    def _take_sampler_cost(self, job: StoredJob) -> None:
        """A launch with the sampler against one without."""
        self.meter.tell(f"what sensing costs on {self._name}")

        def median_ns(sampled: bool) -> float:
            options, timeout_s = self._launcher.options(job, sampled=sampled), self._launcher.timeout_s
            self._launcher.keeping.keep(timeout_s)
            return launch_median(self._runner(job.variant).bench(options, timeout_s).steady_ns)

        try:
            ratio = self._retrying.do(lambda: median_ns(True) / median_ns(False))
        except (DeviceError, InputError) as error:
            self._retrying.raise_if_over(error)  # a launch that fails is told of when it counts
        else:
            self.store.set_device(self.campaign_id, self._name, sampler_ratio=ratio)

    def _told(self, error: Exception) -> str:
        """What an error says, with the device in it; transports always say which."""
        text, named = str(error), (self._name, self.reached.transport.address)
        if isinstance(error, TransportError) or any(word in text for word in named):
            return text
        return f"{self._name}: {text}"

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
