"""Read the model that the user brings, and say what it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import onnx

from pocketbench.checked.errors import InputError
from pocketbench.compression.exporters.signature import input_names, output_names
from pocketbench.compression.manifest import TensorFacts
from pocketbench.compression.model_files import check_model_file, model_sha256, read_onnx
from pocketbench.compression.tensorflow import import_keras

__all__ = ["SourceModel", "inspect_model", "load_keras"]

# Numbers of fewer bits, which the exporters' float32 graphs do not have.
_SMALL_FLOATS = ("float16", "bfloat16", "float64")


@dataclass(frozen=True, slots=True)
class SourceModel:
    """The user's model. `parameters` counts stored numbers; shapes have -1 for an open dimension."""

    path: Path
    source: Literal["keras", "onnx"]
    sha256: str
    parameters: int
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]


def inspect_model(path: Path) -> SourceModel:
    """Facts of the model in `path`; raises InputError where it cannot be read, before anything is written.

    A Keras model needs TensorFlow, an ONNX model does not.
    """
    source = check_model_file(path)
    if source == "keras":
        return _inspect_keras(path)
    return _inspect_onnx(path)


def load_keras(path: Path) -> Any:
    """The Keras model in `path`, all of it in float32, in a session whose names do not depend on what ran before.

    No code from the file is run. Raises InputError where Keras cannot read it.
    """
    check_model_file(path)
    keras = import_keras()
    keras.backend.clear_session()
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    # Keras raises TypeError, ValueError, KeyError, OSError or RuntimeError, by what it stumbles over.
    except Exception as error:
        raise InputError(_unreadable(path, error)) from error
    if not getattr(model, "inputs", None) or not model.built:
        raise InputError(
            f"expected a model with known inputs in {path}, got {type(model).__name__} that was never built: "
            "give it an Input layer, or call it once before saving."
        )
    return _in_float32(model, path)


def _inspect_keras(path: Path) -> SourceModel:
    model = load_keras(path)
    for tensor, name in zip(model.inputs, input_names(model), strict=True):
        if None in tensor.shape[1:]:
            raise InputError(
                f"expected every dimension of the input {name!r} but the batch to be fixed in {path}, got "
                f"{tuple(tensor.shape)}: build the model with a fixed input shape and load its weights into it."
            )
    inputs = zip(model.inputs, input_names(model), strict=True)
    outputs = zip(model.outputs, output_names(model), strict=True)
    return SourceModel(
        path=path,
        source="keras",
        sha256=model_sha256(path),
        parameters=model.count_params(),
        inputs=tuple(_keras_facts(tensor, name) for tensor, name in inputs),
        outputs=tuple(_keras_facts(tensor, name) for tensor, name in outputs),
    )


def _keras_facts(tensor: Any, name: str) -> TensorFacts:
    shape = tuple(-1 if size is None else int(size) for size in tensor.shape)
    return TensorFacts(name=name, shape=shape, dtype=str(tensor.dtype))


def _unreadable(path: Path, error: Exception) -> str:
    words = " ".join(str(error).split())
    if "Could not locate" in words or "Unknown layer" in words or "custom_objects" in words:
        return (
            f"expected only layers that Keras itself has in {path}, got one of your own: {words[:200]}… "
            "Build the model from Keras' layers, or export it to .onnx where your classes are defined."
        )
    return f"expected a Keras 3 model in {path}, got what Keras refuses: {words[:300]}"


def _in_float32(model: Any, path: Path) -> Any:
    """A copy with float32 policies where layers compute in another float; the variables keep their values.

    TensorFlow's converter has no operators for mixed_float16 ("'tf.Conv2D' op is neither a custom op nor a flex op").
    """
    policies = {layer.dtype_policy.name for layer in model._flatten_layers()}
    if quantized := sorted(name for name in policies if "_from_" in name):
        raise InputError(
            f"expected a model of floats in {path}, got one that Keras quantized ({quantized[0]}), which no exporter "
            "can write: give the model from before `model.quantize`."
        )
    if not any(small in name for name in policies for small in _SMALL_FLOATS):
        return model
    config = _replace_policies(model.get_config())
    try:
        copy = type(model).from_config(config)
        copy.set_weights([weight.astype("float32") for weight in model.get_weights()])
    # What a layer's from_config raises is the layer's choice.
    except Exception as error:
        raise InputError(
            f"expected a model that can be rebuilt in float32 in {path}, got {sorted(policies)}: "
            f"{' '.join(str(error).split())[:200]}"
        ) from error
    return copy


def _replace_policies(config: Any) -> Any:
    if isinstance(config, dict):
        policy = config.get("class_name") == "DTypePolicy"
        return {
            key: {"name": "float32"} if policy and key == "config"
            else "float32" if key == "dtype" and _is_small(value)
            else _replace_policies(value)
            for key, value in config.items()
        }  # fmt: skip
    if isinstance(config, list | tuple):
        return type(config)(_replace_policies(value) for value in config)
    return config


def _is_small(dtype: Any) -> bool:
    return isinstance(dtype, str) and dtype.removeprefix("mixed_") in _SMALL_FLOATS


def _inspect_onnx(path: Path) -> SourceModel:
    model = read_onnx(path)
    graph = model.graph
    stored = {tensor.name for tensor in graph.initializer}
    if all(value.name in stored for value in graph.input):
        raise InputError(f"expected a model with at least one input in {path}, got none: its outputs never change.")
    return SourceModel(
        path=path,
        source="onnx",
        sha256=model_sha256(path),
        parameters=sum(math.prod(tensor.dims) for tensor in graph.initializer),
        inputs=tuple(_onnx_facts(value, path) for value in graph.input if value.name not in stored),
        outputs=tuple(_onnx_facts(value, path) for value in graph.output),
    )


def _onnx_facts(value: onnx.ValueInfoProto, path: Path) -> TensorFacts:
    if not value.type.HasField("tensor_type"):
        raise InputError(
            f"expected tensors as inputs and outputs of {path}, got {value.type.WhichOneof('value')} "
            f"for {value.name!r}."
        )
    tensor = value.type.tensor_type
    shape = tuple(
        int(size.dim_value) if size.HasField("dim_value") and size.dim_value > 0 else -1 for size in tensor.shape.dim
    )
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
    return TensorFacts(name=value.name, shape=shape, dtype=dtype)
