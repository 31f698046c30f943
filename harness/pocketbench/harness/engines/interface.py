"""The functions of an inference library that the runner calls, and which engine a library is by what it exports."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pocketbench.checked.errors import InputError
from pocketbench.harness.engines.catalogue import DISPLAY_NAMES, ENGINE_NAMES, EngineName

__all__ = ["REQUIRED", "WANTED", "check_functions", "engines_in", "no_engine"]

# What the runner looks up when it loads an engine: LITERT_FUNCTIONS of runner/src/litert_api.h; the rest of ONNX
# Runtime is in a table behind its one function (tests/engines/test_interface.py compares).
REQUIRED: dict[EngineName, tuple[str, ...]] = {
    "litert": (
        "LiteRtCreateEnvironment",
        "LiteRtCreateModelFromFile",
        "LiteRtCreateOptions",
        "LiteRtSetOptionsHardwareAccelerators",
        "LiteRtCreateOpaqueOptions",
        "LiteRtAddOpaqueOptions",
        "LiteRtCreateCompiledModel",
        "LiteRtGetModelSignature",
        "LiteRtGetNumSignatureInputs",
        "LiteRtGetNumSignatureOutputs",
        "LiteRtGetSignatureInputName",
        "LiteRtGetSignatureOutputName",
        "LiteRtGetSignatureInputTensorByIndex",
        "LiteRtGetSignatureOutputTensorByIndex",
        "LiteRtGetRankedTensorType",
        "LiteRtGetQuantizationTypeId",
        "LiteRtGetPerTensorQuantization",
        "LiteRtCompiledModelResizeInputTensor",
        "LiteRtGetCompiledModelOutputTensorLayouts",
        "LiteRtGetCompiledModelInputBufferRequirements",
        "LiteRtGetCompiledModelOutputBufferRequirements",
        "LiteRtCreateManagedTensorBufferFromRequirements",
        "LiteRtGetTensorBufferPackedSize",
        "LiteRtLockTensorBuffer",
        "LiteRtUnlockTensorBuffer",
        "LiteRtRunCompiledModel",
    ),
    "onnxruntime": ("OrtGetApiBase",),
}
# TensorFlow Lite's older C API (tensorflow/lite/c/c_api.h), which the runner does not speak.
_CLASSIC = ("TfLiteInterpreterCreate", "TfLiteModelCreate", "TfLiteModelCreateFromFile")
WANTED = frozenset((*REQUIRED["litert"], *REQUIRED["onnxruntime"], *_CLASSIC))
_SHOWN = 5


def engines_in(exports: Collection[str]) -> list[EngineName]:
    """The engines of which a library that exports `exports` has at least one function."""
    return [name for name in ENGINE_NAMES if any(function in exports for function in REQUIRED[name])]


def check_functions(name: EngineName, exports: Collection[str], library: str) -> None:
    """InputError unless `exports` has all that the runner calls of the engine `name`."""
    missing = [function for function in REQUIRED[name] if function not in exports]
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise InputError(
            f"expected the functions that the runner calls of {DISPLAY_NAMES[name]}, got {library!r} without "
            f"{', '.join(missing[:_SHOWN])}{more}: take a newer build."
        )


def no_engine(name: EngineName | None, exports_of: Mapping[str, Collection[str]]) -> InputError:
    """What to say of libraries, each with what it exports, of which none is the engine `name`, or any if None."""
    classic = [library for library, exports in exports_of.items() if any(one in exports for one in _CLASSIC)]
    if classic and name != "onnxruntime":
        return InputError(
            f"expected LiteRT's own C API ({REQUIRED['litert'][-1]} and others), got {classic[0]!r}, which has only "
            "the older one of TensorFlow Lite (TfLite...): take libLiteRt.so, which is in the .aar and in the wheel of "
            "LiteRT."
        )
    wanted = " or ".join(f"{REQUIRED[one][-1]} ({DISPLAY_NAMES[one]})" for one in ([name] if name else ENGINE_NAMES))
    got = ", ".join(map(repr, sorted(exports_of)))
    return InputError(f"expected a library that exports {wanted}, got {got} without: is it another engine's?")
