"""Devices side by side: a thread each, since each only waits for its device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed

from pocketbench.checked.errors import DeviceError

__all__ = ["run_side_by_side"]


def run_side_by_side(tasks: Mapping[str, Callable[[], None]], *, stop: Callable[[], None]) -> dict[str, DeviceError]:
    """Run every task; return by its name what ended one early.

    A DeviceError ends its own task only. Anything else, Ctrl-C among it, calls `stop`, which must make every task end
    soon, waits for them, and is raised. A task that is alone runs in this thread.
    """
    if len(tasks) == 1:
        [(name, task)] = tasks.items()
        try:
            task()
        except DeviceError as error:
            return {name: error}
        return {}
    ended: dict[str, DeviceError] = {}
    with ThreadPoolExecutor(len(tasks), thread_name_prefix="device") as pool:
        names = {pool.submit(task): name for name, task in tasks.items()}
        try:
            for future in as_completed(names):
                try:
                    future.result()
                except DeviceError as error:
                    ended[names[future]] = error
        except BaseException:
            stop()
            raise
    return ended
