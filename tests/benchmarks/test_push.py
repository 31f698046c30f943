"""benchmarks/push: the goals are judged by what was measured, and small cases go the whole way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import push
from benchmarks.outcome import Row, versions, write_json
from benchmarks.push_ways import OURS, links
from tests.needs import require_program


def row(run: str, ratio: float = 1.0, ours_s: float = 0.2, alike: float = 0.7) -> Row:
    low, high = ratio - 0.1, ratio + 0.1
    ratios: Row = {"ratio": ratio, "ratio_low": low, "ratio_high": high, "alike": alike}
    return {"run": run, "ours_s": ours_s, "round_trip_s": 0.05, **ratios}


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
        pytest.param([], [False, False, False, False], id="nothing was measured"),
    ],
)
def test_goals(rows: list[Row], met: list[bool]):
    assert [goal.met for goal in push.judge(rows)] == met


def test_small_cases_go_the_whole_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    require_program("rsync", "apt-get install rsync")
    require_program("scp", "apt-get install openssh-client")
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")  # put back afterwards
    monkeypatch.setattr(push, "LARGE_BYTES", 100_000)
    monkeypatch.setattr(push, "SMALL_FILES", 3)
    rows: list[Row] = []
    with links() as devices:
        assert [link.missing for link in devices] == [[], []]
        cases = push.make_cases(tmp_path)
        for link in devices:
            rows += push.measure(link, cases, rounds=2)
    write_json(tmp_path / "out.json", rows, push.judge(rows), versions("paramiko"))
    written = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert {(row["link"], row["case"], row["run"], row["against"]) for row in written} == {
        (link, case, run, way)
        for link, way in (("ssh", "scp"), ("ssh", "rsync"), ("adb", "adb push"))
        for case in ("0.1 MB", "3 files")
        for run in ("first", "unchanged")
    }
    assert all(0 < row["ratio_low"] <= row["ratio"] <= row["ratio_high"] for row in written)
    first = [row for row in written if row["run"] == "first"]
    assert all(row["disk_s"] > 0 and 0 < row["alike"] < row["ratio"] for row in first)
    assert {row["against"] for row in first if row["hash_s"] is None} == {"rsync"}
    assert all(row["source_s"] > 0 and row["connect_s"] > 0 for row in written)


def test_the_longer_of_what_was_left_undone_is_added_to_theirs():
    series = {
        OURS: push.Series({0: 3.0, 1: 6.0}),
        "scp": push.Series({0: 1.0, 1: 2.0}, {0: 2.0, 1: 1.0}, {0: 0.5, 1: 4.0}),
        "rsync": push.Series({0: 1.0, 1: 2.0}, {0: 2.0, 1: 4.0}),
    }
    rows = push.rows_of("ssh", "x", "first", series, push.Overheads(0.1, 0.2), 0.3)
    assert [row["against"] for row in rows] == ["rsync", "scp"]
    assert [row["ratio"] for row in rows] == pytest.approx([3.0, 3.0])
    assert [row["alike"] for row in rows] == pytest.approx([1.0, 1.0])
    assert [row["hash_s"] for row in rows] == [None, 2.25]
