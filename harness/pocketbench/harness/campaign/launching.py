"""One launch of a job on its device: from the start line, sampled, judged and stored with all its attempts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pocketbench.checked.errors import DeviceError, InputError
from pocketbench.harness.campaign.judging import JudgedLaunch, Place, judge_launch
from pocketbench.harness.campaign.lost import Retrying
from pocketbench.harness.campaign.page_cache import PageCache
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.preparing import Keeping
from pocketbench.harness.campaign.reach import Reached
from pocketbench.harness.campaign.rounds import Launched
from pocketbench.harness.campaign.sensing import DeviceSensors, trace_records
from pocketbench.harness.errors import RunnerError
from pocketbench.harness.measure.regimes import REGIMES
from pocketbench.harness.measure.temperature import START_LINE_WAIT_S, Reading, decide_start, start_line
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.runner.results import BenchOptions, BenchResult
from pocketbench.harness.store.records import EnergyRecord, LaunchRecord, StoredJob
from pocketbench.harness.store.store import Store
from pocketbench.harness.store.writing import now

__all__ = ["START_TIMEOUT_S", "Launcher", "MeteredLaunch"]

# Loading a large model from a slow card takes a minute; beyond that something hangs.
START_TIMEOUT_S = 300.0
_LOOK_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class MeteredLaunch:
    """A launch with its energies, whose idle baseline is not complete yet; `inference_s` is its share of the time."""

    launch_id: int
    inference_s: float
    energies: tuple[EnergyRecord, ...]


@dataclass(slots=True)
class Launcher:
    """`runner_of` gives the runner of a deployed variant, `input_of` its tensor file, `told` an error in words."""

    plan: Plan
    store: Store
    reached: Reached
    sensors: DeviceSensors
    keeping: Keeping
    page_cache: PageCache
    retrying: Retrying
    stop: threading.Event
    runner_of: Callable[[str], Runner]
    input_of: Callable[[str], Path | None]
    told: Callable[[Exception], str]
    start_line_c: float | None = field(default=None, init=False)
    metered: list[MeteredLaunch] = field(default_factory=list, init=False)

    def find_start_line(self) -> float | None:
        """The temperature that launches start at, from what the device has now; None where it cannot say."""
        now_c = self.retrying.do(lambda: self.sensors.temperature(self.reached.transport))
        self.start_line_c = None if now_c is None else start_line(now_c)
        return self.start_line_c

    def launch(self, job: StoredJob, number: int, position: int) -> Launched:
        """One launch with all its attempts, each of which is stored."""
        place = Place(job.job_id, number, position, now())

        def bench() -> BenchResult:
            nonlocal place
            runner = self.runner_of(job.variant)
            self.keeping.keep(self.timeout_s)
            page_cache = self.page_cache.before_launch()
            place = replace(place, started_at=now(), page_cache=page_cache)
            result = runner.bench(options, self.timeout_s)
            place = replace(place, changed=self.keeping.look())
            self._check_accelerated(job, result)
            return result

        def record(status: Literal["failed", "lost"], error: Exception) -> None:
            row = LaunchRecord(job.job_id, number, position, place.started_at, status, self.told(error))
            self.store.add_launch(row, None)

        try:
            options = self.options(job)
            temperature_c, flag = self.await_start_line()
            place = replace(place, temperature_start_c=temperature_c, start_flag=flag)
            result = self.retrying.do(bench, lambda error: record("lost", error))
            judged = judge_launch(result, place, self.sensors, REGIMES[self.plan.regime], job.cores)
        except (DeviceError, InputError) as error:
            self.retrying.raise_if_over(error)
            record("failed", error)
            return Launched("failed")
        return self._store(judged)

    @property
    def timeout_s(self) -> float:
        """What a launch may take in all."""
        return START_TIMEOUT_S + 2 * self.plan.times.max_time_s

    def options(self, job: StoredJob, *, sampled: bool = True) -> BenchOptions:
        """What the runner is asked for."""
        times, spec = self.plan.times, self.plan.launch
        return BenchOptions(
            threads=job.threads,
            cores=job.cores,
            warmup_iterations=spec.warmup_iterations,
            warmup_time_ms=round(times.warmup_time_s * 1000),
            iterations=spec.iterations,
            min_time_ms=round(times.min_time_s * 1000),
            max_time_ms=round(times.max_time_s * 1000),
            seed=self.plan.seed,
            input=self.input_of(job.variant),
            accelerator=job.accelerator,
            interval_us=self.plan.scenario.interval_us,
            streams=self.plan.scenario.streams,
            sampler=self.sensors.options() if sampled else None,
        )

    def _check_accelerated(self, job: StoredJob, result: BenchResult) -> None:
        if self.plan.require_accelerator and job.accelerator != "cpu" and not result.fully_accelerated:
            got = "a part of it on the CPU" if result.fully_accelerated is False else "no word on where it runs"
            raise RunnerError(
                f"expected all of {job.variant} to run on {job.accelerator}, got {got}: the profile shows which "
                "operators fall back; leave require_accelerator out to measure it all the same.",
                stage="model_load",
            )

    def await_start_line(self) -> tuple[float | None, str | None]:
        """Wait until the device is cool enough; its temperature then, and what the launch is marked with."""
        if self.start_line_c is None:
            return None, None
        self.retrying.do(lambda: self.keeping.keep(START_LINE_WAIT_S))
        readings: list[Reading] = []
        while True:
            celsius = self.retrying.do(lambda: self.sensors.temperature(self.reached.transport))
            if celsius is None:
                return None, "no_temperature"
            readings.append(Reading(self.reached.clock.now_s(), celsius))
            decision = decide_start(readings, start_celsius=self.start_line_c)
            if decision.action != "wait" or self.reached.clock.wait(self.stop, _LOOK_EVERY_S):
                return celsius, decision.flag

    def _store(self, judged: JudgedLaunch) -> Launched:
        energies = judged.energies
        if self.plan.energy:  # until the baseline after the round is taken, which an interruption may prevent
            energies = tuple(replace(one, flags=f"{one.flags} no_idle_baseline".strip()) for one in energies)
        launch_id = self.store.add_launch(
            judged.record, judged.samples, traces=trace_records(judged.traces), energies=energies
        )
        if judged.energies and judged.inference_s is not None:
            self.metered.append(MeteredLaunch(launch_id, judged.inference_s, judged.energies))
        ok = judged.record.status == "ok"
        return Launched(judged.record.status, judged.record.latency_median_ns if ok else None)
