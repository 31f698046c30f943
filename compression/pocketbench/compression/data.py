"""The data of a compression: what to train on, what to calibrate with, what to judge by.

A source is a `.npz` file, a folder of images by class, or `python:module.function`; each is described in its file in
`data_sources/`. Data is held in memory as a whole (see `dataset.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import Field

from pocketbench.checked.errors import InputError
from pocketbench.checked.yaml import Strict
from pocketbench.compression.data_sources.images import ValueRange, class_names, read_images
from pocketbench.compression.data_sources.npz import read_npz
from pocketbench.compression.data_sources.python_source import read_python
from pocketbench.compression.dataset import Dataset, RawData, fit_dataset
from pocketbench.compression.manifest import TensorFacts
from pocketbench.compression.python_object import PREFIX

__all__ = ["DataSpec", "check_classes", "load_dataset"]


class DataSpec(Strict):
    """Sources of data. What a recipe needs and is not given makes its variants fail, with that reason."""

    train: str | None = Field(
        default=None, description="For training steps; also calibrates where `calibration` is not given."
    )
    calibration: str | None = Field(default=None, description="Inputs for static quantization; labels are not needed.")
    evaluation: str | None = Field(default=None, description="With labels: what the quality metric is computed on.")
    metric: str = Field(
        default="top-1", description="top-1, top-5 (any k), mean-absolute-error or python:module.function."
    )
    scale: ValueRange = Field(default="0..1", description="Range of the pixel values, for folders of images only.")


def load_dataset(source: str, inputs: Sequence[TensorFacts], *, scale: ValueRange = "0..1") -> Dataset:
    """Read `source` for a model with these inputs.

    Raises InputError where there is nothing, where it cannot be read, or where a shape or dtype does not fit; the
    message names both. A float input takes any float data, an integer input any integers that it can hold.
    """
    return fit_dataset(_read(source, inputs, scale), inputs)


def check_classes(sources: Mapping[str, str]) -> None:
    """Refuse folders of images (by role) of different classes: one name would have different numbers in them."""
    folders = {role: Path(source) for role, source in sources.items() if Path(source).is_dir()}
    found = {role: class_names(folder) for role, folder in folders.items()}
    for role, names in found.items():
        first_role, first = next(iter(found.items()))
        if names != first:
            raise InputError(
                f"expected the same classes in {folders[first_role]} ({first_role}) and {folders[role]} ({role}), got "
                f"{sorted(set(first) ^ set(names))} in one of them only: add the missing sub-folders, empty if need be."
            )


def _read(source: str, inputs: Sequence[TensorFacts], scale: ValueRange) -> RawData:
    if source.startswith(PREFIX):
        return read_python(source, inputs)
    path = Path(source)
    if path.is_dir():
        return read_images(path, inputs, scale)
    if path.suffix == ".npz":
        return read_npz(path)
    found = "another kind of file" if path.exists() else "nothing there"
    raise InputError(
        f"expected a .npz file, a folder of images by class or python:module.function as data, got {source!r}: {found}."
    )
