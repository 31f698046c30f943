"""The one door to TensorFlow: quiet, on the CPU, and with a sentence where it is not installed."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from pocketbench.checked.errors import MissingExtraError

__all__ = ["EXTRAS", "import_keras", "import_tensorflow", "import_tf2onnx"]

EXTRAS = ("tensorflow-cpu", "tensorflow")
# Read by TensorFlow when it is first imported: errors only, and no GPU, since a variant must not depend on whether
# the computer that made it has one. What the user has set stays.
_ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}


def import_tensorflow() -> ModuleType:
    """Import TensorFlow (5 s, 400 MB) or raise MissingExtraError."""
    return _import("tensorflow", "reading or exporting a Keras model")


def import_keras() -> ModuleType:
    """Import Keras 3 on the TensorFlow backend or raise MissingExtraError."""
    import_tensorflow()
    return _import("keras", "reading a Keras model")


def import_tf2onnx() -> ModuleType:
    """Import tf2onnx or raise MissingExtraError."""
    import_tensorflow()
    return _import("tf2onnx", "exporting a Keras model to ONNX")


def _import(package: str, purpose: str) -> ModuleType:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise MissingExtraError(package, purpose, EXTRAS) from None
