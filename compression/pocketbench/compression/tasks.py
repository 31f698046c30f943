"""The pieces of work of a build, each run in a worker process that may die.

    inspect ──▶ load ──▶ source (the base model, or one that steps changed) ──▶ export ──▶ convert (per variant)

Each writes what it made into a folder of its own, which is also what the cache keeps:

    inspect   model.json
    load      data.json, train/, calibration/, evaluation/, gate/ (arrays)
    source    reports.json, model.keras (where steps changed it), expected_0.npy… (outputs on the gate's samples)
    export    model.tflite or model.onnx
    convert   result.json, model.tflite or model.onnx, golden.npz

A task starts from files alone, so its bytes do not depend on what the process did before. TensorFlow is imported only
by those that need it.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pocketbench.compression.data import DataSpec, check_classes, load_dataset
from pocketbench.compression.dataset import Dataset, read_dataset, write_dataset
from pocketbench.compression.errors import GateError
from pocketbench.compression.manifest import HostQuality, StepReport, TensorFacts
from pocketbench.compression.metrics import Metric, load_metric, try_metric
from pocketbench.compression.steps.quantize import Options
from pocketbench.compression.steps.registry import FILE_STEPS, MODEL_STEPS
from pocketbench.compression.steps.state import KerasState, StepContext, TrainingData
from pocketbench.compression.task_arguments import (
    ConvertArguments,
    ExportArguments,
    InspectArguments,
    LoadArguments,
    SourceArguments,
)
from pocketbench.compression.worker import TaskContext

if TYPE_CHECKING:
    from pocketbench.compression.reference import FileModel

__all__ = ["convert", "export", "inspect", "load", "make_source", "warm_up"]

GATE_SAMPLES = 64
# Sizes of open dimensions of seeded gate samples; sequences and images of this size run everywhere.
_OPEN_SIZE = 32


def warm_up(arguments: None, inputs: Mapping[str, Path], target: Path, context: TaskContext) -> None:
    """Import TensorFlow into this process."""
    from pocketbench.compression.tensorflow import import_keras

    import_keras()


def inspect(arguments: InspectArguments, inputs: Mapping[str, Path], target: Path, context: TaskContext) -> None:
    """Note what the model is; raises InputError where it cannot be read."""
    from pocketbench.compression.models import inspect_model

    model = inspect_model(arguments.model)
    facts = {
        "source": model.source,
        "parameters": model.parameters,
        "inputs": [tensor.model_dump(mode="json") for tensor in model.inputs],
        "outputs": [tensor.model_dump(mode="json") for tensor in model.outputs],
    }
    (target / "model.json").write_text(json.dumps(facts), encoding="utf-8")


def load(arguments: LoadArguments, inputs: Mapping[str, Path], target: Path, context: TaskContext) -> None:
    """Load the data; raises InputError for whatever does not fit the model."""
    model = json.loads((inputs["model"] / "model.json").read_text(encoding="utf-8"))
    tensors = _tensors(model["inputs"])
    loaded = {
        role: load_dataset(source, tensors, scale=arguments.data.scale)
        for role in ("train", "calibration", "evaluation")
        if (source := getattr(arguments.data, role)) is not None
    }
    check_classes({role: source for role in ("train", "evaluation") if (source := getattr(arguments.data, role))})
    metric = _check_metric(arguments.data, loaded.get("evaluation"), _tensors(model["outputs"]))
    batch = max([1, *(facts.shape[0] for facts in tensors if facts.shape)])
    loaded["gate"] = _gate_samples(loaded, tensors, arguments.seed, batch)
    # Engines and fixed Keras models take nothing but whole batches; what is exported from Keras has a batch of 1.
    if "evaluation" in loaded and model["source"] == "onnx":
        loaded["evaluation"] = loaded["evaluation"].whole_batches(batch)
    for role, dataset in loaded.items():
        write_dataset(dataset, target / role)
    facts = {
        **model,
        "data": {
            role: {"fingerprint": dataset.fingerprint(), "labels": dataset.labels is not None}
            for role, dataset in loaded.items()
        },
        "metric": metric.name if metric else None,
        "metric_code": metric.code if metric else None,
    }
    (target / "data.json").write_text(json.dumps(facts), encoding="utf-8")


def make_source(arguments: SourceArguments, inputs: Mapping[str, Path], target: Path, context: TaskContext) -> None:
    """Apply the steps to the Keras model, and note what it answers to the gate's samples."""
    samples = read_dataset(arguments.data / "gate").inputs
    reports: list[StepReport] = []
    if arguments.model.suffix.lower() == ".onnx":
        from pocketbench.compression.reference import FileModel, run_samples

        expected = run_samples(FileModel(arguments.model), samples)
        parameters = None
    else:
        from pocketbench.compression.keras_outputs import keras_outputs
        from pocketbench.compression.models import load_keras
        from pocketbench.compression.seeds import seed_everything

        state = KerasState(load_keras(arguments.model))
        if any(step.training and step.training.loss is None for step in arguments.steps):
            from pocketbench.compression.saved_loss import saved_loss

            if (loss := saved_loss(arguments.model)) is not None:
                state.model.compile(loss=loss)
        seed_everything(arguments.seed)
        for number, step in enumerate(arguments.steps):
            context.enter(step.name, number / len(arguments.steps))
            state, report = MODEL_STEPS[step.name].apply(
                state, step.options, _training_data(arguments.data), _step_context(arguments, context, number)
            )
            reports.append(report)
        if arguments.steps:
            state.model.save(target / "model.keras")
        expected = keras_outputs(state.model, samples)
        parameters = state.model.count_params()
    for index, output in enumerate(expected):
        np.save(target / f"expected_{index}.npy", output)
    facts = {
        "parameters": parameters,
        "outputs": len(expected),
        "reports": [report.model_dump(mode="json") for report in reports],
    }
    (target / "reports.json").write_text(json.dumps(facts), encoding="utf-8")


