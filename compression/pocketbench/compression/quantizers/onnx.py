"""Float32 .onnx → fewer bits, by ONNX Runtime's own tools.

Scheme          weights                     activations (inputs and outputs stay float32)
float16         float16                     float16 (operators without a float16 kernel get casts around them)
int8-dynamic    int8, per channel           float32, quantized on the fly; MatMul, Gemm and LSTM only: a dynamically
                                            quantized Conv is several times slower than a float one
int8            int8, per channel           uint8 with Q/DQ nodes, from calibration
int16x8         int8, per channel           uint16 with Q/DQ nodes; no integer kernels, so accuracy and not speed
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from pocketbench.checked.errors import PocketbenchError
from pocketbench.compression.errors import QuantizationError
from pocketbench.compression.files import write_file
from pocketbench.compression.model_files import read_onnx
from pocketbench.compression.quantizers.schemes import STATIC_SCHEMES, calibration_samples, check_scheme
from pocketbench.compression.reference import FileModel

__all__ = ["quantize_onnx"]

# Operators whose dynamically quantized form has a fast kernel.
_DYNAMIC_OPERATORS = ("Gemm", "LSTM", "MatMul")
# Q/DQ with an axis (per channel) exists from this operator set on.
_MIN_OPSET = 13


def quantize_onnx(
    source: Path, target: Path, scheme: str, calibration: Sequence[np.ndarray] | None = None
) -> dict[str, Any]:
    """Write the float32 `source` under `scheme` to `target`; returns figures for the step's report.

    `calibration` holds one array (N, shape of one sample) per input, for the static schemes. The same input gives
    the same bytes. Raises QuantizationError where the model has no such form.
    """
    check_scheme(scheme)
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    details: dict[str, Any] = {"scheme": scheme, "quantizer": "onnxruntime"}
    samples: list[dict[str, np.ndarray]] = []
    if scheme in STATIC_SCHEMES:
        inputs = FileModel(source).inputs
        names = [facts.name for facts in inputs]
        samples = [dict(zip(names, one, strict=True)) for one in calibration_samples(calibration, inputs, scheme)]
        details |= {"calibration_samples": len(samples), "calibration_method": "minimum and maximum"}
    try:
        with _quiet(), tempfile.TemporaryDirectory(prefix="pocketbench-") as folder:
            model = _upgraded(read_onnx(source), scheme)
            if scheme == "float16":
                model = _float16(model)
            elif scheme == "int8-dynamic":
                model = _dynamic(model, Path(folder))
            else:
                model = _static(model, Path(folder), samples, wide=scheme == "int16x8")
    # onnxruntime.quantization raises ValueError, RuntimeError, KeyError, AssertionError, … by operator.
    except Exception as error:
        if isinstance(error, PocketbenchError):
            raise
        words = " ".join(str(error).split())[:400] or type(error).__name__
        raise QuantizationError(f"ONNX Runtime's quantizer cannot make {scheme}: {words}") from error
    write_file(target, model.SerializeToString(deterministic=True))
    return details | {"operators": dict(sorted(Counter(node.op_type for node in model.graph.node).items()))}


def _upgraded(model: onnx.ModelProto, scheme: str) -> onnx.ModelProto:
    """Operator set 13 at least, where the scheme's operators exist."""
    (opset,) = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if opset >= _MIN_OPSET or scheme == "float16":
        return model
    return onnx.version_converter.convert_version(model, _MIN_OPSET)


def _float16(model: onnx.ModelProto) -> onnx.ModelProto:
    from onnxruntime.transformers.float16 import convert_float_to_float16

    converted: onnx.ModelProto = convert_float_to_float16(model, keep_io_types=True)
    return converted


def _dynamic(model: onnx.ModelProto, folder: Path) -> onnx.ModelProto:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    stored = {tensor.name for tensor in model.graph.initializer}
    found = [
        node
        for node in model.graph.node
        if node.op_type in _DYNAMIC_OPERATORS and any(name in stored for name in node.input[1:2])
    ]
    if not found:
        operators = ", ".join(sorted({node.op_type for node in model.graph.node}))
        raise QuantizationError(
            f"int8-dynamic in ONNX Runtime quantizes {', '.join(_DYNAMIC_OPERATORS)} with stored weights, and this "
            f"model has none (it has {operators}): use int8, which takes calibration data, or float16."
        )
    # Given as objects, models pass through external data files that the tools then do not find.
    whole, target = folder / "whole.onnx", folder / "dynamic.onnx"
    onnx.save(model, whole)
    quantize_dynamic(
        whole, target, op_types_to_quantize=list(_DYNAMIC_OPERATORS), per_channel=True, weight_type=QuantType.QInt8
    )
    return onnx.load(target)


def _static(
    model: onnx.ModelProto, folder: Path, samples: list[dict[str, np.ndarray]], *, wide: bool
) -> onnx.ModelProto:
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    whole, prepared, target = folder / "whole.onnx", folder / "prepared.onnx", folder / "static.onnx"
    onnx.save(model, whole)
    # Symbolic shape inference would need sympy, and the shapes are fixed but for the batch.
    quant_pre_process(whole, prepared, skip_symbolic_shape=True)
    quantize_static(
        prepared,
        target,
        _Reader(samples),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt16 if wide else QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        # Operator set 21 has 16-bit Q/DQ; before it they are ONNX Runtime's own.
        extra_options={"UseQDQContribOps": wide},
    )
    return onnx.load(target)


class _Reader:
    """onnxruntime.quantization.CalibrationDataReader, which is asked for one sample after the other."""

    def __init__(self, samples: list[dict[str, np.ndarray]]) -> None:
        self._samples = iter(samples)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._samples, None)

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        return self._samples


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The quantizer logs advice at the root logger and float16 conversion warns of every number it rounds to 0."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(level)
