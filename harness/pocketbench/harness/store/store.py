"""The store: what campaigns measured, in one folder (docs/store.md).

Every call that writes is one transaction, on disk when it returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pocketbench.harness.store import reading, writing
from pocketbench.harness.store.blobs import Blobs
from pocketbench.harness.store.database import Database
from pocketbench.harness.store.hold import Hold, is_held
from pocketbench.harness.store.records import (
    Array,
    CampaignRecord,
    CampaignStatus,
    DeviceRecord,
    EnergyRecord,
    EngineRecord,
    FailureStage,
    IdleRecord,
    JobRecord,
    LaunchRecord,
    MemoryStageRecord,
    OperatorRecord,
    OpinionRecord,
    QualityRecord,
    StoredJob,
    StoredVariant,
    TraceRecord,
    VariantRecord,
)
from pocketbench.harness.store.samples import encode_outputs, encode_samples, encode_traces

if TYPE_CHECKING:
    from pocketbench.reports.tables import CampaignTables

__all__ = ["Store"]


class Store:
    """The store in the folder `home`: `pocketbench.db`, `samples/`, `locks/`. Use it in `with`."""

    def __init__(self, home: Path) -> None:
        self._database = Database(home / "pocketbench.db")
        self._blobs = Blobs(home / "samples")
        self._locks = home / "locks"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the database; harmless a second time."""
        self._database.close()

    # What is there

    def campaigns(self) -> list[dict[str, Any]]:
        """All campaigns, newest first, as `results list` prints them."""
        with self._database.reading() as connection:
            rows = reading.list_campaigns(connection)
        return [{**row, "status": self._status(row["campaign_id"], row["status"])} for row in rows]

    def resolve(self, text: str) -> str:
        """`last`, an identifier or the start of one → the identifier; InputError with the nearest ones."""
        with self._database.reading() as connection:
            return reading.resolve_campaign(connection, text)

    def last_of_plan(self, plan: str) -> tuple[str, bool] | None:
        """The last campaign of exactly this plan, and whether it is finished."""
        with self._database.reading() as connection:
            return reading.last_of_plan(connection, writing.plan_hash(plan))

    def evaluation(self, campaign_id: str) -> str | None:
        """Hash of the evaluation data and metric that a campaign was begun with, None where it has none."""
        with self._database.reading() as connection:
            return reading.evaluation_of(connection, campaign_id)

    def preparation(self, campaign_id: str, device: str) -> str | None:
        """What a device was prepared with so far in a campaign, as it was written; None for nothing."""
        with self._database.reading() as connection:
            return reading.device_preparation(connection, campaign_id, device)

    def opinion_rounds(self, job_id: int, program: str) -> frozenset[int]:
        """The rounds in which a benchmark program was launched on a job's file."""
        with self._database.reading() as connection:
            return reading.opinion_rounds(connection, job_id, program)

    def unfinished_named(self, name: str) -> str | None:
        """The last campaign of that name that is not finished, whatever its plan."""
        with self._database.reading() as connection:
            return reading.unfinished_named(connection, name)

    def start_line_c(self, campaign_id: str, device: str) -> float | None:
        """The temperature that launches on a device of a campaign start at; None where it is not known."""
        with self._database.reading() as connection:
            return reading.start_line_of(connection, campaign_id, device)

    def variants(self, campaign_id: str) -> list[StoredVariant]:
        """The variants of a campaign in the order they were added."""
        with self._database.reading() as connection:
            return reading.stored_variants(connection, campaign_id)

    def jobs(self, campaign_id: str) -> list[StoredJob]:
        """The jobs of a campaign with what is there of each."""
        with self._database.reading() as connection:
            return reading.stored_jobs(connection, campaign_id)

    def tables(self, campaign_id: str, *, samples: bool = True) -> CampaignTables:
        """The tables of a campaign, `estimates` empty (campaign.tables fills it)."""
        # Imported here: pandas takes half a second that a campaign does not need.
        from pocketbench.harness.store.frames import campaign_frames

        with self._database.reading() as connection:
            tables = campaign_frames(connection, self._blobs, campaign_id, samples=samples)
        status = self._status(campaign_id, tables.campaign["status"].iloc[0])
        return replace(tables, campaign=tables.campaign.assign(status=status))

    def _status(self, campaign_id: str, status: str) -> str:
        """A campaign that says it is running while no process holds it was cut off."""
        if status != "running" or is_held(self._locks, campaign_id):
            return status
        # It may have ended properly since it was read: once nobody holds it, what was written last counts.
        with self._database.reading() as connection:
            status = reading.campaign_status(connection, campaign_id)
        return "interrupted" if status == "running" else status

    # What a campaign writes

    def hold(self, campaign_id: str) -> Hold:
        """To be entered while a process works on the campaign; InputError where another does."""
        return Hold(self._locks, campaign_id, f"the campaign {campaign_id}")

    def add_campaign(
        self,
        campaign: CampaignRecord,
        devices: Iterable[DeviceRecord],
        variants: Sequence[VariantRecord],
        jobs: Sequence[JobRecord],
    ) -> None:
        """A campaign with all that it is going to do, as running."""
        with self._database.writing() as connection:
            writing.add_campaign(connection, campaign, devices, variants, jobs)

    def set_status(self, campaign_id: str, status: CampaignStatus) -> None:
        """`finished` also writes the instant."""
        with self._database.writing() as connection:
            writing.set_status(connection, campaign_id, status)

    def set_facts(self, campaign_id: str, device: str, facts: Mapping[str, object]) -> None:
        """What a device says of itself, by the names of the columns; what it said before stays."""
        with self._database.writing() as connection:
            writing.set_facts(connection, campaign_id, device, facts)

    def set_deployed(self, job_ids: Iterable[int], engine: EngineRecord) -> None:
        """The jobs are deployed and run on this engine build."""
        with self._database.writing() as connection:
            for job_id in job_ids:
                writing.set_engine(connection, job_id, engine)
                writing.clear_failure(connection, job_id, "deploy")

    def add_failure(self, job_ids: Iterable[int], stage: FailureStage, reason: str) -> None:
        """A stage of the jobs failed."""
        with self._database.writing() as connection:
            for job_id in job_ids:
                writing.set_failure(connection, job_id, stage, reason)

    def add_launch(
        self,
        launch: LaunchRecord,
        samples: Array | None,
        *,
        traces: Sequence[TraceRecord] = (),
        energies: Sequence[EnergyRecord] = (),
    ) -> int:
        """A launch with every sample (dtype of SAMPLES_DTYPE), None where it failed; its identifier."""
        sha256 = None if samples is None else self._blobs.put(encode_samples(samples), ".parquet")
        traced = self._put_traces(traces)
        with self._database.writing() as connection:
            launch_id = writing.add_launch(connection, launch, sha256, traced)
            writing.set_energies(connection, launch_id, energies)
        return launch_id

    def add_opinion(self, opinion: OpinionRecord) -> None:
        """What a benchmark program said in one launch."""
        with self._database.writing() as connection:
            writing.add_opinion(connection, opinion)

    def set_energies(self, launch_id: int, energies: Sequence[EnergyRecord]) -> None:
        """The energies of a launch, now that its idle baseline is complete."""
        with self._database.writing() as connection:
            writing.set_energies(connection, launch_id, energies)

    def set_device(self, campaign_id: str, device: str, **values: object) -> None:
        """What a campaign found out about a device, by the names of the columns."""
        with self._database.writing() as connection:
            writing.set_device(connection, campaign_id, device, values)

    def add_idle(self, idle: Sequence[IdleRecord], traces: Sequence[TraceRecord]) -> None:
        """An idle baseline by all sensors of power, with what all sensors said."""
        traced = self._put_traces(traces)
        with self._database.writing() as connection:
            for record in idle:
                writing.add_idle(connection, record, traced)

    def set_operators(self, job_ids: Iterable[int], operators: Sequence[OperatorRecord]) -> None:
        """The operators of the file that the jobs share."""
        with self._database.writing() as connection:
            for job_id in job_ids:
                writing.set_operators(connection, job_id, operators)

    def _put_traces(self, traces: Sequence[TraceRecord]) -> str | None:
        return self._blobs.put(encode_traces(traces), ".parquet") if traces else None

    def set_memory(self, job_id: int, stages: Sequence[MemoryStageRecord]) -> None:
        """The stages of a job's memory launch."""
        with self._database.writing() as connection:
            writing.set_memory(connection, job_id, stages)

    def set_quality(self, job_ids: Iterable[int], quality: QualityRecord, outputs: Sequence[Array]) -> None:
        """Quality of the file that the jobs share, with its outputs where they are not too large to keep."""
        data = encode_outputs(outputs)
        sha256 = None if data is None else self._blobs.put(data, ".npz")
        with self._database.writing() as connection:
            for job_id in job_ids:
                writing.set_quality(connection, job_id, quality, sha256)
