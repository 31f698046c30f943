"""What does a launch cost beside itself?

`python -m benchmarks.overhead [--quick] [--json FILE]` launches a small model over every transport: this computer, an
sshd on loopback, and Google's adbd, directly and through Google's adb server; each of the three also at a distance of
20 ms in either direction. In each round every link has its turn, in random order, with a `first` launch on
a new connection and a `standing` one on the same.

Overhead is the time that `Runner.bench` takes, without what the runner says that it was busy with: loading, making
ready, first inference, and all iterations. So the start of its process, and its end, count as overhead. `round_trips`
is what the distance made a launch longer, divided by the round trip: how often it waits for the other side. `calls` are
those of the transport.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self

import numpy as np

from benchmarks.outcome import Goal, Row, print_goals, print_table, versions, write_json
from benchmarks.overhead_links import Link, links
from pocketbench.harness.engines.catalogue import EngineBuild, local_engine
from pocketbench.harness.runner.binaries import runner_binary
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.runner.results import BenchOptions, BenchResult
from pocketbench.harness.transports.base import Completed, Transport
from tests.runner.tiny_models import dense_onnx

__all__ = ["main"]

SEED = 0
DELAY_MS = 20.0
FIRST, STANDING = "first", "standing"
LIMIT_MS, ROUND_TRIPS = 150.0, 2
UNITS = 32_768  # 8 MB of weights: some tenths of a ms on a desktop core
OPTIONS = BenchOptions()
_TIMEOUT_S = 120.0


class CountingTransport:
    """Passes calls on to `inner`, and counts them."""

    def __init__(self, inner: Transport) -> None:
        self.address = inner.address
        self.calls = 0
        self._inner = inner

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        """See Transport."""
        self.calls += 1
        return self._inner.run(argv, timeout_s=timeout_s, stdin=stdin)

    def push(self, source: Path, target: PurePosixPath, *, mode: int = 0o644) -> None:
        """See Transport."""
        self.calls += 1
        self._inner.push(source, target, mode=mode)

    def pull(self, source: PurePosixPath, target: Path) -> None:
        """See Transport."""
        self.calls += 1
        self._inner.pull(source, target)

    def close(self) -> None:
        """See Transport."""
        self._inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class Case:
    """A model with its engine, and what was found: overheads in ms by link and kind of call, calls by link."""

    def __init__(self, model: Path, engine: EngineBuild, work_directory: Path) -> None:
        self._arguments = (engine.name, engine.library, model, work_directory)
        self._launcher = [str(runner_binary(engine.runner_platform))]
        self.overheads_ms: dict[tuple[int, str], list[float]] = {}
        self.calls: dict[tuple[int, str], int] = {}

    def launch_twice(self, number: int, link: Link) -> None:
        """On a new connection to the link `number`."""
        name, *paths = self._arguments
        with CountingTransport(link.connect()) as transport:
            runner = Runner(transport, self._launcher, name, *map(PurePosixPath, paths))
            for kind in (FIRST, STANDING):
                calls, began_ns = transport.calls, time.monotonic_ns()
                result = runner.bench(OPTIONS, _TIMEOUT_S)
                elapsed_ns = time.monotonic_ns() - began_ns
                self.overheads_ms.setdefault((number, kind), []).append((elapsed_ns - busy_ns(result)) / 1e6)
                self.calls[number, kind] = transport.calls - calls


def busy_ns(result: BenchResult) -> int:
    """What the runner says that it was busy with."""
    first, last = result.samples[0], result.samples[-1]
    iterations_ns = int(last["start_ns"] + last["latency_ns"] - first["start_ns"])
    return result.engine_load_ns + result.model_init_ns + result.first_inference_ns + iterations_ns


def measure(reachable: Sequence[Link], model: Path, rounds: int) -> list[Row]:
    """Every link once a round, in random order."""
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory(prefix="pocketbench-work-") as work:
        case = Case(model, local_engine("onnxruntime"), Path(work))
        for number in range(rounds):
            for index in rng.sample(range(len(reachable)), len(reachable)):
                print(f"\rround {number + 1}/{rounds}, {reachable[index].transport}   ", end="", file=sys.stderr)
                case.launch_twice(index, reachable[index])
    print(file=sys.stderr)
    return rows_of(reachable, case)


def rows_of(reachable: Sequence[Link], case: Case) -> list[Row]:
    """One row for each link and kind of launch."""
    medians_ms = {key: float(np.median(values)) for key, values in case.overheads_ms.items()}
    near = {link.transport: number for number, link in enumerate(reachable) if link.round_trip_ms == 0}
    rows: list[Row] = []
    for number, link in enumerate(reachable):
        for kind in (FIRST, STANDING):
            median_ms = medians_ms[number, kind]
            more_ms = median_ms - medians_ms[near[link.transport], kind]
            rows.append(
                {
                    "transport": link.transport,
                    "device": link.device,
                    "round_trip_ms": link.round_trip_ms,
                    "launch": kind,
                    "median_ms": median_ms,
                    "p90_ms": float(np.percentile(case.overheads_ms[number, kind], 90)),
                    "calls": case.calls[number, kind],
                    "round_trips": more_ms / link.round_trip_ms if link.round_trip_ms else None,
                    "launches": len(case.overheads_ms[number, kind]),
                }
            )
    return rows


def judge(rows: Sequence[Row]) -> list[Goal]:
    """Of each transport, on the connection that stands: what is left without the round trips that are allowed."""
    left: dict[str, list[float]] = {}
    for row in rows:
        if row["launch"] == STANDING:
            allowed_ms = ROUND_TRIPS * _number(row, "round_trip_ms")
            left.setdefault(str(row["transport"]), []).append(_number(row, "median_ms") - allowed_ms)
    return [
        Goal(
            f"{transport}: largest median in ms without {ROUND_TRIPS} round trips",
            f"<= {LIMIT_MS:g}",
            max(values),
            max(values) <= LIMIT_MS,
        )
        for transport, values in left.items()
    ]


def _number(row: Row, key: str) -> float:
    value = row[key]
    assert isinstance(value, float | int), f"{key} is measured, or there is no row"
    return float(value)


def main() -> None:
    """Parse the command line, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="three rounds: within a minute")
    parser.add_argument("--json", type=Path, help="write rows, goals, versions and machine to this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pocketbench-overhead-") as folder, links(DELAY_MS) as reachable:
        model = dense_onnx(Path(folder, "dense.onnx"), units=UNITS)
        rows = measure(reachable, model, 3 if arguments.quick else 20)
    goals = judge(rows)
    print_table(rows)
    print_goals(goals)
    if arguments.json:
        write_json(arguments.json, rows, goals, versions("onnxruntime", "paramiko", "adb-shell", "adbutils"))


if __name__ == "__main__":
    main()
