"""Keras 3 model → float32 .tflite with a static batch of 1, the hub of every .tflite variant.

Of the ways into TFLiteConverter that exist, this one keeps the signature, freezes the weights and converts recurrent
layers: a tf.Module that holds the variables, and a function of a static shape. `from_concrete_functions` with the
Keras model in the module's place converts without a word and gives NaN; a dynamic batch fails for GRU and LSTM.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pocketbench.compression.errors import ExportError
from pocketbench.compression.exporters.signature import batch_of_one, call_model, input_names, output_names
from pocketbench.compression.files import write_file
from pocketbench.compression.tensorflow import import_tensorflow

__all__ = ["SIGNATURE", "export_tflite"]

SIGNATURE = "serving_default"


def export_tflite(model: Any, target: Path, *, sparse: bool = False) -> None:
    """Write the Keras `model` to `target` as float32 with inputs and outputs named as in Keras.

    `sparse` stores tensors that are mostly zeros in the sparse encoding: a smaller file, never a faster one.
    The same model gives the same bytes. Raises ExportError in the converter's own words.
    """
    tf = import_tensorflow()
    module = tf.Module()
    module.variables_of_model = [variable.value for variable in model.variables]
    names = output_names(model)
    module.function = tf.function(
        lambda *inputs: dict(zip(names, call_model(model, inputs), strict=True)),
        input_signature=batch_of_one(model),
        jit_compile=False,
    )
    try:
        with _quiet():
            converter = tf.lite.TFLiteConverter.from_concrete_functions(
                [module.function.get_concrete_function()], module
            )
            if sparse:
                converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
            content = bytearray(converter.convert())
    # The converter raises ConverterError, but tracing raises whatever a layer or TensorFlow raises.
    except Exception as error:
        raise ExportError(
            f"TensorFlow's converter could not write {model.name!r} as .tflite: {_first_words(error)}"
        ) from error
    _order(content, input_names(model), names)
    write_file(target, bytes(content))


def _order(content: bytearray, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Put the graph's inputs and outputs into the order of the Keras model, in place.

    TensorFlow sorts a function's outputs by name, the converter puts the inputs of a model that takes a dict in the
    order of the dict, and engines count both in the graph's order. Only the numbers in the two vectors change places;
    the signature names tensors by number, so it stays true.
    """
    from ai_edge_litert import schema_py_generated as schema

    flat = schema.Model.GetRootAs(content, 0)
    signature = flat.SignatureDefs(0)
    graph = flat.Subgraphs(signature.SubgraphIndex())
    ends = {
        "inputs": (inputs, [signature.Inputs(k) for k in range(signature.InputsLength())], graph.InputsAsNumpy()),
        "outputs": (outputs, [signature.Outputs(k) for k in range(signature.OutputsLength())], graph.OutputsAsNumpy()),
    }
    for kind, (names, entries, numbers) in ends.items():  # the numbers are a view of `content`
        tensors = {_plain(entry.Name().decode()): entry.TensorIndex() for entry in entries}
        wanted = [tensors.get(_plain(name)) for name in names]
        if sorted(numbers.tolist()) != sorted(number for number in wanted if number is not None):
            raise ExportError(
                f"expected the {kind} {list(names)} in the .tflite, got {sorted(tensors)}: name them with letters, "
                "digits and underscores that differ in more than case."
            )
        numbers[:] = wanted


def _plain(name: str) -> str:
    """A name as TensorFlow's signatures hold it."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name).lower()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the converter prints and logs about its passes off the terminal."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)


def _first_words(error: Exception) -> str:
    """The first two lines of the converter's message: the operator and the reason; the rest is a trace of passes."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:500] or type(error).__name__
