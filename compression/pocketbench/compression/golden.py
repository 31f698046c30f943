"""One inference to compare with: what the host's engine computes from the very file that is deployed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pocketbench.compression.manifest import Golden, sha256_of
from pocketbench.compression.reference import FileModel, encode_inputs, run_samples
from pocketbench.compression.stored_numbers import stored_numbers

__all__ = ["FILE_NAME", "TOLERANCES", "write_golden"]

FILE_NAME = "golden.npz"

# Part of an output's largest value by which another build of the engine may differ. A deployment that went wrong gives
# other numbers altogether; processors differ in the order of sums (float32), in whether they compute in float16 or
# only store it, and, with int8, in how they round and saturate: up to a few steps of 256 per layer.
TOLERANCES = {"float32": 1e-3, "float16": 2e-2, "int8": 1e-1}


def write_golden(folder: Path, file: Path, inputs: Sequence[np.ndarray]) -> Golden:
    """Write `golden.npz` into `folder`: the first sample of `inputs` and the outputs of `file` for it.

    `input_0`… are (1, shape of one sample) in the file's own types, `output_0`… likewise. The same file and inputs
    give the same bytes.
    """
    model = FileModel(file)
    batch = max(1, max(facts.shape[0] if facts.shape else 1 for facts in model.inputs))
    given = encode_inputs([array[:batch] for array in inputs], model.inputs)
    outputs = run_samples(model, given)
    arrays = {f"input_{k}": array for k, array in enumerate(given)}
    arrays |= {f"output_{k}": array for k, array in enumerate(outputs)}
    target = folder / FILE_NAME
    np.savez(target, **arrays)  # type: ignore[arg-type] # its stub takes the arrays for `allow_pickle`
    part = TOLERANCES[_precision(stored_numbers(file))]
    largest = max(float(np.abs(output.astype(np.float64)).max(initial=0.0)) for output in outputs)
    return Golden(name=FILE_NAME, sha256=sha256_of(target), rtol=part, atol=part * largest)


def _precision(counts: dict[str, int]) -> str:
    for dtype in ("int8", "uint8", "int16"):
        if counts.get(dtype):
            return "int8"
    return "float16" if counts.get("float16") else "float32"
