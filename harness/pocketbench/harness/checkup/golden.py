"""The models that come with pocketbench to try an engine with: some hundred bytes, with an input and its answer.

A convolution with ReLU and a fully connected layer, on the same numbers in each: float32 and fully quantized int8, as
.tflite and as .onnx. The answers are computed in Python, by no engine; `python -m tests.checkup.golden_models` writes
all files again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pocketbench.harness.engines.catalogue import EngineName

__all__ = ["OUTPUT_STEP", "GoldenModel", "golden_models"]

_FOLDER = Path(__file__).parent / "golden_data"
# What one step of the quantized output is worth.
OUTPUT_STEP = 0.05
_FORMATS = {"litert": "tflite", "onnxruntime": "onnx"}


@dataclass(frozen=True, slots=True)
class GoldenModel:
    """A model file and its golden inference, right within `atol + rtol * |expected|`."""

    precision: str
    model: Path
    golden: Path
    rtol: float
    atol: float


def golden_models(engine: EngineName) -> tuple[GoldenModel, GoldenModel]:
    """float32 and int8. Processors round int8 differently: one step of the output is no error.

    The .tflite gives the int8 numbers themselves, the .onnx (QDQ) what they stand for.
    """
    suffix = _FORMATS[engine]
    step = 1.0 if suffix == "tflite" else OUTPUT_STEP * 1.001
    return (
        GoldenModel("float32", _FOLDER / f"float32.{suffix}", _FOLDER / f"float32.{suffix}.npz", 1e-4, 1e-4),
        GoldenModel("int8", _FOLDER / f"int8.{suffix}", _FOLDER / f"int8.{suffix}.npz", 0.0, step),
    )
