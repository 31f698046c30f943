"""A folder of images by class:

    images/cat/001.jpg      the classes are the names of the sub-folders, sorted: cat is 0, dog is 1
    images/dog/7.png        (an empty sub-folder keeps its number)

Images are resized (bilinear) to the model's height and width and laid out as its input wants them, channels last
(NHWC) or first (NCHW), as grayscale, RGB or RGBA by its number of channels. For a float input, `scale` names the range
of the values: "0..1" (default), "-1..1" or "0..255"; an unsigned 8-bit input gets the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pocketbench.checked.errors import InputError
from pocketbench.compression.dataset import RawData
from pocketbench.compression.manifest import TensorFacts

__all__ = ["SUFFIXES", "ValueRange", "class_names", "read_images"]

ValueRange = Literal["0..1", "-1..1", "0..255"]
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def read_images(folder: Path, facts: Sequence[TensorFacts], scale: ValueRange) -> RawData:
    """Read every image below `folder` for a model with one image input; raise InputError where that cannot be."""
    if len(facts) != 1:
        raise InputError(
            f"expected a model with one input for the folder of images {folder}, got {len(facts)}: use .npz data."
        )
    height, width, channels, channels_first = _layout(folder, facts[0])
    files = _files(folder)
    names = class_names(folder)
    pixels = np.stack([_pixels(path, height, width, _MODES[channels]) for path in files])
    if channels_first:
        pixels = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
    labels = np.array([names.index(path.parent.name) for path in files], np.int64)
    return RawData(str(folder), [_scaled(pixels, facts[0], scale)], labels)


def class_names(folder: Path) -> list[str]:
    """The names of the classes; their place is the number that stands in the labels."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _layout(folder: Path, fact: TensorFacts) -> tuple[int, int, int, bool]:
    """Height, width, channels, and whether the channels come first."""
    shape = fact.shape[1:]
    if len(shape) == 3:
        last, first = shape[2] in _MODES, shape[0] in _MODES
        height, width = shape[:2] if last else shape[1:]
        if (last or first) and height > 0 and width > 0:
            return height, width, shape[2] if last else shape[0], not last
    raise InputError(
        f"expected an image input (height, width, channels) or (channels, height, width) of fixed size with 1, 3 or 4 "
        f"channels for the folder {folder}, got {shape} for the model's input {fact.name!r}: use .npz data."
    )


def _files(folder: Path) -> list[Path]:
    files = sorted(
        path
        for name in class_names(folder)
        for path in (folder / name).iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
    if not files:
        raise InputError(
            f"expected images in a sub-folder per class below {folder} (such as {folder / 'cat' / '001.jpg'}), "
            f"got no file ending in {', '.join(SUFFIXES)}."
        )
    return files


def _pixels(path: Path, height: int, width: int, mode: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if image.mode.startswith(("I", "F")):  # converted to 8 bits, everything over 255 would be white
                raise InputError(f"expected 8 bits per channel in the image {path}, got the mode {image.mode!r}.")
            resized = image.convert(mode).resize((width, height), Image.Resampling.BILINEAR)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError) as error:
        raise InputError(f"expected an image that can be read, got {path}: {error}: remove or replace it.") from error
    return np.asarray(resized, np.uint8).reshape(height, width, len(resized.getbands()))


def _scaled(pixels: np.ndarray[Any, np.dtype[np.uint8]], fact: TensorFacts, scale: ValueRange) -> np.ndarray[Any, Any]:
    if fact.dtype == "uint8" and fact.scale is None:
        return pixels
    values = pixels.astype(np.float32)
    if scale == "0..1":
        return values / np.float32(255.0)
    if scale == "-1..1":
        return values / np.float32(127.5) - np.float32(1.0)
    return values
