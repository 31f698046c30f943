"""Float32 .onnx files: from a Keras 3 model, or from an .onnx file that the user brings."""

from __future__ import annotations

import contextlib
import importlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from pocketbench.compression.errors import ExportError
from pocketbench.compression.exporters.onnx_names import tidy_model
from pocketbench.compression.exporters.onnx_recurrent import recurrent_layers_as_one_node
from pocketbench.compression.exporters.onnx_repair import (
    leaked_inputs_to_initializers,
    name_outputs,
    replace_erfc,
)
from pocketbench.compression.exporters.signature import batch_of_one, call_model, input_names, output_names
from pocketbench.compression.files import write_file
from pocketbench.compression.model_files import read_onnx
from pocketbench.compression.tensorflow import import_tensorflow, import_tf2onnx

__all__ = ["OPSET", "export_onnx", "normalise_onnx"]

# The highest that tf2onnx 1.17 writes without gaps; engines from 2022 on read it (IR version 8).
OPSET = 17


def export_onnx(model: Any, target: Path) -> None:
    """Write the Keras `model` to `target` as float32 .onnx, batch 1, inputs and outputs named as in Keras.

    The same model gives the same bytes. Raises ExportError where the graph has no ONNX form.
    """
    tf = import_tensorflow()
    tf2onnx = import_tf2onnx()
    signature = batch_of_one(model)
    try:
        with _quiet(), recurrent_layers_as_one_node(model) as handlers:
            function = tf.function(
                lambda *inputs: call_model(model, inputs), input_signature=signature, jit_compile=False
            )
            traced = function.get_concrete_function()
            with _nodes_of_one_order():
                proto, _ = tf2onnx.convert.from_function(
                    function, input_signature=signature, opset=OPSET, custom_op_handlers=handlers
                )
    # tf2onnx and the layers that it traces raise whatever they like.
    except Exception as error:
        raise ExportError(f"tf2onnx could not write {model.name!r} as .onnx: {str(error)[:500]}") from error
    leaked_inputs_to_initializers(proto, set(input_names(model)), _captured_constants(traced))
    replace_erfc(proto)
    name_outputs(proto, output_names(model))
    tidy_model(proto, model.name)
    _write_checked(proto, target, str(model.name))


def normalise_onnx(source: Path, target: Path) -> None:
    """Write the user's `source` to `target` as one file that an engine can be given.

    Weights in external data files are pulled in; the operator set and the nodes stay as they are. Raises InputError
    where `source` is no usable ONNX model.
    """
    proto = read_onnx(source)
    initializers = {tensor.name for tensor in proto.graph.initializer}
    # Until IR version 3 weights had to be listed as inputs too; engines would ask for them.
    real = [value for value in proto.graph.input if value.name not in initializers]
    del proto.graph.input[:]
    proto.graph.input.extend(real)
    proto.ir_version = max(proto.ir_version, 4)
    _write_checked(proto, target, source.name)


def _write_checked(proto: onnx.ModelProto, target: Path, name: str) -> None:
    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"the ONNX graph of {name!r} is not valid: {str(error).strip()[:500]}") from error
    write_file(target, proto.SerializeToString(deterministic=True))


def _captured_constants(traced: Any) -> dict[str, np.ndarray]:
    """Tensors that a traced function took from outside of itself, by the names that they have inside."""
    captured = traced.captured_inputs
    inner = traced.inputs[len(traced.inputs) - len(captured) :]
    return {
        tensor.name: value.numpy()
        for tensor, value in zip(inner, captured, strict=True)
        if tensor.dtype.name != "resource"
    }


@contextlib.contextmanager
def _nodes_of_one_order() -> Iterator[None]:
    """Without the pass that merges equal nodes: which of them survives follows from the order of a set of strings.

    Engines merge equal nodes themselves when they load a model.
    """
    passes = importlib.import_module("tf2onnx.optimizer")._optimizers
    before = dict(passes)
    passes.pop("merge_duplication")
    try:
        yield
    finally:
        passes.clear()
        passes.update(before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """tf2onnx logs tracebacks of optimizer passes that it then skips, and what we repair afterwards."""
    loggers = [logging.getLogger(name) for name in ("tf2onnx", "tensorflow")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
