"""benchmarks/repeat: shares are counted and judged right, the load comes and goes, and campaigns go the whole way."""

from __future__ import annotations

import itertools
import json
import math
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import repeat
from benchmarks.background import BackgroundLoad, Burst, schedule
from benchmarks.outcome import Row, versions, write_json
from benchmarks.repeat_networks import write_pair
from benchmarks.repeat_ways import COPY, SLOWER, Answer, Arm, Measured, way_rows
from pocketbench.harness.campaign.plan import LaunchSpec
from tests.runner.tiny_models import dense_onnx


def row(holds: float, answers: int = 20, way: str = "pocketbench", compared: str = SLOWER) -> Row:
    return {"compared": compared, "way": way, "answers": answers, "holds": holds}


@pytest.mark.parametrize(
    ("rows", "met"),
    [
        pytest.param([row(0.9)], [True], id="18 of 20"),
        pytest.param([row(0.85)], [False], id="17 of 20"),
        pytest.param([row(1.0)], [True], id="20 of 20, as is likely with 95 %"),
        pytest.param([row(1.0, answers=400)], [False], id="400 of 400: too wide"),
        pytest.param([row(0.95), row(0.8, compared=COPY)], [True, False], id="the copy by itself"),
        pytest.param([row(0.1, way="all iterations"), row(0.95)], [True], id="other ways are not judged"),
    ],
)
def test_goals(rows: list[Row], met: list[bool]):
    assert [goal.met for goal in repeat.judge(rows)] == met


def campaign(answer: Answer, copy: Answer) -> Measured:
    """Launches of 3 and 6 iterations, the slower network at twice the latency, the copy as the reference."""
    reference = {0: np.array([1.0, 2.0, 3.0]), 1: np.array([4.0, 4.0, 4.0, 2.0, 6.0, 4.0])}
    slower = {number: 2 * launch for number, launch in reference.items()}
    return Measured(reference, {SLOWER: Arm(slower, answer), COPY: Arm(reference, copy)})


def test_an_interval_is_held_against_the_mean_of_all_answers_and_the_copys_against_1():
    campaigns = [
        campaign(Answer(2.0, 1.9, 2.1), Answer(0.9, 0.8, 0.95)),
        campaign(Answer(8.0, 3.9, 16.0), Answer(1.1, 0.9, 1.2)),
    ]

    rows = {(row["compared"], row["way"]): row for row in way_rows(campaigns)}

    slower, copy = rows[SLOWER, "pocketbench"], rows[COPY, "pocketbench"]
    assert slower["mean_ratio"] == pytest.approx(4.0)
    assert (slower["answers"], slower["holds"], slower["called_different"]) == (2, 0.5, 1.0)
    assert slower["farthest_off"] == pytest.approx(math.log(2))
    assert (copy["holds"], copy["called_different"]) == (0.5, 0.5)
    assert copy["half_width"] == pytest.approx((math.log(0.95 / 0.8) + math.log(1.2 / 0.9)) / 4)


def test_the_other_ways_make_of_the_same_iterations_what_they_would():
    rows = {
        row["way"]: row
        for row in way_rows([campaign(Answer(2.0, 1.9, 2.1), Answer(1.0, 0.9, 1.1))])
        if row["compared"] == SLOWER
    }

    # Of round 0 both have a mean of 2 standard deviations, of round 1 one of 4 / sqrt(1.6).
    relative = np.array([1 / 2, math.sqrt(1.6) / 4])
    assert {way: row["answers"] for way, row in rows.items()} == {
        "pocketbench": 1,
        "one launch, mean ± std": 2,
        "one launch, t interval": 2,
        "all iterations": 1,
    }
    assert rows["one launch, mean ± std"]["half_width"] == pytest.approx(np.median(relative * math.sqrt(2)))
    errors = relative * np.sqrt(2 / np.array([3, 6]))
    assert rows["one launch, t interval"]["half_width"] == pytest.approx(np.median(errors * [2.776445, 2.228139]))
    pooled = np.array([1, 2, 3, 4, 4, 4, 2, 6, 4])
    error = pooled.std(ddof=1) / pooled.mean() * math.sqrt(2 / 9)
    assert rows["all iterations"]["half_width"] == pytest.approx(error * 2.119905)
    assert all(row["mean_ratio"] == pytest.approx(2.0) for row in rows.values())


def bursts(seed: int) -> list[Burst]:
    return list(itertools.islice(schedule(seed), 20_000))


def test_the_load_is_the_same_for_the_same_seed_and_changes_all_the_time():
    one = bursts(1)

    busy_s, idle_s = (np.array([getattr(burst, name) for burst in one]) for name in ("busy_s", "idle_s"))
    assert one == bursts(1)
    assert one != bursts(2)
    assert 0.4 < busy_s.sum() / (busy_s.sum() + idle_s.sum()) < 0.6
    stretches = [np.split(times, 1000) for times in (busy_s, idle_s)]  # about as long as a phase each
    shares = [busy.sum() / (busy.sum() + idle.sum()) for busy, idle in zip(*stretches, strict=True)]
    assert min(shares) < 0.2
    assert max(shares) > 0.8


def test_the_load_ends_with_its_with_also_when_that_fails():
    with BackgroundLoad(0) as load:
        time.sleep(0.1)
    with pytest.raises(RuntimeError, match="in between"), BackgroundLoad(0) as failed:
        raise RuntimeError("in between")

    assert load.share is not None
    assert load.share >= 0
    assert [one.process.poll() for one in (load, failed)] == [0, 0]


def test_without_its_load_a_result_is_none():
    with pytest.raises(SystemExit, match="expected background load"), BackgroundLoad(0) as load:
        load.process.kill()


def test_campaigns_go_the_whole_way(tmp_path: Path):
    pair = write_pair(tmp_path)
    short = LaunchSpec(iterations=5, min_time_s=0, warmup_iterations=2, warmup_time_s=0)

    campaigns = repeat.measure(pair, repeat.Size(2, 2, short), tmp_path)
    rows, campaign_rows = way_rows(campaigns), repeat.campaign_rows(campaigns)
    write_json(tmp_path / "out.json", [*campaign_rows, *rows], repeat.judge(rows), versions("onnxruntime"))

    written = json.loads((tmp_path / "out.json").read_text())
    by_campaign, by_way = written["rows"][:4], written["rows"][4:]
    assert [(row["campaign"], row["compared"]) for row in by_campaign] == [
        (number, compared) for number in (0, 1) for compared in (SLOWER, COPY)
    ]
    assert all(0 < row["ratio_low"] <= row["ratio"] <= row["ratio_high"] for row in by_campaign)
    assert [(row["compared"], row["answers"]) for row in by_way] == [
        (compared, answers) for compared in (SLOWER, COPY) for answers in (2, 4, 4, 2)
    ]
    assert by_way[0]["mean_ratio"] == pytest.approx(math.sqrt(by_campaign[0]["ratio"] * by_campaign[2]["ratio"]))
    assert len(written["goals"]) == 2


def test_a_network_that_cannot_be_measured_is_no_result(tmp_path: Path):
    """One round says nothing about spread."""
    pair = dense_onnx(tmp_path / "one.onnx"), dense_onnx(tmp_path / "other.onnx", units=64)
    short = LaunchSpec(iterations=5, min_time_s=0, warmup_iterations=2, warmup_time_s=0)

    with pytest.raises(SystemExit, match="expected at least 2 rounds"):
        repeat.measure(pair, repeat.Size(1, 1, short), tmp_path)
