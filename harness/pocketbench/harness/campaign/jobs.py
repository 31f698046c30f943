"""From variants to the rows of a campaign: which are compared to which, and what a job is called."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from pocketbench.checked.errors import InputError, PocketbenchError, nearest
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.variants import LoadedVariant
from pocketbench.harness.engines.catalogue import DISPLAY_NAMES, EngineName, engine_for_format
from pocketbench.harness.measure.rounds import aa_copy
from pocketbench.harness.store.records import JobRecord, VariantRecord

__all__ = ["check_reference", "job_records", "reference_name", "variant_records"]

_REFERENCE_RECIPE = "float32"
# What src/litert.c and src/onnxruntime.c know.
_ACCELERATORS: dict[EngineName, tuple[str, ...]] = {
    "litert": ("cpu", "gpu", "npu"),
    "onnxruntime": ("cpu", "xnnpack", "nnapi", "qnn"),
}
# ONNX Runtime's, of which only the profile tells what ran there.
_UNTOLD = ("xnnpack", "nnapi", "qnn")


def reference_name(plan: Plan, variants: Sequence[LoadedVariant]) -> str:
    """The variant that the others are compared to: the plan's, else the first of float32, else the first.

    Only where there is nothing else is it a control.

    Raises InputError where the plan names one that is not there, PocketbenchError where no variant could be made.
    """
    usable = [variant for variant in variants if variant.file is not None]
    if not usable:
        reasons = "\n".join(
            f"  {variant.name}: {variant.manifest.failure.reason}"
            for variant in variants
            if variant.manifest and variant.manifest.failure
        )
        raise PocketbenchError(f"expected at least one variant that can be measured, got none:\n{reasons}")
    if plan.reference is not None:
        check_reference(plan.reference, [variant.name for variant in usable])
        return plan.reference
    plain = [variant for variant in usable if variant.manifest and variant.manifest.recipe == _REFERENCE_RECIPE]
    # A control was trained longer than what the user has: it is compared with, not compared to.
    others = [variant for variant in usable if not (variant.manifest and variant.manifest.role == "control")]
    return (plain or others or usable)[0].name


def check_reference(name: str, variants: Sequence[str]) -> None:
    """Raise InputError with the nearest names where `name` is not among `variants`."""
    if name not in variants:
        raise InputError(f"expected the name of a variant as reference, got {name!r}; {nearest(name, variants)}.")


def variant_records(variants: Sequence[LoadedVariant], reference: str) -> list[VariantRecord]:
    """A row for each variant, failed ones with their reason."""
    return [_variant_record(variant, reference) for variant in variants]


def _variant_record(variant: LoadedVariant, reference: str) -> VariantRecord:
    manifest, facts = variant.manifest, variant.facts
    failure = manifest.failure if manifest else None
    gate = manifest.gate if manifest else None
    quality = manifest.host_quality if manifest else None
    return VariantRecord(
        name=variant.name,
        format=variant.format,
        recipe=manifest.recipe if manifest else None,
        role="reference" if variant.name == reference else manifest.role if manifest else "variant",
        source=str(variant.source.absolute()),
        control=variant.control,
        sha256=facts.sha256 if facts else None,
        size_bytes=facts.size_bytes if facts else None,
        size_gzip_bytes=facts.size_gzip_bytes if facts else None,
        parameters=manifest.parameters if manifest else None,
        status="ok" if variant.file else "failed",
        reason=f"{failure.stage}: {failure.reason}" if failure else None,
        warnings="\n".join(gate.warnings) if gate else "",
        steps=json.dumps([step.model_dump(mode="json") for step in manifest.steps] if manifest else []),
        sqnr_db=gate.sqnr_db if gate else None,
        host_quality=quality.value if quality else None,
        manifest=manifest.model_dump_json() if manifest else None,
    )


def job_records(plan: Plan, variants: Sequence[LoadedVariant], reference: str) -> list[JobRecord]:
    """A job for each variant that has a file, device, number of threads and accelerator that its engine has.

    With the reference stands its A/A copy. Raises InputError for an accelerator that no variant's engine has.
    """
    usable = [variant for variant in variants if variant.file is not None]
    compared = next(variant for variant in usable if variant.name == reference)
    for accelerator in plan.accelerators:
        if not any(_has(variant, accelerator) for variant in usable):
            engines = sorted({DISPLAY_NAMES[engine_for_format(variant.format)] for variant in usable})
            raise InputError(
                f"expected an accelerator of {' or '.join(engines)}, got {accelerator!r}: see docs/plan.md."
            )
    if plan.require_accelerator and (unknown := sorted(set(plan.accelerators) & set(_UNTOLD))):
        raise InputError(
            f"expected no 'require_accelerator' with {unknown[0]}, since ONNX Runtime does not say whether all of a "
            "model runs there: leave it out, and see in the report what ran the operators."
        )
    jobs = []
    for device in plan.devices:
        for threads in plan.threads:
            for accelerator in plan.accelerators:
                jobs += [
                    _job(plan, variant.name, device, threads, accelerator, compared)
                    for variant in usable
                    if _has(variant, accelerator)
                ]
    copies = [
        replace(job, key=aa_copy(job.key), is_reference=False, is_aa_copy=True) for job in jobs if job.is_reference
    ]
    return [*jobs, *(copies if plan.aa_copy else ())]


def _job(plan: Plan, variant: str, device: str, threads: int, accelerator: str, reference: LoadedVariant) -> JobRecord:
    """What runs elsewhere is compared to the reference on the CPU, where that is measured."""
    compared = "cpu" if "cpu" in plan.accelerators else accelerator
    key = _key(plan, variant, device, threads, accelerator)
    reference_key = _key(plan, reference.name, device, threads, compared) if _has(reference, compared) else None
    return JobRecord(
        key=key,
        variant=variant,
        device=device,
        threads=threads,
        cores=_cores(plan),
        is_reference=key == reference_key,
        reference=reference_key,
        accelerator=accelerator,
    )


def _key(plan: Plan, variant: str, device: str, threads: int, accelerator: str) -> str:
    counted = "1 thread" if threads == 1 else f"{threads} threads"
    placed = "" if accelerator == "cpu" else f", {accelerator}"
    cores = _cores(plan)
    return f"{variant} on {device}, {counted}{placed}" + (f", cores {cores}" if cores else "")


def _cores(plan: Plan) -> str | None:
    return None if plan.cores is None else ",".join(map(str, plan.cores))


def _has(variant: LoadedVariant, accelerator: str) -> bool:
    return accelerator in _ACCELERATORS[engine_for_format(variant.format)]
