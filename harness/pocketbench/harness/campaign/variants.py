"""Variants to measure: folders that `compress` made, and files that came from elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.compression.manifest import (
    FileFacts,
    TensorFacts,
    VariantManifest,
    read_manifest,
    sha256_of,
)

__all__ = ["LoadedVariant", "load_variant", "load_variants"]

# Of an output's values, where nothing says how exact a file is; a golden inference comes with its own tolerance.
_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class LoadedVariant:
    """A variant on this computer. `source` is what was given: the folder, or the file.

    `file` and `facts` are None where compression failed; the manifest then says why. `golden` is None for a file that
    came without one.
    """

    name: str
    format: str
    source: Path
    file: Path | None
    facts: FileFacts | None
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]
    golden: Path | None = None
    rtol: float = _TOLERANCE
    atol: float = _TOLERANCE
    manifest: VariantManifest | None = None
    control: str | None = None
    """Name of its control, as the variants that it is loaded with are called."""


def load_variants(sources: Sequence[Path]) -> list[LoadedVariant]:
    """Load each of `sources`; those of the same name are told apart by the folders they are in."""
    loaded = [load_variant(source) for source in sources]
    return _with_controls(loaded, _told_apart(loaded))


def _told_apart(loaded: Sequence[LoadedVariant]) -> list[LoadedVariant]:
    loaded = list(loaded)
    depth = 1
    while repeated := [name for name, count in Counter(variant.name for variant in loaded).items() if count > 1]:
        depth += 1
        longest = max(len(variant.source.parts) for variant in loaded)
        if depth > longest:
            raise InputError(f"expected variants of different names, got {repeated} more than once: rename one.")
        loaded = [
            replace(variant, name="/".join(variant.source.parts[-depth:])) if variant.name in repeated else variant
            for variant in loaded
        ]
    return loaded


def _with_controls(before: Sequence[LoadedVariant], after: Sequence[LoadedVariant]) -> list[LoadedVariant]:
    """`after` with each control under its new name: it is the one from the same build, that is, the same folder."""
    renamed = {(old.source.parent, old.name): new.name for old, new in zip(before, after, strict=True)}
    names = {variant.name for variant in after}
    found = []
    for variant in after:
        own = renamed.get((variant.source.parent, variant.control or ""))
        # A control of this name from another build says nothing about this variant.
        control = own or (None if variant.control in names else variant.control)
        found.append(replace(variant, control=control))
    return found


def load_variant(source: Path) -> LoadedVariant:
    """Load a variant folder, or a .tflite or .onnx file.

    Raises InputError where there is none, where a file is not what its manifest says, or where the engine of this
    computer does not take it.
    """
    if source.is_dir():
        return _from_folder(source)
    if not source.exists():
        raise InputError(f"expected a variant folder, or a .tflite or .onnx file, got {source}, which does not exist.")
    return _from_file(source)


def _from_folder(folder: Path) -> LoadedVariant:
    if not (folder / "variant.json").exists() and any(folder.glob("*/variant.json")):
        raise InputError(f"expected a variant folder, got {folder}, which holds several: give {folder}/* instead.")
    manifest = read_manifest(folder)
    failed = LoadedVariant(
        name=manifest.name,
        format=manifest.format,
        source=folder,
        file=None,
        facts=None,
        inputs=(),
        outputs=(),
        manifest=manifest,
        control=manifest.control,
    )
    if manifest.file is None or not manifest.ok:
        return failed
    file = _verified(folder, manifest.file.name, manifest.file.sha256)
    golden = None if manifest.golden is None else _verified(folder, manifest.golden.name, manifest.golden.sha256)
    return replace(
        failed,
        file=file,
        facts=manifest.file,
        inputs=manifest.inputs,
        outputs=manifest.outputs,
        golden=golden,
        rtol=manifest.golden.rtol if manifest.golden else _TOLERANCE,
        atol=manifest.golden.atol if manifest.golden else _TOLERANCE,
    )


def _verified(folder: Path, name: str, sha256: str) -> Path:
    path = folder / name
    if Path(name).name != name or not path.is_file():
        raise InputError(f"expected {name!r} in {folder} as its manifest says, got none: compress the model again.")
    if sha256_of(path) != sha256:
        raise InputError(
            f"expected {path} as its manifest says, got other content: it was changed since; compress the model again, "
            "or give the file itself instead of the folder."
        )
    return path


def _from_file(file: Path) -> LoadedVariant:
    from pocketbench.compression.model_files import external_files, model_format
    from pocketbench.compression.reference import FileModel
    from pocketbench.compression.sizes import file_facts

    kind = model_format(file)
    model = FileModel(file)
    if kind == "onnx" and (others := external_files(file)):
        raise InputError(
            f"expected one file with everything in it, got {file} with weights in {', '.join(others)}: make one of it "
            f"with `pocketbench compress {file.name} --recipe float32`, and measure that variant."
        )
    return LoadedVariant(
        name=file.name,
        format=kind,
        source=file,
        file=file,
        facts=file_facts(file),
        inputs=model.inputs,
        outputs=model.outputs,
    )
