"""A NumPy archive: `np.savez("train.npz", x=images, y=labels)`, or a key per input of the model's names.

The key `y` (or `labels`) holds the labels: class ids (N,), one-hot rows (N, classes) or target values.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from pocketbench.checked.errors import InputError
from pocketbench.compression.dataset import LABEL_KEYS, RawData

__all__ = ["read_npz"]


def read_npz(path: Path) -> RawData:
    """Read every array of the archive; raise InputError where it is missing, damaged or holds Python objects."""
    try:
        with path.open("rb") as stream:  # given a path, NumPy leaves a damaged archive open
            archive = np.load(stream, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise InputError(f"expected a .npz archive with keys, got a single array in {path}: use numpy.savez.")
            arrays = {name: archive[name] for name in archive.files}
    except OSError as error:
        raise InputError(f"expected a readable .npz file, got {path}: {error.strerror or error}.") from error
    # ValueError: no archive at all, or pickled objects, which could run code when they are read. The others by what is
    # damaged: the archive, its compressed bytes, or the header of an array.
    except (ValueError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, NotImplementedError) as error:
        raise InputError(
            f"expected a .npz file of plain arrays, got {path}, which cannot be read ({error}): use numpy.savez."
        ) from error
    labels = next((arrays.pop(key) for key in LABEL_KEYS if key in arrays), None)
    return RawData(str(path), arrays, labels)
