"""The gate: every file that was written is loaded, run and compared with its source before anybody may use it.

Converters write files that no engine loads, whose outputs are NaN, that want inputs which nobody has, or that are
quantized in name only, and say nothing. Each of that is a GateError here. What is poor but not broken is a warning:
whether a variant is good enough is for its quality on real data to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pocketbench.checked.errors import InputError
from pocketbench.compression.errors import GateError
from pocketbench.compression.manifest import GateReport, TensorFacts
from pocketbench.compression.reference import FileModel, decode_outputs, encode_inputs, run_samples
from pocketbench.compression.stored_numbers import stored_numbers

__all__ = ["FAIL_BELOW_DB", "SMALL_NUMBERS", "WARN_BELOW_DB", "check_file"]

# Least signal-to-error ratio of an output, 10 log10(sum y² / sum (y - y')²). Below it the file is wrong, not lossy.
# float32: rounding gives 140 dB in small nets and was never under 83 dB in five nets of up to 120 layers; a weight in
#   the wrong place gives less than 30. float16: 11 bits give 66 dB per layer; 20 dB lets 100 layers add up badly.
# int8: an 8-bit tensor has about 40 dB, and real nets go down to 5 and still classify; at 0 dB the error is as large
#   as the signal, and answering 0 would be as good.
FAIL_BELOW_DB = {"float32": 60.0, "float16": 20.0, "int16x8": 0.0, "int8": 0.0, "int8-dynamic": 0.0}
# Below it the variant may work and is worth a look: an error of a hundredth (float16) or a tenth of the signal.
WARN_BELOW_DB = {"float32": 80.0, "float16": 40.0, "int16x8": 20.0, "int8": 20.0, "int8-dynamic": 20.0}
# The format that a scheme is named after: weights must be there in it.
SMALL_NUMBERS = {"float16": "float16", "int16x8": "int8", "int8": "int8", "int8-dynamic": "int8"}
# With less of the stored numbers in that format, the scheme touched only a part of the model.
_MOST = 0.5
# Outputs that are class numbers have no signal-to-error ratio: the share of them that must agree in a float32 file,
# and below which any other is worth a look. Two classes that are nearly equal change places by rounding alone.
_FAIL_BELOW_AGREEING = 0.9
_WARN_BELOW_AGREEING = 0.99
# A source whose outputs differ by less than this part of their largest value says the same for all samples itself.
_VARIES = 1e-3

Expected = Sequence[np.ndarray] | Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]]


def check_file(
    file: Path,
    expected: Expected,
    inputs: Sequence[np.ndarray],
    *,
    scheme: str = "float32",
    source_inputs: Sequence[TensorFacts] | None = None,
    source_outputs: Sequence[TensorFacts] | None = None,
    source_size_bytes: int | None = None,
) -> GateReport:
    """Check `file` against the outputs that its source gives (or computes) for `inputs`, one array of samples each.

    `scheme` is "float32" or what it was quantized to. Signatures are compared where the source's are given. Raises
    GateError with the reason; what is no reason to refuse stands in the report's warnings.
    """
    try:
        model = FileModel(file)
        _check_signature(model, source_inputs, source_outputs)
        outputs = decode_outputs(run_samples(model, encode_inputs(inputs, model.inputs)), model.outputs)
    except InputError as error:
        raise GateError(f"the written file cannot be used: {error}") from error
    wanted = [np.asarray(array) for array in (expected(inputs) if callable(expected) else expected)]
    _check_shapes(model, outputs, wanted)
    for facts, output, want in zip(model.outputs, outputs, wanted, strict=True):
        _check_values(facts, output, want)
    agreeing = [
        float((output == want).mean()) for output, want in zip(outputs, wanted, strict=True) if want.dtype.kind != "f"
    ]
    counts = stored_numbers(file)
    warnings = [*_check_numbers(scheme, counts), *_check_size(file, source_size_bytes)]
    errors = [np.abs(have.astype(np.float64) - want) for have, want in zip(outputs, wanted, strict=True)]
    ratios = [_sqnr_db(error, want) for error, want in zip(errors, wanted, strict=True) if want.dtype.kind == "f"]
    measured = [ratio for ratio in ratios if ratio is not None]
    least = min(measured, default=None)
    if least is not None:
        warnings += _check_ratio(scheme, least)
    warnings += _check_agreement(scheme, min(agreeing, default=1.0))
    return GateReport(
        samples=len(inputs[0]),
        max_abs_error=float(max((error.max(initial=0.0) for error in errors), default=0.0)),
        sqnr_db=least,
        dtype_counts=counts,
        warnings=tuple(warnings),
    )


def _check_signature(
    model: FileModel, inputs: Sequence[TensorFacts] | None, outputs: Sequence[TensorFacts] | None
) -> None:
    for kind, have, want in (("input", model.inputs, inputs), ("output", model.outputs, outputs)):
        if want is None:
            continue
        names = [_plain(facts.name) for facts in want]
        if extra := [facts.name for facts in have if _plain(facts.name) not in names]:
            raise GateError(
                f"expected the {kind}s {[facts.name for facts in want]}, got {extra} on top: "
                "a constant of the model became an input, or the exporter renamed one."
                if len(have) > len(want)
                else f"expected the {kind}s {[facts.name for facts in want]}, got {[facts.name for facts in have]}."
            )
        if [_plain(facts.name) for facts in have] != names:
            raise GateError(
                f"expected the {kind}s {[facts.name for facts in want]} in this order, "
                f"got {[facts.name for facts in have]}."
            )
        for one, other in zip(have, want, strict=True):
            _check_tensor(kind, one, other)


def _plain(name: str) -> str:
    """A name as TensorFlow's signatures can hold it."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name).lower()


