"""What does reading sensors cost the latency that is measured meanwhile?

`python -m benchmarks.sampler [--quick] [--json FILE]` measures one network pinned to one core of this computer, without
the runner's sampler and with it on another core: reading every node that a campaign would read here, at the nodes' own
rates and at 1, 10 and 100 Hz. In each round every case has its turn, in random order. Each row is the ratio to
`without` of the same round: its geometric mean with the 95 % t interval. `without, again` is the same once more: what
differs there is noise.

`ratio` is of medians, which is what a campaign reports. What slows few iterations no median shows: `hit_percent` of
them were running while something was read, and took `hit_ratio` times as long as the others (sampler_hits.py).
`cpu_percent` is the sampler's own processor time, of the core that it is on.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from benchmarks.outcome import Goal, Row, print_goals, print_table, versions, write_json
from benchmarks.repeat_networks import write_medium
from benchmarks.sampler_hits import Hits, find_hits
from pocketbench.harness.engines.catalogue import local_engine
from pocketbench.harness.measure.launch_summary import launch_median
from pocketbench.harness.measure.statistics import geometric_mean_interval, paired_ratio
from pocketbench.harness.runner.binaries import runner_binary
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.runner.results import BenchOptions, SamplerOptions
from pocketbench.harness.runner.sensing import SensorRequest
from pocketbench.harness.sensors.catalogue import discover_on
from pocketbench.harness.sensors.sampling import sensor_requests
from pocketbench.harness.transports.local import LocalTransport

__all__ = ["Case", "judge", "main", "make_cases", "measure", "runner_of"]

SEED = 0
RATES_HZ = (1, 10, 100)
JUDGED_HZ = 10
MOST_COST = 0.005
ROUNDS, QUICK_ROUNDS = 60, 5
LAUNCH = BenchOptions(iterations=30, warmup_time_ms=200, min_time_ms=1000)
WITHOUT, AGAIN, OWN_RATES = "without", "without, again", "own rates"
_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Case:
    """What a launch is sampled with; `rate_hz` where it is the same for all nodes."""

    name: str
    sampler: SamplerOptions | None = None
    rate_hz: int | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """Of the steady iterations; and what the sampler said of itself, 0 without it."""

    median_ns: float
    hits: Hits | None = None
    cpu_share: float = 0.0
    readings_per_s: float = 0.0
    late: int = 0


Launches = Mapping[str, Mapping[int, Launch]]


def make_cases(nodes: Sequence[SensorRequest], cores: tuple[int, ...]) -> list[Case]:
    """Without, and with the sampler on `cores` at each rate."""
    every = {rate: tuple(replace(node, period_ms=1000 // rate) for node in nodes) for rate in RATES_HZ}
    return [
        Case(WITHOUT),
        Case(AGAIN),
        Case(OWN_RATES, SamplerOptions(tuple(nodes), cores)),
        *(Case(f"{rate} Hz", SamplerOptions(requests, cores), rate) for rate, requests in every.items()),
    ]


def runner_of(model: Path, work_directory: Path) -> Runner:
    """Of an .onnx file on this computer."""
    engine = local_engine("onnxruntime")
    launcher = [str(runner_binary(engine.runner_platform))]
    paths = map(PurePosixPath, (engine.library, model, work_directory))
    return Runner(LocalTransport(), launcher, engine.name, *paths)


def measure(runner: Runner, cases: Sequence[Case], core: int, rounds: int) -> list[Row]:
    """Launch every case once a round on `core`; a row for each but the reference."""
    rng = random.Random(SEED)
    launches: dict[str, dict[int, Launch]] = {case.name: {} for case in cases}
    for number in range(rounds):
        print(f"\rround {number + 1}/{rounds} ", end="", file=sys.stderr)
        for case in rng.sample(cases, len(cases)):
            launches[case.name][number] = _launch(runner, replace(LAUNCH, cores=(core,), sampler=case.sampler))
    print(file=sys.stderr)
    return [_row(case, launches) for case in cases if case.name != WITHOUT]


def _launch(runner: Runner, options: BenchOptions) -> Launch:
    period_ns = 0 if options.sampler is None else min(one.period_ms for one in options.sampler.sensors) * 1_000_000
    result = runner.bench(options, _TIMEOUT_S)
    median_ns, sampling = launch_median(result.steady_ns), result.sampling
    if sampling is None:
        return Launch(median_ns)
    rate = len(sampling.readings) / (sampling.wall_ns / 1e9)
    return Launch(median_ns, find_hits(result, period_ns), sampling.cpu_ns / sampling.wall_ns, rate, sampling.late)


def _row(case: Case, launches: Launches) -> Row:
    own = launches[case.name]
    medians, reference = (
        {number: one.median_ns for number, one in launches[name].items()} for name in (case.name, WITHOUT)
    )
    ratio = paired_ratio(medians, reference)
    assert ratio is not None  # every case is launched in every round
    hits = [one.hits for one in own.values() if one.hits is not None]
    hit = geometric_mean_interval([one.ratio for one in hits])
    return {
        "case": case.name,
        "rate_hz": case.rate_hz,
        "nodes": len(case.sampler.sensors) if case.sampler else 0,
        "latency_ms": float(np.median(list(medians.values()))) / 1e6,
        "ratio": ratio.value,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "hit_percent": 100 * float(np.mean([one.share for one in hits])) if hits else None,
        "hit_ratio": hit.value if hit else None,
        "hit_low": hit.low if hit else None,
        "hit_high": hit.high if hit else None,
        "cpu_percent": 100 * float(np.mean([one.cpu_share for one in own.values()])),
        "readings_per_s": float(np.mean([one.readings_per_s for one in own.values()])),
        "late": sum(one.late for one in own.values()),
        "rounds": ratio.count,
    }


def judge(rows: Sequence[Row]) -> list[Goal]:
    """At 10 Hz: what was found, what it is at most, and what the iterations that are hit make of it on average."""
    (row,) = (row for row in rows if row["rate_hz"] == JUDGED_HZ)
    hit = row["hit_percent"], row["hit_high"]
    costs: dict[str, float | None] = {
        f"{JUDGED_HZ} Hz: more latency": _number(row, "ratio") - 1,
        "the same, beyond doubt: upper end of the interval": _number(row, "ratio_high") - 1,
        f"{JUDGED_HZ} Hz: more latency on average by iterations that are hit, upper end": None
        if None in hit
        else _number(row, "hit_percent") / 100 * (_number(row, "hit_high") - 1),
    }
    return [Goal(name, f"< {MOST_COST}", cost, cost is not None and cost < MOST_COST) for name, cost in costs.items()]


def _number(row: Row, key: str) -> float:
    value = row[key]
    assert isinstance(value, float), f"{key} is measured, of two rounds at least"
    return value


def main() -> None:
    """Parse the command line, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds: within a minute")
    parser.add_argument("--json", type=Path, help="write rows, goals, versions and machine to this file")
    arguments = parser.parse_args()
    core, *others = sorted(os.sched_getaffinity(0))
    if not others:
        raise SystemExit(f"expected two cores or more, got core {core} alone: the sampler needs one of its own")
    # What a command costs is the command's: nodes are what the sampler reads itself.
    nodes = [one for one in sensor_requests(discover_on(LocalTransport()).specs) if one.kind == "node"]
    # The last core: the second is often the other half of the first.
    cases = make_cases(nodes, (others[-1],))
    with tempfile.TemporaryDirectory(prefix="pocketbench-sampler-") as folder:
        runner = runner_of(write_medium(Path(folder)), Path(folder))
        rows = measure(runner, cases, core, QUICK_ROUNDS if arguments.quick else ROUNDS)
    goals = judge(rows)
    print_table(rows)
    print_goals(goals)
    if arguments.json:
        write_json(arguments.json, rows, goals, versions("onnxruntime", "numpy"))


if __name__ == "__main__":
    main()
