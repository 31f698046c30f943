"""What can go wrong on the way from a model to a variant's file. Each becomes a failed variant with its reason.

PocketbenchError                 exit 1
└── ConversionError              a file could not be made from a model that was read without complaint
    ├── ExportError              the model could not be written as float32 .tflite or .onnx
    ├── QuantizationError        the file cannot be quantized as asked; the message says why and what to do instead
    └── GateError                a file was written, and it is not what it should be

A model that cannot be read at all is an InputError (pocketbench.checked.errors): nothing was written yet.
"""

from __future__ import annotations

from pocketbench.checked.errors import PocketbenchError

__all__ = ["ConversionError", "ExportError", "GateError", "QuantizationError"]


class ConversionError(PocketbenchError):
    """A file could not be made from the model."""


class ExportError(ConversionError):
    """The model could not be written as a float32 file."""


class QuantizationError(ConversionError):
    """The file cannot be quantized as asked."""


class GateError(ConversionError):
    """The written file does not load, does not run, or does not do what its source does."""
