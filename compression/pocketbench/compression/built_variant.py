"""A variant's folder, written from what the workers made or from why they could not."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from pocketbench.compression.build_plan import PlannedVariant
from pocketbench.compression.cache import library_versions
from pocketbench.compression.graph import Broken
from pocketbench.compression.manifest import BaseModelFacts, Failure, VariantManifest, write_manifest
from pocketbench.compression.output_folder import place_variant
from pocketbench.compression.task_arguments import step_dumps

__all__ = ["FAILURE_LOG", "BuiltVariant", "write_variant"]

FAILURE_LOG = "failure.log"
# Libraries that only a Keras model passes through, and those of one format.
_KERAS_ONLY = ("keras", "tensorflow", "tensorflow-cpu", "tf2onnx")
_ONE_FORMAT = {"litert-quantizer": "tflite", "ai-edge-litert": "tflite", "onnxruntime": "onnx", "tf2onnx": "onnx"}


@dataclass(frozen=True, slots=True)
class BuiltVariant:
    """`manifest.ok` tells whether there is a file in `folder`."""

    folder: Path
    manifest: VariantManifest


def write_variant(
    variant: PlannedVariant,
    outcome: Path | Broken | Failure,
    base: BaseModelFacts,
    seed: int,
    output: Path,
    scratch: Path,
) -> BuiltVariant:
    """Put the folder of `variant` in place: its file, golden inference and manifest, or its failure and the log."""
    made: dict[str, Any] = {}
    if isinstance(outcome, Path):
        made = json.loads((outcome / "result.json").read_text(encoding="utf-8"))
        made["file"]["name"] = f"{variant.name}.{variant.format}"
    else:
        made["failure"] = _failure(outcome, scratch)
    manifest = VariantManifest(
        name=variant.name,
        format=variant.format,
        role=variant.role,
        control=variant.control,
        recipe=variant.recipe.name,
        recipe_steps=tuple(step_dumps(variant.recipe.steps)),
        seed=seed,
        base=base,
        versions=_versions(variant, base),
        **made,
    )

    def fill(folder: Path) -> None:
        if isinstance(outcome, Path) and manifest.file:
            shutil.copyfile(outcome / f"model.{variant.format}", folder / manifest.file.name)
            if manifest.golden:
                shutil.copyfile(outcome / manifest.golden.name, folder / manifest.golden.name)
        elif isinstance(outcome, Broken) and outcome.log_file.exists():
            shutil.copyfile(outcome.log_file, folder / FAILURE_LOG)
        write_manifest(manifest, folder)

    return BuiltVariant(place_variant(output, variant.name, fill), manifest)


def _failure(outcome: Broken | Failure, scratch: Path) -> Failure:
    if isinstance(outcome, Failure):
        return outcome
    # The same failure has the same words: names of folders that live as long as the build are left out.
    reason = outcome.failed.reason.replace(f"{scratch}/", "").rstrip(".")
    if not outcome.failed.explained and outcome.log_file.exists() and outcome.log_file.stat().st_size:
        reason += f" (what was printed is in {FAILURE_LOG} beside the manifest)"
    return Failure(stage=outcome.failed.stage, reason=f"{reason}.")


def _versions(variant: PlannedVariant, base: BaseModelFacts) -> dict[str, str]:
    """Versions of what the variant passed through."""
    passed = {
        name: version
        for name, version in library_versions().items()
        if (base.source == "keras" or name not in _KERAS_ONLY)
        and _ONE_FORMAT.get(name, variant.format) == variant.format
    }
    return {"pocketbench": _own_version(), **passed}


@cache
def _own_version() -> str:
    try:
        return metadata.version("pocketbench")
    except metadata.PackageNotFoundError:
        return "not installed"  # run from the checkout
