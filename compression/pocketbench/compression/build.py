"""From a model to a folder of variants."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pocketbench.checked.errors import InputError, PocketbenchError, nearest
from pocketbench.compression.build_plan import PlannedVariant, distinct_recipes, plan_variants
from pocketbench.compression.build_tasks import BuildFacts, plan_tasks, reading_tasks, warm_up_task
from pocketbench.compression.built_variant import BuiltVariant, write_variant
from pocketbench.compression.cache import Cache
from pocketbench.compression.data import DataSpec
from pocketbench.compression.graph import Broken, Task, run_tasks
from pocketbench.compression.manifest import FORMATS, BaseModelFacts, Failure, Format
from pocketbench.compression.metrics import load_metric
from pocketbench.compression.model_files import check_model_file, model_sha256
from pocketbench.compression.output_folder import check_folder, check_space
from pocketbench.compression.progress import BuildProgress, ProgressMeter
from pocketbench.compression.worker_pool import WorkerPool, threads_per_worker

__all__ = ["BuildProgress", "BuiltVariant", "build_variants", "default_formats", "variant_names"]

_LOG_LINES = 5  # of a worker's output, shown where the model cannot be read at all


def default_formats(model: Path) -> list[Format]:
    """The formats that can be made from `model`: both from Keras, onnx from ONNX."""
    return ["onnx"] if model.suffix.lower() == ".onnx" else list(FORMATS)


def variant_names(model: Path, recipes: Sequence[str | Path], formats: Sequence[str], data: DataSpec) -> list[str]:
    """Names of the variants that `build_variants` would make, controls too, without making them.

    `formats` may be empty: then those of `default_formats`. Raises InputError as `build_variants` does.
    """
    source = check_model_file(model)
    wanted = _checked_formats(formats or default_formats(model), model)
    return [variant.name for variant in plan_variants(distinct_recipes(recipes), wanted, source, data)]


def build_variants(
    model: Path,
    *,
    recipes: Sequence[str | Path],
    formats: Sequence[str],
    data: DataSpec,
    output: Path,
    seed: int = 0,
    time_limit_s: float = 900.0,
    workers: int = 2,
    cache: Path | None = None,
    progress: Callable[[BuildProgress], None] = lambda event: None,
) -> list[BuiltVariant]:
    """Make each recipe of `model` in each format, with controls for those that train, below `output`.

    Each piece of work runs in a worker process with a time limit. A variant that cannot be made stands in the result
    with its reason, and the others go on. The same input and seed give the same files and manifests.

    Raises InputError for bad input, before anything is written; PocketbenchError where the model cannot be read for
    another reason.
    """
    if workers < 1:
        raise InputError(f"expected at least one worker, got {workers}.")
    if time_limit_s <= 0:
        raise InputError(f"expected a time limit over 0 seconds, got {time_limit_s:g}.")
    if not 0 <= seed < 2**32:
        raise InputError(f"expected a seed from 0 to {2**32 - 1}, got {seed}.")
    source = check_model_file(model)
    loaded = distinct_recipes(recipes)
    load_metric(data.metric)
    planned = plan_variants(loaded, _checked_formats(formats, model), source, data)
    sha256 = model_sha256(model)
    check_folder(output, [variant.name for variant in planned], sha256)
    check_space([output, Path(tempfile.gettempdir())], model.stat().st_size, len(planned))
    with tempfile.TemporaryDirectory(prefix="pocketbench-") as scratch, WorkerPool(workers, time_limit_s) as pool:
        build = _Build(
            model.absolute(), sha256, output, Path(scratch), pool, workers, Cache(cache) if cache else None, progress
        )
        facts, labelled = build.read(source, data, seed)
        base = BaseModelFacts(name=model.name, sha256=facts.sha256, source=source, parameters=facts.parameters)
        return build.make(planned if labelled else _without_labels(planned, data), base, facts)


@dataclass(frozen=True, slots=True)
class _Build:
    """One run: what it works with, and its two halves."""

    model: Path
    sha256: str
    output: Path
    scratch: Path
    pool: WorkerPool
    workers: int
    cache: Cache | None
    progress: Callable[[BuildProgress], None]

    def read(self, source: str, data: DataSpec, seed: int) -> tuple[BuildFacts, bool]:
        """Inspect the model and load the data; also tell whether the training data has labels."""
        tasks = reading_tasks(self.model, self.sha256, data, seed)
        inspected = self.cache is not None and self.cache.get(tasks[0].key or "") is not None
        goals = ["load"]
        if source == "keras" and self.workers > 1 and not inspected:
            tasks.append(warm_up_task())
            goals.append("warm-up")
        # A bar that starts once more with the real work would mislead: until then only the words change.
        told = {"done"}

        def tell(event: BuildProgress) -> None:
            if event.message not in told:
                told.add(event.message)
                self.progress(replace(event, done=0.0, seconds_left=None))

        outcomes = self._run(tasks, goals, tell)
        folder = outcomes["load"]
        if isinstance(folder, Broken):
            raise _reading_error(folder)
        found = json.loads((folder / "data.json").read_text(encoding="utf-8"))
        roles = ("train", "calibration", "evaluation", "gate")
        facts = BuildFacts(
            model=self.model,
            sha256=self.sha256,
            parameters=found["parameters"],
            data=folder,
            fingerprints={role: found["data"].get(role, {}).get("fingerprint") for role in roles},
            metric=found["metric"],
            metric_code=found["metric_code"],
            seed=seed,
            threads=threads_per_worker(self.workers),
        )
        return facts, found["data"].get("train", {}).get("labels", True)

    def make(self, variants: Sequence[PlannedVariant], base: BaseModelFacts, facts: BuildFacts) -> list[BuiltVariant]:
        """Make the variants; each is written as soon as it is known how it ended."""
        built: dict[str, BuiltVariant] = {}

        def write(variant: PlannedVariant, outcome: Path | Broken | Failure) -> None:
            built[variant.name] = write_variant(variant, outcome, base, facts.seed, self.output, self.scratch)

        for variant in variants:
            if variant.problem:
                write(variant, variant.problem)
        plan = plan_tasks(variants, facts)
        waiting: dict[str, list[PlannedVariant]] = {}
        for variant in variants:
            if variant.name in plan.goals:
                waiting.setdefault(plan.goals[variant.name], []).append(variant)

        def finished(task: str, outcome: Path | Broken) -> None:
            for variant in waiting.get(task, ()):
                write(variant, outcome)

        self._run(plan.tasks, list(waiting), self.progress, finished)
        return [built[variant.name] for variant in variants]

    def _run(
        self,
        tasks: Sequence[Task],
        goals: Sequence[str],
        listener: Callable[[BuildProgress], None],
        finished: Callable[[str, Path | Broken], None] = lambda task, outcome: None,
    ) -> Mapping[str, Path | Broken]:
        meter = ProgressMeter({task.name: task.stage for task in tasks}, self.workers, listener)
        return run_tasks(
            tasks,
            goals,
            pool=self.pool,
            workers=self.workers,
            cache=self.cache,
            scratch=self.scratch,
            meter=meter,
            finished=finished,
        )


def _checked_formats(formats: Sequence[str], model: Path) -> list[Format]:
    possible = default_formats(model)
    for name in formats:
        if name not in FORMATS:
            raise InputError(f"expected a format, got {name!r}; {nearest(name, FORMATS)}.")
        if name not in possible:
            raise InputError(
                f"expected the format {possible[0]!r} for the ONNX model {model.name}, got {name!r}: "
                "other formats are written from Keras models."
            )
    if not formats:
        raise InputError(f"expected at least one format of {', '.join(FORMATS)}, got none.")
    return [name for name in FORMATS if name in formats]


def _without_labels(variants: Sequence[PlannedVariant], data: DataSpec) -> list[PlannedVariant]:
    """The variants, those that train refused as the training data has no labels."""
    reason = f"expected labels in the training data {data.train}, got inputs only: add them as 'y'."
    problem = Failure(stage="data", reason=reason)
    refused = [
        replace(variant, problem=problem, control=None) if variant.recipe.trainings else variant
        for variant in variants
        if variant.role == "variant" or not variant.recipe.trainings
    ]
    if all(variant.problem for variant in refused):
        raise InputError(f"no recipe can be made: {reason}")
    return refused


def _reading_error(broken: Broken) -> PocketbenchError:
    failed = broken.failed
    if failed.input_error:
        return InputError(failed.reason)
    lines = (
        broken.log_file.read_text(encoding="utf-8", errors="replace").splitlines() if broken.log_file.exists() else []
    )
    said = "\n".join(lines[-_LOG_LINES:])
    return PocketbenchError(f"the model or its data cannot be read: {failed.reason}" + (f"\n{said}" if said else ""))
