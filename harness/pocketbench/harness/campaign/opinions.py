"""Second opinions on one device: each program is launched on each job's file once a round, among our own launches."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import PurePosixPath
from typing import Literal

from pocketbench.checked.errors import DeviceError, InputError
from pocketbench.harness.campaign.asked_opinion import OpinionSpec
from pocketbench.harness.campaign.launching import Launcher
from pocketbench.harness.campaign.rounds import Launched
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.plan import Deployment
from pocketbench.harness.opinion.opinion import Asked, Opinion
from pocketbench.harness.opinion.take import PlacedProgram, placed, take_opinion
from pocketbench.harness.opinion.tools import TOOLS
from pocketbench.harness.store.records import OpinionRecord, StoredJob
from pocketbench.harness.store.writing import now

__all__ = ["Opinions"]

# It makes one warm-up inference, never another number.
_ONE_WARMUP = "onnxruntime_perf_test"


@dataclass(slots=True)
class Opinions:
    """Programs are placed when they are first needed, and removed when `stack` is left.

    `deployment_of` gives the deployment of a variant, `model_of` where its file lies on the device.
    """

    launcher: Launcher
    deployment_of: Callable[[str], Deployment]
    model_of: Callable[[str], PurePosixPath]
    stack: ExitStack
    _specs: dict[str, OpinionSpec] = field(default_factory=dict, init=False)
    # With the number of returns of the device that it has seen, as deployments have.
    _placed: dict[str, tuple[int, PlacedProgram]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._specs = {spec.program.name: spec for spec in self.launcher.plan.opinions}

    def jobs(self, jobs: Sequence[StoredJob], format_of: Callable[[str], str]) -> list[StoredJob]:
        """What is to be launched beside `jobs`: each program on each job on the CPU whose file it runs."""
        found = []
        for name, spec in self._specs.items():
            endings = TOOLS[spec.check().tool].formats
            for job in jobs:
                if job.is_aa_copy or job.accelerator != "cpu" or f".{format_of(job.variant)}" not in endings:
                    continue
                rounds = self.launcher.store.opinion_rounds(job.job_id, name)
                one = replace(job, key=f"{job.key}, by {name}", opinion=name, reference=None)
                found.append(replace(one, rounds=rounds, launches=len(rounds), medians={}))
        return found

    def launch(self, job: StoredJob, number: int, position: int) -> Launched:
        """One launch of the job's program, stored whatever it says."""
        assert job.opinion is not None  # what jobs() made
        launcher, name = self.launcher, job.opinion
        tool = self._specs[name].check().tool
        row = OpinionRecord(job.job_id, tool, name, number, position, now(), "failed")
        problems: tuple[str, ...] = ()

        def take() -> Opinion:
            nonlocal row, problems
            asked = self._asked(job, tool)
            program = self._program(name, job.variant)
            launcher.keeping.keep(asked.time_limit_s)
            row = replace(row, started_at=now())
            opinion = take_opinion(launcher.reached.transport, program, asked)
            if launcher.keeping.look().cores:
                problems = ("the device was not kept as it was prepared",)
            return opinion

        def record(status: Literal["failed", "lost"], error: Exception) -> None:
            launcher.store.add_opinion(replace(row, status=status, reason=launcher.told(error)))

        try:
            launcher.await_start_line()
            opinion = launcher.retrying.do(take, lambda error: record("lost", error))
        except (DeviceError, InputError) as error:
            launcher.retrying.raise_if_over(error)
            record("failed", error)
            return Launched("failed")
        launcher.store.add_opinion(_record(row, opinion, problems))
        return Launched("ok")

    def _asked(self, job: StoredJob, tool: str) -> Asked:
        plan = self.launcher.plan
        return Asked(
            self.model_of(job.variant),
            threads=job.threads,
            iterations=plan.launch.iterations,
            warmup_iterations=1 if tool == _ONE_WARMUP else max(1, plan.launch.warmup_iterations),
            cores=job.cores,
            flags=self._specs[job.opinion or ""].flags,
            time_limit_s=self.launcher.timeout_s,
        )

    def _program(self, name: str, variant: str) -> PlacedProgram:
        """The program in place on the device as it is now."""
        launcher = self.launcher
        if name not in self._placed or self._placed[name][0] != launcher.retrying.returns:
            work = Layout(launcher.reached.device.directory).work(self.deployment_of(variant).name)
            there = placed(launcher.reached.transport, self._specs[name].check(), work)
            self._placed[name] = (launcher.retrying.returns, self.stack.enter_context(there))
        return self._placed[name][1]


def _record(row: OpinionRecord, opinion: Opinion, problems: Sequence[str]) -> OpinionRecord:
    latency = {f"latency_{key}": value for key, value in asdict(opinion.latency).items() if key != "resolution_ns"}
    return replace(
        row,
        status="ok",
        reason=None,
        program_sha256=opinion.program_sha256,
        arguments=json.dumps(opinion.arguments),
        runs=opinion.runs,
        warmup_runs=opinion.warmup_runs,
        threads=opinion.threads,
        resolution_ns=opinion.latency.resolution_ns,
        init_ns=opinion.init_ns,
        first_inference_ns=opinion.first_inference_ns,
        memory_growth_bytes=opinion.memory_growth_bytes,
        peak_memory_bytes=opinion.peak_memory_bytes,
        problems="\n".join((*opinion.problems, *problems)),
        **latency,
    )
