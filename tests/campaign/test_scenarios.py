"""Paced, in several streams, for minutes, and with the page cache dropped: what is asked of the runner and stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import BinaryIO

import numpy as np
import pytest

from pocketbench.harness.campaign import reach
from pocketbench.harness.campaign.joint import put_together
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.scenario import Scenario
from pocketbench.harness.campaign.tables import campaign_tables, job_summary
from pocketbench.harness.runner.results import SAMPLE_DTYPE, BenchResult
from pocketbench.harness.store.store import Store
from pocketbench.harness.transports.base import Completed
from pocketbench.harness.transports.local import LocalTransport
from tests.campaign.conftest import FAST, Campaign


@pytest.mark.parametrize(
    ("given", "text", "interval_us", "streams"),
    [
        pytest.param("single-stream", "single-stream", 0, 1, id="by name"),
        pytest.param({}, "single-stream", 0, 1, id="nothing"),
        pytest.param({"paced_fps": 30}, "paced at 30/s", 33_333, 1, id="paced"),
        pytest.param({"streams": 4}, "4 streams", 0, 4, id="streams"),
        pytest.param({"streams": 2, "paced_fps": 0.5}, "paced at 0.5/s, 2 streams", 2_000_000, 2, id="both"),
    ],
)
def test_a_scenario(given: object, text: str, interval_us: int, streams: int):
    scenario = Scenario.model_validate(given)

    assert (scenario.text, scenario.interval_us, scenario.streams) == (text, interval_us, streams)


@pytest.mark.parametrize("given", ["multi-stream", {"streams": 0}, {"streams": 65}, {"paced_fps": 0}, {"minutes": 1}])
def test_what_is_no_scenario(given: object):
    with pytest.raises(ValueError, match="Input should be"):
        Scenario.model_validate(given)


def test_minutes_of_load_are_warm_up_and_measurement_together(plan: Callable[..., Plan]):
    times = plan(scenario={"minutes": 20}, regime="sustained", launch={}).times

    assert (times.warmup_time_s + times.min_time_s, times.max_time_s) == (1200, 1140)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"regime": "burst", "launch": {}}, "expected 'regime: sustained'", id="burst"),
        pytest.param({"regime": "sustained", "launch": {"min_time_s": 60}}, "got both", id="two times"),
    ],
)
def test_minutes_that_contradict_the_rest(values: dict[str, object], expected: str, plan: Callable[..., Plan]):
    with pytest.raises(ValueError, match=expected):
        plan(scenario={"minutes": 10}, **values)


def test_several_streams_are_measured_where_all_of_them_work(plan: Callable[..., Plan], run: Campaign, store: Store):
    wanted = plan(scenario={"streams": 3}, rounds=1, launch={**FAST, "min_time_s": 0.5})

    tables = campaign_tables(store, run(wanted))

    assert tables.campaign["scenario"].item() == "3 streams"
    assert (tables.launches["status"] == "ok").all()
    for launch in tables.launches.to_dict("records"):
        samples = tables.samples[tables.samples["launch_id"] == launch["launch_id"]]
        steady = samples[samples["kind"] == "steady"]
        assert sorted(set(samples["stream"])) == sorted(set(steady["stream"])) == [0, 1, 2]
        # What counts begins after the last one's beginning and ends before the first one's end.
        ends = samples["start_ns"] + samples["latency_ns"]
        assert steady["start_ns"].min() >= samples.groupby("stream")["start_ns"].min().max()
        assert (steady["start_ns"] + steady["latency_ns"]).max() <= ends.groupby(samples["stream"]).max().min()
        assert launch["latency_median_ns"] == np.median(steady["latency_ns"])
        assert launch["iterations"] == len(steady)
        assert launch["throughput_per_s"] > 0
    rows = [row for row in job_summary(tables) if row["latency_ns"]]
    assert {row["scenario"] for row in rows} == {"3 streams"}
    shown = sorted(row["throughput_per_s"] for row in rows)
    assert shown == pytest.approx(sorted(tables.launches["throughput_per_s"]))


def test_a_paced_launch_keeps_its_pace(plan: Callable[..., Plan], run: Campaign, store: Store):
    tables = campaign_tables(store, run(plan(scenario={"paced_fps": 100}, rounds=1, launch={**FAST, "iterations": 20})))

    for launch_id in tables.launches["launch_id"]:
        starts = tables.samples.loc[tables.samples["launch_id"] == launch_id, "start_ns"]
        assert np.diff(starts).min() > 0
        # A turn that was missed is not made up for: never more than were asked for.
        assert len(starts) <= (starts.max() - starts.min()) / 1e7 + 1.5
    assert tables.launches["throughput_per_s"].max() < 110


def bench_result(samples: np.ndarray, *others: np.ndarray) -> BenchResult:
    return BenchResult(samples, None, 0, 0, 0, (), (), other_streams=others)


def every(first_ns: int, latency_ns: int, count: int) -> np.ndarray:
    samples = np.zeros(count, SAMPLE_DTYPE)
    samples["start_ns"], samples["latency_ns"] = first_ns + latency_ns * np.arange(count), latency_ns
    samples["steady"] = True
    return samples


def test_streams_that_never_worked_at_once_say_nothing():
    result = bench_result(every(0, 10, 5), every(50, 10, 5))

    joint = put_together(result, np.ones(5, bool))

    assert (joint.summary, joint.window, joint.throughput_per_s, joint.inference_s) == (None, None, None, None)
    assert len(joint.samples) == 10
    assert not joint.samples["steady"].any()


def test_the_energy_of_a_window_is_shared_by_the_inferences_of_all_streams():
    """Two streams of 10 ms: an inference has 5 ms of the time."""
    ms = 10**6
    joint = put_together(bench_result(every(0, 10 * ms, 100), every(5 * ms, 10 * ms, 100)), np.ones(100, bool))

    assert joint.throughput_per_s == pytest.approx(200)
    assert joint.inference_s == pytest.approx(0.005)


def test_other_streams_count_from_where_the_first_ones_warm_up_was_over():
    steady = np.arange(100) >= 50
    joint = put_together(bench_result(every(0, 10, 100), every(0, 10, 100)), steady)

    assert joint.summary is not None
    assert (joint.summary.iterations, joint.summary.warmup_iterations) == (100, 100)
    assert joint.samples["steady"].tolist() == [*steady, *steady]


class Permitting(LocalTransport):
    """This computer, whose page cache is never touched: `answers` is what dropping it exits with, call by call."""

    def __init__(self, answers: Sequence[int], *, sudo: bool = False) -> None:
        super().__init__()
        self.answers, self.sudo = list(answers), sudo
        self.calls: list[tuple[str, ...]] = []

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        words = tuple(argv)
        if "drop_caches" in words[-1]:
            self.calls.append(words)
            code = self.answers.pop(0) if self.answers else 0
            return Completed(words, code, b"", b"Permission denied\n" if code else b"", 0.0)
        if words[0] == "sudo":
            return Completed(words, 0 if self.sudo else 1, b"0\n", b"", 0.0)
        return super().run(argv, timeout_s=timeout_s, stdin=stdin)


@pytest.mark.parametrize(
    ("answers", "sudo", "expected", "prefixes"),
    [
        pytest.param([], False, ["dropped", "dropped"], ["sh", "sh"], id="as root"),
        pytest.param([2, 0, 0], True, ["dropped", "dropped"], ["sh", "sudo", "sudo"], id="with sudo"),
        pytest.param([2], False, ["warm", "warm"], ["sh"], id="not permitted"),
        pytest.param([2, 2], True, ["warm", "warm"], ["sh", "sudo"], id="a kernel that lets nobody"),
        pytest.param([0, 2], False, ["dropped", "warm"], ["sh", "sh"], id="no longer"),
    ],
)
def test_the_page_cache_is_dropped_where_that_is_permitted(
    answers: list[int],
    sudo: bool,
    expected: list[str],
    prefixes: list[str],
    plan: Callable[..., Plan],
    run: Campaign,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
):
    transport = Permitting(answers, sudo=sudo)
    monkeypatch.setattr(reach, "open_transport", lambda device, **options: transport)
    told: list[str] = []
    wanted = plan(rounds=2, drop_page_cache=True)
    wanted = wanted.model_copy(update={"variants": wanted.variants[:1]})

    tables = campaign_tables(store, run(wanted, progress=lambda event: told.append(event.message)))

    assert list(tables.launches["page_cache"]) == expected
    assert [call[0] for call in transport.calls] == prefixes
    assert any("cannot be dropped" in text for text in told) == ("warm" in expected)


def test_nobodys_page_cache_is_dropped_unasked(
    plan: Callable[..., Plan], run: Campaign, store: Store, monkeypatch: pytest.MonkeyPatch
):
    transport = Permitting([])
    monkeypatch.setattr(reach, "open_transport", lambda device, **options: transport)

    tables = campaign_tables(store, run(plan(rounds=1)))

    assert set(tables.launches["page_cache"]) == {"warm"}
    assert transport.calls == []
    assert json.loads(json.dumps(job_summary(tables)))[0]["scenario"] == "single-stream"
