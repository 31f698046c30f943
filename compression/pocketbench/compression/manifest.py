"""The manifest of a variant: `variant.json` beside its file. A variant is a folder of these:

    variant.json        this schema
    NAME.tflite|.onnx   the deployable file (absent where the variant failed)
    golden.npz          one input and the outputs that the very file gives for it on this computer (see `Golden`)

Format history:
    1  first version (pocketbench 0.1)
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from pocketbench.checked.errors import InputError
from pocketbench.checked.yaml import Strict

__all__ = [
    "FORMATS",
    "SCHEMA_VERSION",
    "BaseModelFacts",
    "Failure",
    "FileFacts",
    "GateReport",
    "Golden",
    "HostQuality",
    "StepReport",
    "TensorFacts",
    "VariantManifest",
    "read_manifest",
    "sha256_of",
    "write_manifest",
]

SCHEMA_VERSION = 1
Format = Literal["tflite", "onnx"]
FORMATS: tuple[Format, ...] = ("tflite", "onnx")


class TensorFacts(Strict):
    """One input or output. `shape` has -1 for a dynamic dimension; `dtype` is numpy's name (`float32`, `int8`).

    `scale` and `zero_point` are there where the tensor is quantized per tensor: real = scale * (q - zero_point).
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


class FileFacts(Strict):
    """The deployable file. `size_gzip_bytes` is its size as gzip -9 with no name and time: what a download costs."""

    name: str
    sha256: str
    size_bytes: int
    size_gzip_bytes: int


class BaseModelFacts(Strict):
    """The model that the user brought. `sha256` covers ONNX weights in files beside it too; `parameters` is None where
    the format does not tell."""

    name: str
    sha256: str
    source: Literal["keras", "onnx"]
    parameters: int | None


class StepReport(Strict):
    """What one step did: counts before and after, a sentence, and figures of its own in `details`."""

    step: str
    options: dict[str, Any]
    changed: bool
    summary: str
    parameters_before: int | None = None
    parameters_after: int | None = None
    nonzero_parameters_after: int | None = None
    details: dict[str, Any] = Field(default_factory=dict)


class GateReport(Strict):
    """Written file against its source model on `samples` real or seeded inputs.

    `max_abs_error` over all outputs; `sqnr_db` = 10 log10(sum(y^2) / sum((y - y_file)^2)), the least of the outputs
    (None where the error is exactly 0).
    """

    samples: int
    max_abs_error: float
    sqnr_db: float | None
    dtype_counts: dict[str, int] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class Golden(Strict):
    """`golden.npz` holds `input_0…` and `output_0…` in the signature's order, computed by the host's engine from
    the very file. A deployment must reproduce them within `atol + rtol * |expected|` before it is used."""

    name: str
    sha256: str
    rtol: float
    atol: float


class HostQuality(Strict):
    """Quality of the file on this computer. The deployed file is measured again on the device."""

    metric: str
    value: float
    higher_is_better: bool
    samples: int


class Failure(Strict):
    """Why there is no file: the stage (`train`, `export`, `quantize`, `gate`, …) and a sentence."""

    stage: str
    reason: str


class VariantManifest(Strict):
    """Everything known about one variant. Holds no time and no path: the same input gives the same manifest."""

    schema_version: Literal[1] = 1
    name: str
    format: Format
    role: Literal["variant", "control"] = "variant"
    control: str | None = None
    """Name of the variant that was trained equally longer without compression, where this one was trained."""
    recipe: str
    recipe_steps: tuple[dict[str, Any], ...]
    seed: int
    base: BaseModelFacts
    steps: tuple[StepReport, ...] = ()
    parameters: int | None = None
    file: FileFacts | None = None
    inputs: tuple[TensorFacts, ...] = ()
    outputs: tuple[TensorFacts, ...] = ()
    golden: Golden | None = None
    gate: GateReport | None = None
    host_quality: HostQuality | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    failure: Failure | None = None

    @property
    def ok(self) -> bool:
        """True where there is a file that passed the gate."""
        return self.failure is None and self.file is not None


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_manifest(manifest: VariantManifest, folder: Path) -> Path:
    """Write `variant.json` into `folder` through a temporary file and a rename."""
    target = folder / "variant.json"
    temporary = folder / ".variant.json.new"
    text = json.dumps(manifest.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False)
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(target)
    return target


def read_manifest(folder: Path) -> VariantManifest:
    """Read the manifest in `folder`; raise InputError where it is missing, damaged or from a newer pocketbench."""
    path = folder / "variant.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"expected a variant folder with variant.json, got {folder}: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"expected JSON in {path}, got something else ({error}): compress the model again.") from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION:
        raise InputError(
            f"expected schema_version {SCHEMA_VERSION} in {path}, got {version!r}: "
            "use the pocketbench that wrote it, or compress the model again."
        )
    try:
        return VariantManifest.model_validate(data)
    except ValidationError as error:
        raise InputError(f"expected a valid manifest in {path}, got: {error}") from error
