"""A campaign as the verdict sees it: variants, and jobs with their engine, estimate and quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pocketbench.reports.names import shorten

__all__ = ["Campaign", "Engine", "FlagCount", "Interval", "Job", "Quality", "Variant"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and its 95 % interval; `low` and `high` are None where there is none."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Quality:
    """Quality of the deployed file on the device."""

    metric: str
    interval: Interval
    higher_is_better: bool
    samples: int | None


@dataclass(frozen=True, slots=True)
class Engine:
    """An inference library build."""

    name: str
    version: str | None

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}" if self.version else self.name


@dataclass(frozen=True, slots=True)
class Variant:
    """One deployable file; sizes in bytes. `steps` are the step reports, tolerated in any form."""

    variant_id: str
    name: str
    format: str | None
    recipe: str | None
    role: str | None
    control: str | None
    size_bytes: int | None
    size_gzip_bytes: int | None
    parameters: int | None
    ok: bool
    reason: str | None
    warnings: tuple[str, ...]
    steps: tuple[dict[str, Any], ...]
    sqnr_db: float | None
    host_quality: float | None


@dataclass(frozen=True, slots=True)
class FlagCount:
    """How many launches of a job that count have a flag."""

    flag: str
    launches: int


@dataclass(frozen=True, slots=True)
class Job:
    """One job and what its launches say together; latency in ns, `ratio` against the reference of its setting.

    `verdict` is what may be said of the ratio: difference, none found or cannot say; None for the reference.
    `falls_back`: a part of the model, or all of it, runs on the CPU instead of the accelerator asked for.
    """

    job_id: str
    variant: Variant
    device: str
    engine: Engine | None
    accelerator: str | None
    threads: int | None
    cores: str | None
    is_reference: bool
    reference_job_id: str | None
    status: str
    reason: str | None
    launches: int
    latency: Interval | None
    ratio: Interval | None
    rounds_compared: int
    verdict: str | None
    verdict_reason: str | None
    quality: Quality | None
    peak_memory_bytes: float | None
    cold_start_ns: float | None
    flags: tuple[FlagCount, ...]
    falls_back: bool

    @property
    def usable(self) -> bool:
        """True where at least one launch could be used."""
        return self.variant.ok and self.status != "failed" and self.latency is not None

    @property
    def is_different(self) -> bool:
        """True where its latency differs from the reference's, by the campaign's own rule."""
        return self.verdict == "difference" and self.ratio is not None

    @property
    def is_control(self) -> bool:
        """Controls are there to be compared with; they are never what to ship."""
        return self.variant.role == "control"

    @property
    def setting(self) -> str:
        """Threads and cores in words, e.g. ``2 threads on cores 0,1``."""
        threads = "threads not known" if self.threads is None else f"{self.threads} thread{'s' * (self.threads != 1)}"
        cores = "" if self.cores is None else f" on core{'s' * (not self.cores.isdigit())} {shorten(self.cores, 24)}"
        return threads + cores


@dataclass(frozen=True, slots=True)
class Campaign:
    """Everything that the verdict is drawn from. `devices` keeps the order of its table.

    `copies` are the A/A copies: the references once more, which no table of variants has. `confidence` is the nominal
    one that intervals are made with; `precision` the half-width that ratios were to have, None for fixed rounds.
    """

    name: str
    status: str
    rounds_planned: int | None
    rounds_done: int | None
    quality_metric: str | None
    devices: tuple[str, ...]
    variants: tuple[Variant, ...]
    jobs: tuple[Job, ...]
    copies: tuple[Job, ...] = ()
    regime: str | None = None
    scenario: str | None = None
    precision: float | None = None
    budget_s: float | None = None
    confidence: float = 0.95
    lost_launches: int = 0
    invalid_launches: int = 0

    def jobs_on(self, device: str) -> tuple[Job, ...]:
        """Jobs of one device: the settings in their order, in each the reference first, then by latency."""
        return tuple(sorted((job for job in self.jobs if job.device == device), key=_order))

    def failed_jobs(self) -> tuple[Job, ...]:
        """Jobs of which no launch could be used."""
        return tuple(job for job in self.jobs if not job.usable)

    def copy_of(self, reference_job_id: str | None) -> Job | None:
        """The A/A copy of a reference that could be measured; None where there is none."""
        found = (copy for copy in self.copies if copy.reference_job_id == reference_job_id)
        return next((copy for copy in found if reference_job_id and copy.usable), None)

    @property
    def regime_words(self) -> str:
        """For the captions of tables: what kind of work the latencies are of."""
        regime = f"{shorten(self.regime, 20)} regime" if self.regime else "regime not known"
        return regime if self.scenario in (None, "single-stream") else f"{regime}, {shorten(self.scenario, 60)}"

    @property
    def several_devices(self) -> bool:
        """Whether a job must be named together with its device."""
        return len(self.devices) > 1

    def several_settings(self, device: str) -> bool:
        """Whether a job must be named together with its threads and cores."""
        return len({(job.threads, job.cores) for job in self.jobs if job.device == device}) > 1

    def several_accelerators(self, device: str) -> bool:
        """Whether a job must be named together with what it was to run on."""
        return len({job.accelerator for job in self.jobs if job.device == device}) > 1


def _order(job: Job) -> tuple[Any, ...]:
    latency = job.latency.value if job.latency else float("inf")
    return (job.threads or 0, job.cores or "", not job.is_reference, not job.usable, latency, job.variant.name)
