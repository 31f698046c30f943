"""An .onnx in ONNX Runtime's session, by the `onnxruntime` package."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pocketbench.checked.errors import InputError
from pocketbench.compression.manifest import TensorFacts

__all__ = ["OnnxRuntimeFile"]

# ONNX Runtime's word for a type → numpy's.
_ONNX_TYPES = {
    "tensor(bool)": "bool",
    "tensor(double)": "float64",
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(int8)": "int8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(uint8)": "uint8",
}


class OnnxRuntimeFile:
    """ONNX Runtime on the CPU, with its default graph optimizations."""

    def __init__(self, path: Path, threads: int) -> None:
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as errors

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # it raises; no second copy of the message on stderr
        self._errors = (
            errors.Fail,
            errors.InvalidArgument,
            errors.InvalidGraph,
            errors.InvalidProtobuf,
            errors.NoSuchFile,
            errors.NotImplemented,
            errors.RuntimeException,
        )
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except self._errors as error:
            raise InputError(f"expected an .onnx that ONNX Runtime loads, got {path}: {_one_line(error)}") from error
        self._path = path
        self.inputs = tuple(_onnx_facts(value, path) for value in self._session.get_inputs())
        self.outputs = tuple(_onnx_facts(value, path) for value in self._session.get_outputs())
        self._names = [facts.name for facts in self.inputs]

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        try:
            outputs = self._session.run(None, dict(zip(self._names, inputs, strict=True)))
        except self._errors as error:
            raise InputError(f"ONNX Runtime could not run {self._path}: {_one_line(error)}") from error
        return [np.asarray(output) for output in outputs]


def _onnx_facts(value: Any, path: Path) -> TensorFacts:
    dtype = _ONNX_TYPES.get(value.type)
    if dtype is None:
        raise InputError(f"expected inputs and outputs of numbers in {path}, got {value.type} for {value.name!r}.")
    shape = tuple(size if isinstance(size, int) else -1 for size in value.shape)
    return TensorFacts(name=value.name, shape=shape, dtype=dtype)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:500]
