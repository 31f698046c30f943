"""A .tflite in LiteRT's interpreter, by the `ai-edge-litert` package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pocketbench.checked.errors import InputError
from pocketbench.compression.manifest import TensorFacts

__all__ = ["LiteRtFile"]


class LiteRtFile:
    """The classic interpreter of LiteRT with its default delegate (XNNPACK), as the C API of libLiteRt has."""

    def __init__(self, path: Path, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            interpreter = Interpreter(model_path=str(path), num_threads=threads)
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:  # what its C++ side raises, by the kind of the damage
            raise InputError(f"expected a .tflite that LiteRT loads, got {path}: {_one_line(error)}") from error
        self._interpreter = interpreter
        self._path = path
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        names = self._signature_names()
        self._input_numbers = [detail["index"] for detail in inputs]
        self._output_numbers = [detail["index"] for detail in outputs]
        self.inputs = tuple(_tflite_facts(detail, names[0]) for detail in inputs)
        self.outputs = tuple(_tflite_facts(detail, names[1]) for detail in outputs)

    def _signature_names(self) -> tuple[dict[int, str], dict[int, str]]:
        """Tensor number → the name that the signature gives it. The engine counts in the graph's order."""
        signatures = list(self._interpreter.get_signature_list())
        if not signatures:
            return {}, {}
        if len(signatures) > 1:
            raise InputError(
                f"expected one signature in {self._path}, got {sorted(signatures)}: save one signature per file."
            )
        runner = self._interpreter.get_signature_runner(signatures[0])
        inputs = {detail["index"]: name for name, detail in runner.get_input_details().items()}
        outputs = {detail["index"]: name for name, detail in runner.get_output_details().items()}
        return inputs, outputs

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        for number, array in zip(self._input_numbers, inputs, strict=True):
            self._interpreter.set_tensor(number, array)
        try:
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise InputError(f"LiteRT could not run {self._path}: {_one_line(error)}") from error
        return [np.array(self._interpreter.get_tensor(number)) for number in self._output_numbers]


def _tflite_facts(detail: dict[str, Any], names: dict[int, str]) -> TensorFacts:
    signature = detail["shape_signature"]
    shape = signature if len(signature) else detail["shape"]
    scale, zero_point = detail["quantization"]
    quantized = bool(scale)
    return TensorFacts(
        name=names.get(detail["index"], detail["name"]),
        shape=tuple(int(size) for size in shape),
        dtype=np.dtype(detail["dtype"]).name,
        scale=float(scale) if quantized else None,
        zero_point=int(zero_point) if quantized else None,
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:500]
