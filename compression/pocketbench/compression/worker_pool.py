"""A pool of worker processes that survives the death of its workers; pebble restarts them and keeps the time."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Any

import pebble

from pocketbench.compression.worker import Failed, WorkerCall, read_status, run_call, start_worker
from pocketbench.compression.worker_process import WorkerContext, worker_environment

__all__ = ["WorkerPool", "threads_per_worker"]


def threads_per_worker(workers: int) -> int:
    """Threads for each of `workers` so that together they use the cores this process may run on."""
    return max(1, len(os.sched_getaffinity(0)) // workers)


class WorkerPool:
    """Runs calls in `workers` fresh processes ("spawn": nothing of this process leaks into a variant).

    A call that takes longer than `time_limit_s`, crashes or is killed gives `Failed` with its stage and a sentence.
    """

    def __init__(self, workers: int, time_limit_s: float) -> None:
        self._workers = workers
        self._time_limit_s = time_limit_s
        self._pool = self._start()
        self._submitted: list[Future[Failed | None]] = []

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Idle workers end by themselves and clean up: the semaphores that libraries (tqdm, joblib) made in a killed one
        # are what Python complains of at the end of the parent. What still runs is not wanted any more, and is killed.
        if all(future.done() for future in self._submitted):
            self._pool.close()
        else:
            self._pool.stop()
        self._pool.join()

    def submit(self, call: WorkerCall) -> Future[Failed | None]:
        """Start `call` when a worker is free; read the future with `outcome`."""
        if not self._pool.active:  # a worker was killed from outside while it had nothing to do
            self._pool.stop()
            self._pool.join()
            self._pool = self._start()
        future: Future[Failed | None] = self._pool.schedule(run_call, args=(call,), timeout=self._time_limit_s)
        self._submitted = [earlier for earlier in self._submitted if not earlier.done()] + [future]
        return future

    def outcome(self, call: WorkerCall, future: Future[Failed | None]) -> Failed | None:
        """Wait for the end of `call`; None where it succeeded."""
        try:
            return future.result()
        except TimeoutError:
            reason = (
                f"did not end within {self._time_limit_s:g} s and was stopped: allow more time, or a smaller model."
            )
        except pebble.ProcessExpired as error:
            reason = _death(error.exitcode)
        except BrokenProcessPool:
            reason = (
                "no worker process could be started; where a program of your own calls build_variants, "
                'the call must stand below `if __name__ == "__main__":`.'
            )
        status = read_status(call.status_file)
        return Failed(status.stage if status else call.stage, reason)

    def _start(self) -> Any:
        return pebble.ProcessPool(
            max_workers=self._workers,
            context=WorkerContext(worker_environment(threads_per_worker(self._workers))),
            initializer=start_worker,
        )


def _death(exit_code: int) -> str:
    if exit_code >= 0:
        return f"the worker process ended by itself with exit code {exit_code} instead of finishing."
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    if name == "SIGKILL":
        return "the worker process was killed (SIGKILL), most often because memory ran out: try one worker."
    return f"the worker process crashed ({name}) in the converter or the engine."
