"""The loss that a saved Keras model was compiled with: what it is trained further with where a recipe names none.

The model itself is loaded without its optimizer and metrics, and no code from the file is run: only losses that Keras
itself has are taken.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from pocketbench.checked.errors import InputError
from pocketbench.compression.tensorflow import import_keras

__all__ = ["saved_loss"]


def saved_loss(path: Path) -> Any:
    """The loss (or a list or dict of them) that the model in `path` was compiled with; None where it was not compiled.

    Raises InputError for a loss that is not one of Keras' own.
    """
    config = _h5_config(path) if path.suffix.lower() in (".h5", ".hdf5") else _keras_config(path)
    return _loss(config.get("loss"), path)


def _keras_config(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json")).get("compile_config")
    return config if isinstance(config, dict) else {}


def _h5_config(path: Path) -> dict[str, Any]:
    import h5py

    with h5py.File(path) as file:
        text = file.attrs.get("training_config")
    config = json.loads(text) if text else None
    return config if isinstance(config, dict) else {}


def _loss(saved: Any, path: Path) -> Any:
    if saved is None:
        return None
    if isinstance(saved, list):
        return [_loss(part, path) for part in saved]
    if isinstance(saved, dict) and "class_name" not in saved:
        return {name: _loss(part, path) for name, part in saved.items()}
    if isinstance(saved, dict) and saved["class_name"] == "function":  # keras.losses.mse, by its name
        saved = saved.get("config")
    if isinstance(saved, dict) and not str(saved.get("module", "keras.losses")).startswith("keras."):
        raise InputError(_refusal(path, f"{saved['class_name']!r} of the module {saved['module']!r}"))
    try:
        return import_keras().losses.get(saved)
    # What Keras raises for a loss that it does not know depends on how it was saved.
    except (ImportError, KeyError, TypeError, ValueError) as error:
        raise InputError(_refusal(path, " ".join(str(error).split())[:200])) from error


def _refusal(path: Path, got: str) -> str:
    return (
        f"expected {path.name} to be compiled with a loss of Keras' own, got another ({got}): name the step's `loss` "
        "in the recipe, such as `loss: mse`."
    )
