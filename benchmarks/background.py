"""Another user of this computer: a process that loads one core in bursts. A process of its own.

`python -m benchmarks.background SEED` works until its standard input ends, then prints what it did as JSON. Where it
works is the kernel's choice, as with any other program. Its work is copying more memory than the caches of a core hold,
so that what is measured is slowed on other cores too.
"""

from __future__ import annotations

import json
import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

__all__ = ["BackgroundLoad", "Burst", "main", "schedule"]

ROOT = Path(__file__).parents[1]
# Bursts are shorter than a launch, so that launches differ; phases longer than a round, so that rounds do.
_BURST_S, _PHASE_S = 0.5, 20.0
_LEAST_SHARE, _MOST_SHARE = 0.1, 0.9
_COPIED_BYTES = 16 << 20
_END_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Burst:
    """Nothing for `idle_s`, then work for `busy_s`."""

    idle_s: float
    busy_s: float


def schedule(seed: int) -> Iterator[Burst]:
    """Bursts without end, the same for the same seed.

    In each phase another share of the time is busy. All times are exponential: nothing comes back with a period.
    """
    rng = random.Random(seed)
    while True:
        left_s = rng.expovariate(1 / _PHASE_S)
        share = rng.uniform(_LEAST_SHARE, _MOST_SHARE)
        while left_s > 0:
            busy_s = rng.expovariate(1 / _BURST_S)
            idle_s = rng.expovariate(share / (1 - share) / _BURST_S)
            yield Burst(idle_s, busy_s)
            left_s -= idle_s + busy_s


class BackgroundLoad:
    """The process, from `with` to its end; it also ends where this one is killed, as its standard input does.

    `share` is the processor time that it got of the time that it was there, known afterwards.
    """

    def __init__(self, seed: int) -> None:
        self.share: float | None = None
        self._seed = seed
        self.process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.background", str(self._seed)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the benchmark, which ends it
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            output, _ = self.process.communicate(timeout=_END_TIMEOUT_S)
        finally:
            self.process.kill()
            self.process.wait()
        if error is None:
            if self.process.returncode != 0:
                raise SystemExit(f"expected background load, but it ended with exit code {self.process.returncode}")
            done = json.loads(output)
            self.share = done["busy_s"] / done["there_s"]


def _told_to_end(wait_s: float) -> bool:
    return bool(select.select([sys.stdin], [], [], wait_s)[0])


def _work(busy_s: float, source: np.ndarray, target: np.ndarray) -> bool:
    """True where it was told to end meanwhile."""
    until_s = time.monotonic() + busy_s
    while time.monotonic() < until_s:
        if _told_to_end(0):
            return True
        np.copyto(target, source)
    return False


def main(seed: int) -> None:
    """Work by the schedule until standard input ends."""
    source, target = (np.full(_COPIED_BYTES, value, np.uint8) for value in (1, 2))
    began_s, spent_s = time.monotonic(), time.process_time()
    for burst in schedule(seed):
        if _told_to_end(burst.idle_s) or _work(burst.busy_s, source, target):
            break
    print(json.dumps({"busy_s": time.process_time() - spent_s, "there_s": time.monotonic() - began_s}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
