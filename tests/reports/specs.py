"""The variants of example campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["DIGITS", "Spec", "spec"]


@dataclass(frozen=True, slots=True)
class Spec:
    """One variant; `latency_ms` on one thread, `quality` as its metric says, None for no evaluation."""

    name: str
    latency_ms: float
    quality: float | None
    size_bytes: int
    format: str = "tflite"
    recipe: str | None = "int8"
    role: str = "variant"
    control: str | None = None
    failed: str | None = None
    job_failed: str | None = None
    job_status: str = "ok"
    job_reason: str | None = None
    flags: str = ""
    warnings: str = ""
    sqnr_db: float | None = 34.2
    parameters: int | None = 93_322
    steps: tuple[dict[str, Any], ...] = field(default=())


def spec(specs: Sequence[Spec], name: str, **changes: Any) -> list[Spec]:
    """`specs` with the variant of that name changed."""
    return [replace(one, **changes) if one.name == name else one for one in specs]


def _step(step: str, summary: str, before: int | None, after: int | None, **details: Any) -> dict[str, Any]:
    return {
        "step": step,
        "options": {"epochs": 4} if step == "finetune" else {},
        "changed": True,
        "summary": summary,
        "parameters_before": before,
        "parameters_after": after,
        "nonzero_parameters_after": after,
        "details": details,
    }


_PRUNE = _step(
    "prune-channels",
    "5 of 6 layers are narrower: 93,322 parameters became 30,154.",
    93_322,
    30_154,
    macs_before=4_881_408,
    macs_after=1_502_208,
    channels={"conv2d": [32, 16], "conv2d_1": [64, 32]},
    frozen={"output": 10},
    pruned_equals_masked=3.1e-07,
)
_TUNE = _step("finetune", "trained for 4 epochs: the loss went from 0.412 to 0.063.", 30_154, 30_154, losses=[0.4, 0.1])
_INT8 = _step("quantize", "int8 weights per channel, int8 activations, ranges from 128 samples", None, None)

DIGITS = [
    Spec("float32-tflite", 2.87, 0.974, 377_120, recipe="float32", role="reference", sqnr_db=None),
    Spec("float32-onnx", 2.31, 0.974, 379_800, "onnx", recipe="float32", sqnr_db=128.4),
    Spec("float16-tflite", 2.88, 0.974, 190_400, recipe="float16", sqnr_db=71.3),
    Spec("int8-tflite", 1.21, 0.971, 102_992, steps=(_INT8,)),
    Spec("int8-onnx", 1.58, 0.969, 108_310, "onnx", steps=(_INT8,), warnings="least SQNR of the outputs is 21.4 dB"),
    Spec(
        "prune-channels-tflite",
        1.02,
        0.948,
        124_880,
        recipe="prune-channels",
        control="prune-channels-control-tflite",
        steps=(_PRUNE, _TUNE),
        parameters=30_154,
    ),
    Spec(
        "prune-channels-control-tflite",
        2.86,
        0.978,
        377_120,
        recipe="prune-channels",
        role="control",
        steps=({**_TUNE, "parameters_before": 93_322, "parameters_after": 93_322},),
        sqnr_db=None,
    ),
    Spec("int16x8-tflite", 4.9, 0.973, 104_300, recipe="int16x8", sqnr_db=58.0),
    Spec(
        "int16x8-onnx",
        0.0,
        None,
        0,
        "onnx",
        recipe="int16x8",
        failed="quantize: expected an engine that runs int16 activations, got ONNX Runtime: use int8 or tflite.",
    ),
]
