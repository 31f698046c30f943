"""From planned variants to tasks: what variants share is one task, and its key says everything that shapes it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pocketbench.compression.build_plan import PlannedVariant
from pocketbench.compression.cache import cache_key, library_versions, own_code_hash
from pocketbench.compression.data import DataSpec
from pocketbench.compression.graph import Task
from pocketbench.compression.recipes import RecipeStep
from pocketbench.compression.task_arguments import (
    ConvertArguments,
    ExportArguments,
    InspectArguments,
    LoadArguments,
    SourceArguments,
    step_dumps,
)
from pocketbench.compression.tasks import convert, export, inspect, load, make_source, warm_up

__all__ = ["BuildFacts", "TaskPlan", "plan_tasks", "reading_tasks", "warm_up_task"]

_KEY_CHARACTERS = 16  # of a key, in the names of folders that live as long as the build


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """What is known once the model is inspected and the data is loaded."""

    model: Path
    sha256: str
    parameters: int | None
    data: Path
    fingerprints: Mapping[str, str | None]
    """By role of the data (train, calibration, evaluation, gate); None where there is none."""
    metric: str | None
    metric_code: str | None
    seed: int
    threads: int


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """`goals`: by name of a variant, the name of the task that makes its file."""

    tasks: tuple[Task, ...]
    goals: Mapping[str, str]


def reading_tasks(model: Path, sha256: str, data: DataSpec, seed: int) -> list[Task]:
    """Inspect the model (kept by its content: for a Keras model this needs TensorFlow), then load the data for it."""
    key = _key(task="inspect", model=sha256)
    inspecting = Task("inspect", "read", "reading the model", inspect, InspectArguments(model), {}, key, 2.0)
    loading = Task("load", "read", "reading the data", load, LoadArguments(data, seed), {"model": "inspect"}, None, 1.0)
    return [inspecting, loading]


def warm_up_task() -> Task:
    """Has a worker import TensorFlow while another inspects the model: it takes both the same 5 s."""
    return Task("warm-up", "read", "starting TensorFlow", warm_up, None, {}, None, 1.0)


def plan_tasks(variants: Sequence[PlannedVariant], facts: BuildFacts) -> TaskPlan:
    """Tasks for all `variants` that have no problem; what two variants share is one task."""
    tasks: dict[str, Task] = {}
    goals = {}
    for variant in variants:
        if variant.problem is None:
            source = _source(variant, facts)
            exported = _export(variant, facts, source)
            converted = _convert(variant, facts, source, exported)
            for task in (source, exported, converted):
                tasks.setdefault(task.name, task)
            goals[variant.name] = converted.name
    return TaskPlan(tuple(tasks.values()), goals)


def _key(**parts: Any) -> str:
    return cache_key(code=own_code_hash(), versions=library_versions(), machine=platform.machine(), **parts)


def _source(variant: PlannedVariant, facts: BuildFacts) -> Task:
    steps = variant.recipe.model_steps
    trained = {"steps": step_dumps(steps), "train": facts.fingerprints["train"], "seed": facts.seed} if steps else {}
    key = _key(task="source", model=facts.sha256, gate=facts.fingerprints["gate"], threads=facts.threads, **trained)
    epochs = sum(training.epochs for training in variant.recipe.trainings)
    return Task(
        name=f"source-{key[:_KEY_CHARACTERS]}",
        stage="train" if steps else "source",
        label=f"training {variant.recipe.name}" if steps else "running the base model",
        function=make_source,
        arguments=SourceArguments(facts.model, facts.data, steps, facts.seed),
        needs={},
        key=key,
        cost=2.0 + 2.0 * len(steps) + epochs,
    )


def _export(variant: PlannedVariant, facts: BuildFacts, source: Task) -> Task:
    sparse = variant.format == "tflite" and _stored_sparse(variant.recipe.model_steps, variant.recipe.file_steps)
    key = _key(task="export", source=source.key, format=variant.format, sparse=sparse)
    needs = {"source": source.name}
    label = f"exporting {variant.recipe.name if variant.recipe.model_steps else 'the base model'} to {variant.format}"
    arguments = ExportArguments(facts.model, variant.format, sparse)
    return Task(f"export-{key[:_KEY_CHARACTERS]}", "export", label, export, arguments, needs, key, 3.0)


def _convert(variant: PlannedVariant, facts: BuildFacts, source: Task, exported: Task) -> Task:
    steps = variant.recipe.file_steps
    used = {role: facts.fingerprints[role] for role in ("calibration", "train") if steps}
    key = _key(
        task="convert",
        export=exported.key,
        steps=step_dumps(steps),
        data=used,
        seed=facts.seed,
        evaluation=facts.fingerprints["evaluation"],
        metric=facts.metric,
        metric_code=facts.metric_code,
    )
    return Task(
        name=f"convert-{key[:_KEY_CHARACTERS]}",
        stage="convert",
        label=f"making {variant.name}",
        function=convert,
        arguments=ConvertArguments(facts.data, variant.format, steps, facts.seed, facts.metric),
        needs={"source": source.name, "export": exported.name},
        key=key,
        cost=1.0 + 2.0 * len(steps),
    )


def _stored_sparse(model_steps: tuple[RecipeStep, ...], file_steps: tuple[RecipeStep, ...]) -> bool:
    """Zeros are stored as such where weights were pruned and nothing quantizes the file, which then must be dense."""
    return any(step.name == "prune-weights" for step in model_steps) and not file_steps