def export(arguments: ExportArguments, inputs: Mapping[str, Path], target: Path, context: TaskContext) -> None:
    """Write the float32 file of one format."""
    changed = inputs["source"] / "model.keras"
    model = changed if changed.exists() else arguments.model
    file = target / f"model.{arguments.format}"
    if model.suffix.lower() == ".onnx":
        from pocketbench.compression.exporters.onnx import normalise_onnx

        normalise_onnx(model, file)
        return
    from pocketbench.compression.models import load_keras

    keras_model = load_keras(model)
    if arguments.format == "tflite":
        from pocketbench.compression.exporters.tflite import export_tflite

        export_tflite(keras_model, file, sparse=arguments.sparse)
    else:
        from pocketbench.compression.exporters.onnx import export_onnx

        export_onnx(keras_model, file)


def convert(arguments: ConvertArguments, inputs: Mapping[str, Path], target: Path, context: TaskContext) -> None:
    """Apply the steps to the file, hold it against its source, note a golden inference, compute its quality."""
    from pocketbench.compression.gate import check_file
    from pocketbench.compression.golden import write_golden
    from pocketbench.compression.reference import FileModel
    from pocketbench.compression.sizes import file_facts

    made = json.loads((inputs["source"] / "reports.json").read_text(encoding="utf-8"))
    float_file = inputs["export"] / f"model.{arguments.format}"
    file = target / float_file.name
    reports = _apply_file_steps(arguments, float_file, file, context)
    context.enter("gate", 0.6)
    samples = read_dataset(arguments.data / "gate").inputs
    expected = [np.load(inputs["source"] / f"expected_{index}.npy") for index in range(made["outputs"])]
    scheme = next((step.options.scheme for step in arguments.steps if isinstance(step.options, Options)), "float32")
    signature = json.loads((arguments.data / "data.json").read_text(encoding="utf-8"))
    gate = check_file(
        file,
        expected,
        samples,
        scheme=scheme,
        source_inputs=_written(signature["source"], signature["inputs"]),
        source_outputs=_written(signature["source"], signature["outputs"]),
        source_size_bytes=float_file.stat().st_size if reports else None,
    )
    context.enter("golden", 0.8)
    golden = write_golden(target, file, samples)
    model = FileModel(file)
    context.enter("quality", 0.9)
    result = {
        "parameters": made["parameters"],
        "steps": made["reports"] + [report.model_dump(mode="json") for report in reports],
        "file": file_facts(file).model_dump(mode="json"),
        "inputs": [tensor.model_dump(mode="json") for tensor in model.inputs],
        "outputs": [tensor.model_dump(mode="json") for tensor in model.outputs],
        "golden": golden.model_dump(mode="json"),
        "gate": gate.model_dump(mode="json"),
        "host_quality": _host_quality(arguments, model),
    }
    (target / "result.json").write_text(json.dumps(result), encoding="utf-8")


