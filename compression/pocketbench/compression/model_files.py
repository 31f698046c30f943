"""What can be said about a model's file without TensorFlow: its kind, and whether it is whole.

Every complaint is one InputError sentence, raised before anything is written.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any, Literal

import onnx
from google.protobuf.message import DecodeError

from pocketbench.checked.errors import InputError
from pocketbench.compression.exporters.onnx_repair import graphs_of
from pocketbench.compression.manifest import sha256_of

__all__ = [
    "MAX_IR_VERSION",
    "MAX_OPSET",
    "MIN_OPSET",
    "check_model_file",
    "external_files",
    "model_format",
    "model_sha256",
    "read_onnx",
]

# The newest that the oldest engine of the catalogue reads (ONNX Runtime 1.28.2, tried); it refuses IR 14, opset 27.
MAX_IR_VERSION = 13
MAX_OPSET = 26
# ONNX Runtime promises to run models from this operator set on.
MIN_OPSET = 7
# Operator sets that ONNX Runtime's CPU build has beside ONNX' own.
_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"})
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_KERAS_MEMBERS = ("config.json", "model.weights.h5")


def model_format(path: Path) -> Literal["tflite", "onnx"]:
    """Format of a deployable file, by its name's ending."""
    suffix = path.suffix.lower()
    if suffix == ".tflite":
        return "tflite"
    if suffix == ".onnx":
        return "onnx"
    raise InputError(f"expected a file that ends in .tflite or .onnx, got {path.name!r}.")


def check_model_file(path: Path) -> Literal["keras", "onnx"]:
    """What kind of model `path` is; raises InputError where it is missing, damaged or of another kind."""
    if path.is_dir():
        if (path / "saved_model.pb").is_file():
            raise InputError(
                f"expected a .keras, .h5 or .onnx file, got the SavedModel folder {path}, which Keras 3 cannot load as "
                "a model: save it with `model.save('model.keras')` where it was made."
            )
        raise InputError(f"expected a .keras, .h5 or .onnx file, got the folder {path}.")
    if not path.is_file():
        raise InputError(f"expected a model file, got {path}, which does not exist.")
    suffix = path.suffix.lower()
    if suffix == ".keras":
        _check_keras_archive(path)
    elif suffix in (".h5", ".hdf5"):
        _check_hdf5(path)
    elif suffix == ".onnx":
        read_onnx(path)
        return "onnx"
    elif suffix == ".tflite":
        raise InputError(
            f"expected a model to compress (.keras, .h5 or .onnx), got the finished variant {path.name!r}: "
            "measure it as it is with `pocketbench bench`, or give the model that it was made from."
        )
    else:
        raise InputError(f"expected a file that ends in .keras, .h5 or .onnx, got {path.name!r}.")
    return "keras"


def model_sha256(path: Path) -> str:
    """Hex sha256 of the model's file; where its weights lie in files beside it, a sha256 over all their hashes."""
    own = sha256_of(path)
    places = external_files(path) if path.suffix.lower() == ".onnx" else []
    if not places:
        return own
    lines = [own, *(f"{place} {sha256_of(path.parent / place)}" for place in places)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def external_files(path: Path) -> list[str]:
    """Names of the files beside an ONNX model that hold some of its weights, sorted."""
    model = onnx.load(path, load_external_data=False)
    return sorted(
        {
            entry.value
            for graph in graphs_of(model.graph)
            for tensor in (*graph.initializer, *(part.t for node in graph.node for part in node.attribute))
            for entry in tensor.external_data
            if entry.key == "location"
        }
    )


def read_onnx(path: Path) -> onnx.ModelProto:
    """The model in `path` with all its weights; raises InputError where an engine could not take it."""
    try:
        model = onnx.load(path)
    except (DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"expected an ONNX model in {path}, got bytes that are none: is the file whole?") from error
    except onnx.checker.ValidationError as error:  # external data that is missing, short or outside of the folder
        raise InputError(
            f"expected {path.name} with its external data files beside it, got: {_one_line(error)}"
        ) from error
    except OSError as error:
        raise InputError(
            f"expected a readable ONNX model, got {path}: {error.strerror or _one_line(error)}."
        ) from error
    if not model.graph.node or not model.graph.output:
        raise InputError(f"expected an ONNX model in {path}, got one without nodes: is the file whole?")
    _check_versions(model, path)
    return model


def _check_versions(model: onnx.ModelProto, path: Path) -> None:
    unknown = sorted({entry.domain for entry in model.opset_import} - _DOMAINS)
    used = {node.domain for node in model.graph.node}
    if foreign := [domain for domain in unknown if domain in used]:
        raise InputError(f"expected operators of ONNX or ONNX Runtime in {path}, got the operator sets {foreign}.")
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if len(versions) != 1:
        raise InputError(f"expected one version of ONNX' operator set in {path}, got {versions}.")
    if not MIN_OPSET <= versions[0] <= MAX_OPSET:
        raise InputError(
            f"expected an operator set from {MIN_OPSET} to {MAX_OPSET} in {path}, got {versions[0]}: "
            "export the model with opset 17."
        )
    if model.ir_version > MAX_IR_VERSION:
        raise InputError(
            f"expected an IR version up to {MAX_IR_VERSION} in {path}, got {model.ir_version}: "
            "export the model with opset 17, or lower `ir_version` before saving."
        )


def _check_keras_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if missing := [name for name in _KERAS_MEMBERS if name not in names]:
                raise InputError(f"expected a Keras 3 model in {path}, got an archive without {missing[0]}.")
            if damaged := archive.testzip():
                raise InputError(f"expected a whole Keras 3 model in {path}, got damaged bytes in {damaged}.")
            config = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, EOFError) as error:
        raise InputError(
            f"expected a Keras 3 model (a zip archive) in {path}, got something else ({error}): is the file whole?"
        ) from error
    except ValueError as error:
        raise InputError(f"expected JSON in config.json of {path}, got something else ({error}).") from error
    _check_layers(config, path)


def _check_hdf5(path: Path) -> None:
    with path.open("rb") as stream:
        start = stream.read(len(_HDF5_SIGNATURE))
    if start != _HDF5_SIGNATURE:
        raise InputError(f"expected a Keras model as HDF5 in {path}, got bytes that are none: is the file whole?")
    try:
        import h5py
    except ModuleNotFoundError:
        return  # it comes with Keras, and so does the sentence that asks for it
    try:
        with h5py.File(path) as file:
            config = file.attrs.get("model_config")
    except OSError as error:
        raise InputError(f"expected a whole HDF5 file, got {path}: {_one_line(error)}.") from error
    if config is None:
        raise InputError(
            f"expected a whole model in {path}, got weights alone: save it with `model.save('model.keras')`."
        )
    _check_layers(json.loads(config), path)


def _check_layers(config: Any, path: Path) -> None:
    """Refuse what Keras would refuse later in many more words: code in the file."""
    if lambdas := sorted(_lambda_layers(config)):
        raise InputError(
            f"expected layers without Python code in {path}, got the Lambda layers {lambdas}: loading them would run "
            "whatever the file holds; write them as keras.ops calls or as registered layers."
        )


def _lambda_layers(config: Any) -> set[str]:
    if isinstance(config, list):
        return {name for part in config for name in _lambda_layers(part)}
    if not isinstance(config, dict):
        return set()
    found = {name for part in config.values() for name in _lambda_layers(part)}
    if config.get("class_name") == "Lambda":
        inner = config.get("config")
        found.add(str(inner.get("name")) if isinstance(inner, dict) else "Lambda")
    return found


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
