"""Run a campaign from its plan, or go on with one that was interrupted."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.compression.build import build_variants, default_formats, variant_names
from pocketbench.compression.recipes import recipe_names
from pocketbench.harness.campaign.device_run import DeviceRun
from pocketbench.harness.campaign.evaluation import Evaluation, load_evaluation
from pocketbench.harness.campaign.jobs import check_reference, job_records, reference_name, variant_records
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.progress import CampaignProgress, Meter
from pocketbench.harness.campaign.reach import Reached, reach
from pocketbench.harness.campaign.side_by_side import run_side_by_side
from pocketbench.harness.campaign.variants import LoadedVariant, load_variant, load_variants
from pocketbench.harness.devices.registry import Device, Registry
from pocketbench.harness.engines.catalogue import engine_for_format
from pocketbench.harness.errors import CampaignInterruptedError
from pocketbench.harness.measure.looks import LOOKS, LOOKS_CONFIDENCE
from pocketbench.harness.measure.statistics import CONFIDENCE
from pocketbench.harness.preparation.holder import Holder, this_holder
from pocketbench.harness.store.records import CampaignRecord, DeviceRecord, StoredVariant
from pocketbench.harness.store.store import Store
from pocketbench.harness.store.versions import library_versions, pocketbench_version
from pocketbench.harness.store.writing import now
from pocketbench.harness.transports.ssh_secrets import Ask

__all__ = ["resume_campaign", "run_campaign"]

Listener = Callable[[CampaignProgress], None]
# What a launch takes beside its warm-up and measurement: start, load, first inference, and the store.
_LAUNCH_OVERHEAD_S = 0.3
# Variants of each recipe, until it is known which trainings need a control.
_CONTROLS_GUESS = 1


def run_campaign(
    plan: Plan,
    *,
    store: Store,
    registry: Registry,
    home: Path,
    progress: Listener,
    ask: Ask | None = None,
    record: Path | None = None,
) -> str:
    """Make or load the variants, measure them on every device of the plan; return the campaign's identifier.

    Devices are measured side by side; what goes to and from each is written below `record`, where one is given. Raises
    InputError for bad input before anything is measured. A variant or a launch that fails is stored with its reason;
    CampaignInterruptedError where a device is gone, StoreError where the store cannot be written: what was measured
    stays, and `resume_campaign` goes on.
    """
    _check_opinions(plan)
    meter = _meter(plan, progress)
    with reach(plan.devices, registry=registry, home=home, ask=ask, say=meter.tell, record=record) as devices:
        campaign_id = _new_id(plan.name)
        with store.hold(campaign_id):
            with _new_folder(home / "variants" / campaign_id) as folder:
                if plan.model is not None:  # found out before minutes are spent on compression
                    _equip(devices, plan.formats or default_formats(plan.model), home, meter)
                variants = _variants(plan, home, folder, meter)
                _equip(devices, [variant.format for variant in variants if variant.file], home, meter)
                reference = reference_name(plan, variants)
                evaluation = load_evaluation(plan.data, variants)
                store.add_campaign(
                    _campaign_record(plan, campaign_id, evaluation),
                    [_device_record(reached.device) for reached in devices],
                    variant_records(variants, reference),
                    job_records(plan, variants, reference),
                )
            _measure(_Campaign(plan, store, campaign_id, variants, evaluation, meter, this_holder(home)), devices)
    return campaign_id


def resume_campaign(
    plan: Plan,
    *,
    store: Store,
    registry: Registry,
    home: Path,
    progress: Listener,
    ask: Ask | None = None,
    record: Path | None = None,
) -> str:
    """Go on with the last campaign of exactly this plan, with nothing to do where it is finished; begin one where none
    was begun.

    A campaign is in the store from its first deployment on: what was interrupted before, while variants were made,
    begins again and takes what was made from the cache. Raises InputError where variants, engines or evaluation data
    are no longer what the campaign was begun with.
    """
    last = store.last_of_plan(plan.to_yaml())
    if last is None:
        if other := store.unfinished_named(plan.name):
            raise InputError(
                f"expected the plan that {other} was begun with, got a changed one: undo the change to resume, or run "
                "it without --resume to begin a new campaign."
            )
        return run_campaign(plan, store=store, registry=registry, home=home, progress=progress, ask=ask, record=record)
    campaign_id, finished = last
    if finished:
        return campaign_id
    _check_opinions(plan)
    meter = _meter(plan, progress)
    with (
        reach(plan.devices, registry=registry, home=home, ask=ask, say=meter.tell, record=record) as devices,
        store.hold(campaign_id),
    ):
        variants = [_stored(variant) for variant in store.variants(campaign_id) if variant.status == "ok"]
        evaluation = load_evaluation(plan.data, variants)
        _equip(devices, [variant.format for variant in variants], home, meter)
        _check_unchanged(store, campaign_id, variants, evaluation, devices)
        store.set_status(campaign_id, "running")
        _measure(_Campaign(plan, store, campaign_id, variants, evaluation, meter, this_holder(home)), devices)
    return campaign_id


@dataclass(frozen=True, slots=True)
class _Campaign:
    """What is measured, once it is in the store."""

    plan: Plan
    store: Store
    campaign_id: str
    variants: Sequence[LoadedVariant]
    evaluation: Evaluation | None
    meter: Meter
    holder: Holder


def _check_opinions(plan: Plan) -> None:
    for spec in plan.opinions:
        spec.check()


def _equip(devices: Sequence[Reached], formats: Sequence[str], home: Path, meter: Meter) -> None:
    for reached in devices:
        reached.equip(formats, home=home, say=meter.tell)


def _measure(campaign: _Campaign, devices: Sequence[Reached]) -> None:
    """Measure on all devices at once; whatever ends this early leaves the campaign interrupted."""
    store, campaign_id = campaign.store, campaign.campaign_id
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        for reached in devices:
            reached.interrupt()

    try:
        with tempfile.TemporaryDirectory(prefix="pocketbench-") as folder:
            runs = {r.device.name: _device_run(campaign, r, Path(folder), stopped) for r in devices}
            ended = run_side_by_side({name: run.run for name, run in runs.items()}, stop=stop)
    except BaseException:
        store.set_status(campaign_id, "interrupted")
        raise
    store.set_status(campaign_id, "interrupted" if ended else "finished")
    if ended:
        raise CampaignInterruptedError(campaign_id, "\n".join(map(str, ended.values())))


def _device_run(campaign: _Campaign, reached: Reached, folder: Path, stop: threading.Event) -> DeviceRun:
    name = reached.device.name
    campaign.store.set_facts(campaign.campaign_id, name, asdict(reached.facts))
    jobs = [job for job in campaign.store.jobs(campaign.campaign_id) if job.device == name]
    planned = range(campaign.plan.rounds or LOOKS[0])
    campaign.meter.expect(name, sum(number not in job.rounds for job in jobs for number in planned))
    inputs = folder / name
    inputs.mkdir()
    return DeviceRun(
        plan=campaign.plan,
        store=campaign.store,
        campaign_id=campaign.campaign_id,
        reached=reached,
        variants={variant.name: variant for variant in campaign.variants},
        jobs=jobs,
        evaluation=campaign.evaluation,
        inputs=inputs,
        meter=campaign.meter,
        holder=campaign.holder,
        stop=stop,
    )


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """For the variants of a campaign; removed where the campaign does not get into the store."""
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # what went wrong before is the error to tell
        raise


def _check_unchanged(
    store: Store,
    campaign_id: str,
    variants: Sequence[LoadedVariant],
    evaluation: Evaluation | None,
    devices: Sequence[Reached],
) -> None:
    """Raise InputError where launches or qualities of before could not be put together with those to come."""
    if store.evaluation(campaign_id) != (evaluation.sha256 if evaluation else None):
        raise InputError(
            f"expected the evaluation data and metric that {campaign_id} was begun with, got others: restore them to "
            "resume, or run the plan without --resume to begin a new campaign."
        )
    formats = {variant.name: variant.format for variant in variants}
    engines = {reached.device.name: reached.engines for reached in devices}
    for job in store.jobs(campaign_id):
        if job.engine_id is None or job.variant not in formats:
            continue
        engine = engines[job.device][engine_for_format(formats[job.variant])]
        if engine.engine_id != job.engine_id:
            raise InputError(
                f"expected the engine build {job.engine_id} that {campaign_id} was begun with, got "
                f"{engine.engine_id} for {job.device}: install that version again to resume, or run the plan without "
                "--resume to begin a new campaign."
            )


def _variants(plan: Plan, home: Path, folder: Path, meter: Meter) -> list[LoadedVariant]:
    if plan.model is None:
        return load_variants(plan.variants)
    if plan.reference is not None:
        names = variant_names(plan.model, plan.recipes or recipe_names(), plan.formats, plan.data)
        check_reference(plan.reference, names)
    built = build_variants(
        plan.model,
        recipes=plan.recipes or recipe_names(),
        formats=plan.formats or default_formats(plan.model),
        data=plan.data,
        output=folder,
        seed=plan.seed,
        time_limit_s=plan.time_limit_s,
        cache=home / "cache",
        progress=meter.built,
    )
    return [load_variant(variant.folder) for variant in built]


def _stored(variant: StoredVariant) -> LoadedVariant:
    """A variant as it was when the campaign began, under the name it had there."""
    try:
        loaded = load_variant(Path(variant.source))
    except InputError as error:
        raise InputError(f"the campaign cannot go on with its variant {variant.name!r}: {error}") from error
    if loaded.facts is None or loaded.facts.sha256 != variant.sha256:
        raise InputError(
            f"expected {variant.source} as it was when the campaign began, got other content: restore it to resume, "
            "or run the plan without --resume to begin a new campaign."
        )
    return replace(loaded, name=variant.name)


def _meter(plan: Plan, listener: Listener) -> Meter:
    if plan.model is None:
        variants = len(plan.variants)
    else:
        recipes = len(plan.recipes or recipe_names()) + _CONTROLS_GUESS
        variants = recipes * len(plan.formats or default_formats(plan.model))
    launches = dict.fromkeys(plan.devices, variants * len(plan.threads) * (plan.rounds or LOOKS[0]))
    each_s = plan.times.warmup_time_s + plan.times.min_time_s + _LAUNCH_OVERHEAD_S
    return Meter(listener, launches=launches, expected_launch_s=each_s)


def _new_id(name: str) -> str:
    instant = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    slug = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[:40] or "campaign"
    return f"{instant}-{slug}-{secrets.token_hex(2)}"


def _campaign_record(plan: Plan, campaign_id: str, evaluation: Evaluation | None) -> CampaignRecord:
    return CampaignRecord(
        campaign_id=campaign_id,
        name=plan.name,
        started_at=now(),
        seed=plan.seed,
        rounds_planned=plan.rounds or LOOKS[-1],
        quality_metric=evaluation.metric.name if evaluation else None,
        quality_higher_is_better=evaluation.metric.higher_is_better if evaluation else None,
        evaluation_sha256=evaluation.sha256 if evaluation else None,
        pocketbench_version=pocketbench_version(),
        versions=library_versions(),
        plan=plan.to_yaml(),
        regime=plan.regime,
        scenario=plan.scenario.text,
        precision=plan.precision if plan.rounds is None else None,
        budget_s=plan.budget_s,
        confidence=LOOKS_CONFIDENCE if plan.rounds is None else CONFIDENCE,
    )


def _device_record(device: Device) -> DeviceRecord:
    return DeviceRecord(device.name, device.address, device.profile, str(device.directory))
