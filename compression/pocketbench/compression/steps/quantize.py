"""Quantize the written float32 file by the runtime's own quantizer: fewer bits per weight, perhaps per activation.

It trains nothing. What is gained depends on the device: float16 and int8-dynamic always halve or quarter the weights,
but small int8 models can be slower than float ones, so measure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from pocketbench.checked.yaml import Strict
from pocketbench.compression.dataset import Dataset
from pocketbench.compression.errors import QuantizationError
from pocketbench.compression.manifest import Format, StepReport
from pocketbench.compression.quantizers.schemes import STATIC_SCHEMES, Scheme

__all__ = ["Options", "apply", "needs_calibration"]

_SUMMARIES = {
    "float16": "weights in half precision",
    "int16x8": "int8 weights per channel, int16 activations",
    "int8": "int8 weights per channel, int8 activations",
    "int8-dynamic": "int8 weights per channel, activations quantized while it runs",
}


class Options(Strict):
    """The number format, and how many samples a static scheme learns its ranges from."""

    scheme: Scheme
    calibration_samples: int = Field(
        default=128, ge=1, le=10_000, description="Drawn from the calibration or training data by the seed."
    )


def needs_calibration(options: Options) -> bool:
    """True for schemes whose activations are quantized with ranges observed on data."""
    return options.scheme in STATIC_SCHEMES


def apply(
    source: Path, target: Path, file_format: Format, options: Options, calibration: Dataset | None, seed: int
) -> StepReport:
    """Write `source` under the scheme to `target`.

    Raises QuantizationError where the model has no such form or calibration data is missing.
    """
    arrays: tuple[np.ndarray, ...] | None = None
    if needs_calibration(options):
        if calibration is None:
            raise QuantizationError(
                f"{options.scheme} learns its ranges from data: give calibration or training data, got neither."
            )
        arrays = calibration.subset(options.calibration_samples, seed).inputs
    details = _quantizer(file_format)(source, target, options.scheme, arrays)
    return StepReport(
        step="quantize",
        options=options.model_dump(mode="json"),
        changed=True,
        summary=_SUMMARIES[options.scheme] + (f", ranges from {len(arrays[0])} samples" if arrays else ""),
        details=details,
    )


def _quantizer(file_format: Format) -> Callable[[Path, Path, str, Sequence[np.ndarray] | None], dict[str, Any]]:
    """Imported here, as each brings a runtime of its own."""
    if file_format == "tflite":
        from pocketbench.compression.quantizers.tflite import quantize_tflite

        return quantize_tflite
    from pocketbench.compression.quantizers.onnx import quantize_onnx

    return quantize_onnx