def _apply_file_steps(arguments: ConvertArguments, source: Path, file: Path, context: TaskContext) -> list[StepReport]:
    reports = []
    for step in arguments.steps:
        context.enter(step.name)
        folder = next(
            (arguments.data / role for role in ("calibration", "train") if (arguments.data / role).is_dir()), None
        )
        calibration = read_dataset(folder) if folder else None
        apply = FILE_STEPS[step.name].apply
        reports.append(apply(source, file, arguments.format, step.options, calibration, arguments.seed))
        source = file
    if not reports:
        shutil.copyfile(source, file)
    return reports


def _host_quality(arguments: ConvertArguments, model: FileModel) -> dict[str, Any] | None:
    data = read_dataset(arguments.data / "evaluation") if arguments.metric else None
    if data is None or data.labels is None or arguments.metric is None:
        return None
    from pocketbench.compression.reference import decode_outputs, encode_inputs, run_samples

    metric = load_metric(arguments.metric)
    outputs = decode_outputs(run_samples(model, encode_inputs(data.inputs, model.inputs)), model.outputs)
    value = metric.compute(outputs, data.labels)
    if not math.isfinite(value.value):
        bad = sum(not np.isfinite(sample).all() for sample in outputs[0])
        raise GateError(
            f"expected a finite {metric.name}, got {value.value}: the file's outputs are not finite for {bad} of "
            f"{value.samples} evaluation samples."
        )
    return HostQuality(
        metric=metric.name, value=value.value, higher_is_better=metric.higher_is_better, samples=value.samples
    ).model_dump(mode="json")


def _tensors(dumps: Sequence[Any]) -> list[TensorFacts]:
    return [TensorFacts.model_validate(facts) for facts in dumps]


def _written(source: str, dumps: Sequence[Any]) -> list[TensorFacts]:
    """Tensors as a file may have them: what is written from Keras has a batch of 1, whatever the model's is."""
    tensors = _tensors(dumps)
    if source == "onnx":
        return tensors
    return [facts.model_copy(update={"shape": (-1, *facts.shape[1:])}) for facts in tensors]


def _step_context(arguments: SourceArguments, context: TaskContext, number: int) -> StepContext:
    steps = len(arguments.steps)
    return StepContext(
        seed=arguments.seed,
        progress=lambda text, fraction: context.progress(text, (number + fraction) / steps),
    )


def _training_data(folder: Path) -> TrainingData:
    if not (folder / "train").is_dir():
        return TrainingData()
    data = read_dataset(folder / "train")
    return TrainingData(data.inputs, data.labels)


def _check_metric(spec: DataSpec, evaluation: Dataset | None, outputs: Sequence[TensorFacts]) -> Metric | None:
    """The metric, tried on outputs of the model's shape before any work is done; None without evaluation data."""
    if evaluation is None or spec.evaluation is None:
        return None
    metric = load_metric(spec.metric)
    try_metric(metric, evaluation, outputs, spec.evaluation)
    return metric


def _gate_samples(loaded: Mapping[str, Dataset], facts: Sequence[TensorFacts], seed: int, batch: int) -> Dataset:
    """Real inputs where there are any, else seeded random ones, in whole batches."""
    size = -(-GATE_SAMPLES // batch) * batch
    for role in ("calibration", "train", "evaluation"):
        if role in loaded:
            return Dataset(loaded[role].subset(size, seed).whole_batches(batch).inputs, None)
    random = np.random.default_rng(seed)
    return Dataset(tuple(_random(random, tensor, size) for tensor in facts), None)


def _random(random: np.random.Generator, facts: TensorFacts, size: int) -> np.ndarray[Any, Any]:
    shape = (size, *(_OPEN_SIZE if extent < 0 else extent for extent in facts.shape[1:]))
    dtype = np.dtype(facts.dtype)
    if dtype.kind == "f":
        return random.uniform(0.0, 1.0, shape).astype(dtype)
    return random.integers(0, 2, shape).astype(dtype)  # 0 and 1 are in any vocabulary