def _check_tensor(kind: str, have: TensorFacts, want: TensorFacts) -> None:
    fits = len(have.shape) == len(want.shape) and all(
        -1 in (a, b) or a == b for a, b in zip(have.shape, want.shape, strict=True)
    )
    if not fits:
        raise GateError(f"expected the {kind} {want.name!r} of shape {list(want.shape)}, got {list(have.shape)}.")
    if have.dtype != want.dtype and have.scale is None:
        raise GateError(f"expected {want.dtype} for the {kind} {want.name!r}, got {have.dtype} without a scale.")


def _check_shapes(model: FileModel, outputs: Sequence[np.ndarray], wanted: Sequence[np.ndarray]) -> None:
    have, want = [list(array.shape) for array in outputs], [list(array.shape) for array in wanted]
    if have != want:
        names = [facts.name for facts in model.outputs]
        raise GateError(f"expected outputs of the shapes {want}, got {have} for {names}.")


def _check_values(facts: TensorFacts, output: np.ndarray, want: np.ndarray) -> None:
    if not np.isfinite(output).all():
        also = " (so does the source)" if not np.isfinite(want).all() else ""
        raise GateError(f"expected numbers from the output {facts.name!r}, got NaN or infinity{also}.")
    if len(output) < 2 or (output != output[0]).any():
        return
    spread = float(np.ptp(want.astype(np.float64), axis=0).max(initial=0.0))
    if spread > _VARIES * float(np.abs(want).max(initial=0.0)):
        step = f", whose step is {facts.scale:.2g}" if facts.scale else ""
        raise GateError(
            f"the output {facts.name!r}{step} is the same for all {len(output)} samples, while the source's varies by "
            f"{spread:.2g}: use int8-dynamic or float16, or end the model before its softmax."
        )


def _check_numbers(scheme: str, counts: dict[str, int]) -> list[str]:
    """Quantization that changed nothing is refused; one that changed little is told."""
    small = SMALL_NUMBERS.get(scheme)
    if small is None:
        return []
    if not counts.get(small):
        stored = ", ".join(f"{number} {dtype}" for dtype, number in counts.items()) or "nothing"
        raise GateError(f"{scheme} changed nothing: expected weights stored as {small}, got {stored}.")
    weights = counts[small] + counts.get("float32", 0)
    if counts[small] < _MOST * weights:
        return [
            f"only {counts[small]:,} of {weights:,} weights are {small}: the quantizer left the other operators as "
            "they were"
        ]
    return []


def _check_size(file: Path, source_size_bytes: int | None) -> list[str]:
    size = file.stat().st_size
    if source_size_bytes is None or size <= source_size_bytes:
        return []
    return [f"larger than the same model in float32: {size:,} against {source_size_bytes:,} bytes"]


def _sqnr_db(error: np.ndarray, want: np.ndarray) -> float | None:
    """None where there is no error. A silent output with an error counts as if it had the least float's power."""
    noise = float(np.square(error).sum())
    if noise == 0.0:
        return None
    signal = max(float(np.square(want.astype(np.float64)).sum()), float(np.finfo(np.float32).tiny))
    return float(10.0 * np.log10(signal / noise))


def _check_ratio(scheme: str, ratio_db: float) -> list[str]:
    if ratio_db < FAIL_BELOW_DB[scheme]:
        raise GateError(
            f"expected outputs like the source's (at least {FAIL_BELOW_DB[scheme]:.0f} dB for {scheme}), "
            f"got {ratio_db:.1f} dB: the file computes something else."
        )
    if ratio_db < WARN_BELOW_DB[scheme]:
        return [f"outputs differ from the source's more than usual for {scheme}: {ratio_db:.1f} dB"]
    return []


def _check_agreement(scheme: str, share: float) -> list[str]:
    if scheme == "float32" and share < _FAIL_BELOW_AGREEING:
        raise GateError(
            f"expected whole-number outputs like the source's, got the same for {share:.0%} of them only: the file "
            "computes something else."
        )
    if share < _WARN_BELOW_AGREEING:
        return [f"{1 - share:.0%} of the whole-number outputs differ from the source's"]
    return []
