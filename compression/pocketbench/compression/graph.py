"""Tasks that need each other: what is shared is made once, what fails takes only its dependents with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pocketbench.compression.cache import Cache
from pocketbench.compression.progress import ProgressMeter
from pocketbench.compression.worker import Failed, TaskContext, WorkerCall, read_status
from pocketbench.compression.worker_pool import WorkerPool

__all__ = ["Broken", "Task", "run_tasks"]

_POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class Task:
    """One call of a worker. `needs`: by the name it has in the call's `inputs`, the name of the task that makes it.

    `key` says everything that shapes the result, for the cache; None where the result is not kept.
    `cost` orders the work: of what could start, the longest way to the end starts first.
    """

    name: str
    stage: str
    label: str
    function: Callable[[Any, Mapping[str, Path], Path, TaskContext], None]
    arguments: Any
    needs: Mapping[str, str]
    key: str | None
    cost: float


@dataclass(frozen=True, slots=True)
class Broken:
    """A task that failed, or whose need has, with the log of the one that did."""

    failed: Failed
    log_file: Path


def run_tasks(
    tasks: Sequence[Task],
    goals: Sequence[str],
    *,
    pool: WorkerPool,
    workers: int,
    cache: Cache | None,
    scratch: Path,
    meter: ProgressMeter,
    finished: Callable[[str, Path | Broken], None] = lambda name, outcome: None,
) -> dict[str, Path | Broken]:
    """Make what the `goals` need and the cache has not; return the folder or the failure of each task touched.

    `finished` is called once for each of them, as soon as it is known.
    """
    run = _Run({task.name: task for task in tasks}, pool, cache, scratch, meter, finished)
    run.collect(goals)
    for name in run.unneeded():
        meter.end(name)
    while run.waiting or run.running:
        run.start_ready(workers)
        run.tell()
        if run.running:
            ended, _ = wait(run.running, timeout=_POLL_S, return_when=FIRST_COMPLETED)
            for future in ended:
                run.finish(future)
    run.tell()
    return run.outcomes


class _Run:
    def __init__(
        self,
        tasks: Mapping[str, Task],
        pool: WorkerPool,
        cache: Cache | None,
        scratch: Path,
        meter: ProgressMeter,
        finished: Callable[[str, Path | Broken], None],
    ) -> None:
        self._tasks = tasks
        self._pool = pool
        self._cache = cache
        self._scratch = scratch
        self._meter = meter
        self._finished = finished
        self.waiting: dict[str, Task] = {}
        self.running: dict[Future[Failed | None], tuple[Task, WorkerCall]] = {}
        self.outcomes: dict[str, Path | Broken] = {}

    def collect(self, names: Sequence[str]) -> None:
        """From the end: what the cache has needs nothing of what it was made from."""
        for name in names:
            task = self._tasks[name]
            if name in self.outcomes or name in self.waiting:
                continue
            cached = self._cache.get(task.key) if self._cache and task.key else None
            if cached:
                self._note(name, cached)
            else:
                self.waiting[name] = task
                self.collect(list(task.needs.values()))

    def unneeded(self) -> set[str]:
        return self._tasks.keys() - self.waiting.keys()

    def start_ready(self, workers: int) -> None:
        for task in sorted(self.waiting.values(), key=lambda task: (-self._way(task), task.name)):
            needed = [self.outcomes.get(name) for name in task.needs.values()]
            broken = next((found for found in needed if isinstance(found, Broken)), None)
            if broken:
                self._note(task.name, broken)
                del self.waiting[task.name]
                self._meter.end(task.name)
            elif len(self.running) < workers and None not in needed:
                self._start(task)

    def _start(self, task: Task) -> None:
        del self.waiting[task.name]
        inputs = {role: found for role, name in task.needs.items() if isinstance(found := self.outcomes[name], Path)}
        logs = self._scratch / "logs"
        logs.mkdir(exist_ok=True)
        call = WorkerCall(
            task.function,
            task.arguments,
            inputs,
            self._scratch / task.name,
            task.stage,
            logs / f"{task.name}.status",
            logs / f"{task.name}.log",
        )
        self._meter.start(task.name)
        self.running[self._pool.submit(call)] = (task, call)

    def finish(self, future: Future[Failed | None]) -> None:
        task, call = self.running.pop(future)
        failed = self._pool.outcome(call, future)
        self._meter.end(task.name)
        if failed:
            self._note(task.name, Broken(failed, call.log_file))
        elif self._cache and task.key:
            self._note(task.name, self._cache.put(task.key, call.target))
        else:
            self._note(task.name, call.target)

    def tell(self) -> None:
        statuses = {task.name: read_status(call.status_file) for task, call in self.running.values()}
        parts = []
        for task, _ in self.running.values():
            status = statuses[task.name]
            parts.append(f"{task.label} ({status.text})" if status and status.text else task.label)
        self._meter.tell(", ".join(sorted(parts)) or "done", statuses)

    def _note(self, name: str, outcome: Path | Broken) -> None:
        self.outcomes[name] = outcome
        self._finished(name, outcome)

    def _way(self, task: Task) -> float:
        """Cost of the longest way from this task to a goal."""
        after = [other for other in self.waiting.values() if task.name in other.needs.values()]
        return task.cost + max((self._way(other) for other in after), default=0.0)
