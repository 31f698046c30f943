"""The evaluation data of a campaign, fitted to each variant before anything is measured."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pocketbench.checked.errors import InputError
from pocketbench.compression.data import DataSpec, load_dataset
from pocketbench.compression.dataset import Dataset
from pocketbench.compression.manifest import TensorFacts
from pocketbench.compression.metrics import Metric, MetricValue, load_metric, try_metric
from pocketbench.compression.reference import decode_outputs, encode_inputs
from pocketbench.harness.campaign.variants import LoadedVariant
from pocketbench.harness.runner.batches import stack_inputs
from pocketbench.harness.runner.tensors import write_tensors

__all__ = ["Evaluation", "load_evaluation"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Samples with labels, by name of the variant in the order of its inputs, and the metric they are judged by."""

    datasets: Mapping[str, Dataset]
    metric: Metric

    @property
    def sha256(self) -> str:
        """Equal for the same samples and metric: what a resumed campaign is held to."""
        parts = sorted(f"{name} {dataset.fingerprint()}" for name, dataset in self.datasets.items())
        return hashlib.sha256("\n".join([self.metric.name, self.metric.code or "", *parts]).encode()).hexdigest()

    def inputs(self, variant: LoadedVariant) -> list[np.ndarray]:
        """All samples in the variant's own types: what `Runner.infer` takes."""
        return encode_inputs(self.datasets[variant.name].inputs, variant.inputs)

    def judge(self, variant: LoadedVariant, outputs: Sequence[np.ndarray]) -> MetricValue:
        """The metric of what `Runner.infer` gave; InputError where it is not finite or cannot be computed."""
        labels = self.datasets[variant.name].labels
        assert labels is not None  # load_evaluation refuses data without labels
        value = self.metric.compute(decode_outputs(outputs, variant.outputs), labels)
        if not math.isfinite(value.value):
            raise InputError(
                f"expected a finite {self.metric.name}, got {value.value}: outputs of the file are NaN or infinite."
            )
        return value

    def write_first_input(self, variant: LoadedVariant, path: Path) -> None:
        """Write the input of one inference as a tensor file: real data to measure latency and memory with."""
        batch = max([1, *(facts.shape[0] for facts in variant.inputs if facts.shape)])
        arrays = encode_inputs([array[:batch] for array in self.datasets[variant.name].inputs], variant.inputs)
        write_tensors(path, stack_inputs(arrays, variant.inputs).arrays)


def load_evaluation(data: DataSpec, variants: Sequence[LoadedVariant]) -> Evaluation | None:
    """Load the evaluation data for all `variants` that have a file; None where the plan names none.

    Raises InputError where data, metric and variants do not fit; the message names the variant.
    """
    if data.evaluation is None:
        return None
    metric = load_metric(data.metric)
    datasets: dict[str, Dataset] = {}
    known: dict[tuple[TensorFacts, ...], Dataset] = {}  # variants of one model share their inputs
    for variant in variants:
        if variant.file is None:
            continue
        try:
            if variant.inputs not in known:
                known[variant.inputs] = load_dataset(data.evaluation, variant.inputs, scale=data.scale)
            dataset = known[variant.inputs]
            try_metric(metric, dataset, variant.outputs, data.evaluation)
        except InputError as error:
            raise InputError(f"{variant.name}: {error}") from error
        datasets[variant.name] = dataset
    return Evaluation(datasets, metric)
