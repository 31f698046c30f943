"""Float32 .tflite → fewer bits, by LiteRT's own quantizer.

Scheme          weights                     activations and inputs/outputs
float16         float16                     float32 (a DEQUANTIZE before each use, folded when the engine loads)
int8-dynamic    int8, per channel           float32, quantized on the fly by the engine
int8            int8, per channel           int8, from calibration
int16x8         int8, per channel           int16, from calibration

Ranges are the true minimum and maximum over the calibration samples. The quantizer's default, a moving average with
a factor of 0.95, forgets the extremes and clips them: on a small transformer it was off by 0.31 instead of 0.014.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pocketbench.checked.errors import InputError, MissingExtraError, PocketbenchError
from pocketbench.compression.errors import QuantizationError
from pocketbench.compression.files import write_file
from pocketbench.compression.quantizers.schemes import STATIC_SCHEMES, calibration_samples, check_scheme
from pocketbench.compression.reference import FileModel
from pocketbench.compression.tensorflow import EXTRAS

__all__ = ["quantize_tflite"]


def quantize_tflite(
    source: Path, target: Path, scheme: str, calibration: Sequence[np.ndarray] | None = None
) -> dict[str, Any]:
    """Write the float32 `source` under `scheme` to `target`; returns figures for the step's report.

    `calibration` holds one array (N, shape of one sample) per input, for the static schemes. The same input gives
    the same bytes. Raises QuantizationError where the model has no such form.
    """
    check_scheme(scheme)
    model = FileModel(source)
    details: dict[str, Any] = {"scheme": scheme, "quantizer": "litert-quantizer"}
    samples = []
    if scheme in STATIC_SCHEMES:
        samples = calibration_samples(calibration, model.inputs, scheme)
        details |= {"calibration_samples": len(samples), "calibration_method": "minimum and maximum"}
    named = [{facts.name: array for facts, array in zip(model.inputs, one, strict=True)} for one in samples]
    _import_quantizer()
    try:
        with _quiet():
            write_file(target, _quantized(source, _RECIPES[scheme](), named))
            if named and not _loads(target):
                write_file(target, _quantized(source, _without_split(_RECIPES[scheme]()), named))
                details["left_in_float32"] = ["SPLIT"]
    # By operator, the quantizer raises ValueError, RuntimeError, KeyError, NotImplementedError, AssertionError, …
    except Exception as error:
        if isinstance(error, PocketbenchError):
            raise
        raise QuantizationError(_reason(scheme, error)) from error
    return details


def _quantized(source: Path, recipe: Any, samples: list[dict[str, np.ndarray]]) -> bytes:
    quantizer = _import_quantizer().Quantizer(str(source))
    quantizer.load_quantization_recipe(recipe)
    ranges = _observe_ranges(source, quantizer.get_quantization_recipe(), samples) if samples else None
    result = quantizer.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    return bytes(result.quantized_model)


def _loads(file: Path) -> bool:
    try:
        FileModel(file)
    except InputError:
        return False
    return True


def _without_split(recipe: Any) -> Any:
    """LiteRT 2.3 refuses the int8 SPLIT that unrolled GRU and LSTM layers are full of ("failed to prepare")."""
    from litert_quantizer import algorithm_manager, qtyping, recipe_manager

    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(recipe)
    manager.add_quantization_config(
        regex=".*",
        operation_name=qtyping.TFLOperationName.SPLIT,
        algorithm_key=algorithm_manager.AlgorithmName.NO_QUANTIZE,
    )
    return manager.get_quantization_recipe()


def _observe_ranges(source: Path, recipe: Any, samples: list[dict[str, np.ndarray]]) -> dict[str, Any]:
    """Name of a tensor → its range over `samples`."""
    try:
        return _run_calibrator(source, recipe, samples, delegate=True)
    except ValueError as error:
        if _NULL_TENSOR not in str(error):
            raise
    # XNNPACK does not write a tensor that nothing reads (the last gate's share of an unrolled GRU), and the calibrator
    # stumbles over it. The plain kernels write all; inside of loops they have nothing to show either.
    return _run_calibrator(source, recipe, samples, delegate=False)


def _run_calibrator(
    source: Path, recipe: Any, samples: list[dict[str, np.ndarray]], *, delegate: bool
) -> dict[str, Any]:
    from litert_quantizer import calibrator, recipe_manager
    from litert_quantizer.utils import qsv_utils, tfl_interpreter_utils

    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(recipe)
    observer = calibrator.Calibrator(str(source), num_threads=1, qsv_update_func=qsv_utils.min_max_update)
    if not delegate:
        observer._tfl_interpreter = tfl_interpreter_utils.create_tfl_interpreter(
            str(source), use_xnnpack=False, num_threads=1
        )
    (signature,) = observer.get_signature_list()
    observer.calibrate({signature: samples}, manager)
    ranges: dict[str, Any] = observer.get_model_qsvs()
    return ranges


def _float16() -> Any:
    from litert_quantizer import algorithm_manager, qtyping, recipe_manager

    manager = recipe_manager.RecipeManager()
    manager.add_quantization_config(
        regex=".*",
        operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
        op_config=qtyping.OpQuantizationConfig(
            weight_tensor_config=qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT),
            compute_precision=qtyping.ComputePrecision.FLOAT,
            explicit_dequantize=True,
        ),
        algorithm_key=algorithm_manager.AlgorithmName.FLOAT_CASTING,
    )
    return manager.get_quantization_recipe()


def _named_recipe(name: str) -> Callable[[], Any]:
    def make() -> Any:
        from litert_quantizer import recipe

        return getattr(recipe, name)()

    return make


_RECIPES: dict[str, Callable[[], Any]] = {
    "float16": _float16,
    "int16x8": _named_recipe("static_wi8_ai16"),
    "int8": _named_recipe("static_wi8_ai8"),
    "int8-dynamic": _named_recipe("dynamic_wi8_afp32"),
}

_NULL_TENSOR = "Tensor data is null"
# What the quantizer says → what it means and what helps. Looked for in order.
_KNOWN_REASONS = {
    _NULL_TENSOR: (
        "the model loops over time steps (a GRU or LSTM), and ranges inside a loop cannot be observed: "
        "use int8-dynamic or float16, or build the layer with unroll=True"
    ),
}


def _reason(scheme: str, error: Exception) -> str:
    words = " ".join(str(error).split())[:400] or type(error).__name__
    for sign, meaning in _KNOWN_REASONS.items():
        if sign in words:
            return f"LiteRT's quantizer cannot make {scheme}: {meaning}."
    return f"LiteRT's quantizer cannot make {scheme}: {words}"


def _import_quantizer() -> Any:
    try:
        from litert_quantizer import quantizer
    except ModuleNotFoundError as error:
        if error.name != "litert_quantizer":
            raise
        raise MissingExtraError("litert-quantizer", "quantizing a .tflite", EXTRAS) from None
    return quantizer


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The calibrator draws a progress bar and warns of the memory that keeping all tensors takes."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield
