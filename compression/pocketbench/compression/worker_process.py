"""Worker processes that start with an environment of their own.

Libraries read OMP_NUM_THREADS and its like once, when they are loaded, and a spawned process loads those that the
caller's main module imports before it runs anything of ours. So what is set must be there when the process starts:
else the number of threads, and with it the order of sums, would depend on who calls.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Iterator, Mapping
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

__all__ = ["WorkerContext", "WorkerProcess", "worker_environment"]

_LOCK = threading.Lock()


def worker_environment(threads: int) -> dict[str, str]:
    """What a worker with `threads` threads of its own starts with."""
    # Two workers with as many threads as cores each would fight over the cores.
    return {
        "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", "-1"),
        # Keras imports scikit-learn where it is there, whose joblib leaves a semaphore behind in a worker that ends.
        "JOBLIB_MULTIPROCESSING": "0",
        "MKL_NUM_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "ORT_DISABLE_TELEMETRY": "1",
        "PYTHONHASHSEED": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": str(threads),
    }


class WorkerProcess(SpawnProcess):
    """A spawned process that starts with `environment` on top of its parent's."""

    def __init__(self, *arguments: Any, environment: Mapping[str, str], **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.environment = dict(environment)

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        with _set(process_obj.environment):
            return SpawnProcess._Popen(process_obj)


class WorkerContext(SpawnContext):
    """A context of multiprocessing that starts `WorkerProcess`es with `environment`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__()
        self.Process = functools.partial(WorkerProcess, environment=environment)  # type: ignore[assignment, misc]


@contextlib.contextmanager
def _set(environment: Mapping[str, str]) -> Iterator[None]:
    """Set variables in this process for as long as it takes to start another: multiprocessing passes on its own."""
    with _LOCK:
        before = {name: os.environ.get(name) for name in environment}
        os.environ.update(environment)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
