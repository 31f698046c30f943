"""benchmarks/push: the goals are judged by what was measured, and small cases go the whole way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import push, push_cases
from benchmarks.outcome import Row, versions, write_json
from benchmarks.push_links import LOOPBACK, Condition, links
from benchmarks.push_rows import Overheads, Series, judge, rows_of
from benchmarks.push_ways import OURS
from pocketbench.harness.transports.base import run_checked
from tests.needs import require_program

SLOW = Condition("slow", 5e6, 10.0)


def row(run: str, ratio: float = 1.0, ours_s: float = 0.2, alike: float = 0.7, link: str = "ssh") -> Row:
    low, high = ratio - 0.1, ratio + 0.1
    ratios: Row = {"ratio": ratio, "ratio_low": low, "ratio_high": high, "alike": alike}
    return {"link": link, "run": run, "ours_s": ours_s, "round_trip_s": 0.05, **ratios}


@pytest.mark.parametrize(
    ("rows", "met"),
    [
        pytest.param([row("first", 0.9), row("unchanged")], [True, True, True, True], id="faster"),
        pytest.param([row("first", 1.05), row("unchanged")], [False, True, True, True], id="slower, but not for sure"),
        pytest.param(
            [row("first", 1.5), row("first", 0.5), row("unchanged")], [False, False, True, True], id="than one"
        ),
        pytest.param([row("first", alike=1.2), row("unchanged")], [True, True, False, True], id="with the same work"),
        pytest.param([row("first"), row("unchanged", 9.0, 0.34)], [True, True, True, True], id="unchanged, in time"),
        pytest.param([row("first"), row("unchanged", 0.1, 0.36)], [True, True, True, False], id="unchanged, too long"),
        pytest.param([row("first")], [True, True, True, False], id="unchanged was not measured"),
        pytest.param([], [], id="nothing was measured"),
        pytest.param(
            [row("first"), row("unchanged"), row("first", 1.5, link="adb"), row("unchanged", link="adb")],
            [True, True, True, True, False, False, True, True],
            id="each link by itself",
        ),
    ],
)
def test_goals(rows: list[Row], met: list[bool]):
    assert [goal.met for goal in judge(rows)] == met


def test_small_cases_go_the_whole_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    require_program("rsync", "apt-get install rsync")
    require_program("scp", "apt-get install openssh-client")
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")  # put back afterwards
    monkeypatch.setattr(push_cases, "SMALL_FILES", 3)
    monkeypatch.setattr(push_cases, "_variant", lambda folder: push_cases._small_files(folder))
    rows: list[Row] = []
    with links([LOOPBACK], [LOOPBACK]) as devices:
        assert [link.missing for link in devices] == [[], []]
        cases = push_cases.make_cases(tmp_path, 100_000)
        for link in devices:
            rows += push.measure(link, cases, rounds=2)
    write_json(tmp_path / "out.json", rows, judge(rows), versions("paramiko"))
    written = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert {(row["link"], row["case"], row["run"], row["against"]) for row in written} == {
        (f"{link}, loopback", case, run, way)
        for link, ways in (("ssh", ("scp", "rsync", "rsync -z")), ("adb", ("adb push",)))
        for way in ways
        for case in ("0.1 MB", "3 files", "engine, runner, model")
        for run in ("first", "unchanged")
    }
    assert all(0 < row["ratio_low"] <= row["ratio"] <= row["ratio_high"] for row in written)
    first = [row for row in written if row["run"] == "first"]
    assert all(row["disk_s"] > 0 and 0 < row["alike"] < row["ratio"] for row in first)
    assert {row["against"] for row in first if row["hash_s"] is None} == {"rsync", "rsync -z"}
    assert all(row["source_s"] > 0 and row["connect_s"] > 0 for row in written)


@pytest.mark.parametrize("kind", ["ssh", "adb"])
def test_a_limited_link_takes_its_time(kind: str):
    """However fast the computer is: the same bytes by any way take as long as the link is slow."""
    boards, phones = ([SLOW], []) if kind == "ssh" else ([], [SLOW])
    with links(boards, phones) as (link,), link.connect() as transport:
        run_checked(transport, ["true"], timeout_s=60)
        small = run_checked(transport, ["true"], timeout_s=60)
        large = run_checked(transport, ["wc", "-c"], timeout_s=60, stdin=bytes(1_000_000))
    assert large.stdout.strip() == b"1000000"
    assert small.duration_s >= 0.02
    assert large.duration_s >= 0.9 * 1_000_000 / 5e6  # a few milliseconds may have been saved up


def test_a_variant_is_what_pocketbench_deploys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(push_cases, "SMALL_FILES", 0)
    folder = push_cases.make_cases(tmp_path, 1)["engine, runner, model"]
    names = {path.name.partition(".")[0] for path in folder.iterdir()}
    assert names == {"libonnxruntime", "pocketbench-runner", "model"}


def test_slow_links_get_less():
    assert push_cases.large_case(None) == push_cases.large_case(200e6) == 100_000_000
    assert push_cases.large_case(35e6) == 30_000_000


def test_the_longer_of_what_was_left_undone_is_added_to_theirs():
    series = {
        OURS: Series({0: 3.0, 1: 6.0}),
        "scp": Series({0: 1.0, 1: 2.0}, {0: 2.0, 1: 1.0}, {0: 0.5, 1: 4.0}),
        "rsync": Series({0: 1.0, 1: 2.0}, {0: 2.0, 1: 4.0}),
    }
    rows = rows_of("ssh", "x", "first", series, Overheads(0.1, 0.2), 0.3)
    assert [row["against"] for row in rows] == ["rsync", "scp"]
    assert [row["ratio"] for row in rows] == pytest.approx([3.0, 3.0])
    assert [row["alike"] for row in rows] == pytest.approx([1.0, 1.0])
    assert [row["hash_s"] for row in rows] == [None, 2.25]
