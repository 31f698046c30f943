"""Tensor files: the arrays that go to the runner and come back. `src/tensor_file.h` has the format.

A file that comes from a device is untrusted: its size must be exactly what its headers say before anything is read.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pocketbench.checked.errors import InputError, PocketbenchError

__all__ = ["DTYPES", "TensorFileError", "numpy_dtype", "read_tensors", "write_tensors"]

DTYPES = (
    *("bfloat16", "bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64"),
)
_MAGIC = b"PBTENSOR"
_VERSION = 1
_MAX_TENSORS = 4096
_MAX_RANK = 17  # 16 of the tensor and the runs
_MAX_SHAPE_BYTES = 2**63 - 1  # as the runner


class TensorFileError(PocketbenchError):
    """The bytes are no tensor file, or a truncated one."""


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The numpy dtype of a tensor's dtype name; `bfloat16` needs the package ml_dtypes, which onnx brings."""
    if name not in DTYPES:
        raise InputError(f"expected one of the dtypes {', '.join(DTYPES)}, got {name!r}.")
    if name == "bfloat16":
        try:
            import ml_dtypes
        except ImportError:
            raise InputError("expected the package 'ml_dtypes' for bfloat16: run `pip install ml_dtypes`.") from None
        bfloat16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return bfloat16
    return np.dtype(name)


def write_tensors(path: Path, arrays: Sequence[np.ndarray]) -> None:
    """Write arrays whose first dimension counts the runs; all must have the same number of them."""
    runs = {array.shape[0] if array.ndim else None for array in arrays}
    if len(runs) != 1 or None in runs or runs == {0}:
        raise InputError(
            f"expected arrays with the same number of samples, at least 1, in their first dimension, "
            f"got the shapes {[array.shape for array in arrays]}."
        )
    if len(arrays) > _MAX_TENSORS or max(array.ndim for array in arrays) > _MAX_RANK:
        raise InputError(
            f"expected at most {_MAX_TENSORS} arrays of at most {_MAX_RANK} dimensions, "
            f"got {len(arrays)} with up to {max(array.ndim for array in arrays)}."
        )
    with path.open("wb") as stream:
        stream.write(_MAGIC + struct.pack("<II", _VERSION, len(arrays)))
        for array in arrays:
            name = array.dtype.name
            numpy_dtype(name)  # refuses what the runner does not know
            stream.write(name.encode("ascii").ljust(16, b"\0") + struct.pack("<II", array.ndim, 0))
            stream.write(struct.pack(f"<{array.ndim}q", *array.shape))
            little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
            stream.write(little.tobytes())


def read_tensors(path: Path) -> list[np.ndarray]:
    """Read all arrays of a tensor file; raise TensorFileError for anything but a complete one."""
    with path.open("rb") as stream:
        size = path.stat().st_size
        if _take(stream, 8) != _MAGIC:
            raise TensorFileError(f"expected a tensor file, got other bytes in {path}.")
        version, count = struct.unpack("<II", _take(stream, 8))
        if version != _VERSION or not 1 <= count <= _MAX_TENSORS:
            raise TensorFileError(
                f"expected a tensor file of version {_VERSION} with 1 to {_MAX_TENSORS} tensors, "
                f"got version {version} with {count} in {path}."
            )
        arrays = [_read_one(stream, size) for _ in range(count)]
        if stream.tell() != size:
            raise TensorFileError(f"expected {stream.tell()} bytes in the tensor file {path}, got {size}.")
        if len({array.shape[0] for array in arrays}) != 1:
            raise TensorFileError(f"expected the same number of runs for all tensors in {path}, got others.")
    return arrays


def _take(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise TensorFileError(f"expected {count} more bytes in a tensor file, got {len(data)}: it is truncated.")
    return data


def _read_one(stream: BinaryIO, size: int) -> np.ndarray:
    name = _take(stream, 16).rstrip(b"\0").decode("ascii", errors="replace")
    rank, zero = struct.unpack("<II", _take(stream, 8))
    if name not in DTYPES or not 1 <= rank <= _MAX_RANK or zero != 0:
        raise TensorFileError(f"expected a known dtype and a rank of 1 to {_MAX_RANK}, got {name!r} and {rank}.")
    shape = struct.unpack(f"<{rank}q", _take(stream, 8 * rank))
    dtype = numpy_dtype(name).newbyteorder("<")
    # Python's integers do not overflow, whatever the header says.
    wanted = math.prod(shape) * dtype.itemsize
    if shape[0] < 1 or min(shape) < 0 or wanted > size - stream.tell():
        raise TensorFileError(f"expected {wanted} bytes for a tensor of shape {shape}, got a truncated file.")
    # An empty tensor may have other dimensions of any size: more elements than numpy can count.
    if math.prod(max(length, 1) for length in shape) * dtype.itemsize > _MAX_SHAPE_BYTES:
        raise TensorFileError(f"expected a possible shape in a tensor file, got {shape}.")
    data = _take(stream, wanted)
    if name == "bool":  # a byte other than 0 and 1 would be a broken numpy bool
        array: np.ndarray = np.frombuffer(data, np.uint8) != 0
    else:
        array = np.frombuffer(data, dtype).astype(numpy_dtype(name), copy=True)
    return array.reshape(shape)
