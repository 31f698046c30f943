"""The graph of tasks, with real workers and tasks of a line."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from pocketbench.compression.cache import Cache
from pocketbench.compression.graph import Broken, Task, run_tasks
from pocketbench.compression.progress import BuildProgress, ProgressMeter
from pocketbench.compression.worker_pool import WorkerPool
from tests.compression.builds import own_functions


def task(name: str, function=own_functions.writes, *needs: str, cost: float = 1.0) -> Task:
    return Task(name, "convert", f"making {name}", function, name, {need: need for need in needs}, f"{name:0<64}", cost)


def run(tasks: list[Task], goals: list[str], folder: Path, *, cache: Cache | None = None):
    events: list[BuildProgress] = []
    ended: list[str] = []
    scratch = folder / f"scratch{len(list(folder.glob('scratch*')))}"
    scratch.mkdir()
    with WorkerPool(2, 60) as pool:
        outcomes = run_tasks(
            tasks,
            goals,
            pool=pool,
            workers=2,
            cache=cache,
            scratch=scratch,
            meter=ProgressMeter({task.name: task.stage for task in tasks}, 2, events.append),
            finished=lambda name, outcome: ended.append(name),
        )
    return outcomes, ended, events


def test_a_failure_takes_only_its_dependents_with_it(tmp_path: Path):
    tasks = [
        task("bad", own_functions.noisy),
        task("good"),
        task("from bad", own_functions.writes, "good", "bad"),
        task("from good", own_functions.writes, "good"),
    ]

    outcomes, ended, events = run(tasks, ["from bad", "from good"], tmp_path)

    assert isinstance(outcomes["from bad"], Broken)
    assert "the reason" in outcomes["from bad"].failed.reason
    assert outcomes["from bad"] == outcomes["bad"]
    assert (outcomes["from good"] / "made.txt").read_text() == "from good ['good']"
    assert sorted(ended) == ["bad", "from bad", "from good", "good"]
    assert [event.done for event in events] == sorted(event.done for event in events)
    assert events[-1].done == 1.0


def test_only_what_a_goal_needs_is_made(tmp_path: Path):
    outcomes, _, _ = run([task("a"), task("b", own_functions.writes, "a"), task("other")], ["b"], tmp_path)

    assert sorted(outcomes) == ["a", "b"]


def test_the_longest_way_starts_first(tmp_path: Path):
    tasks = [task("short"), task("also short"), task("start"), task("long", own_functions.writes, "start", cost=9.0)]

    _, _, events = run(tasks, [task.name for task in tasks], tmp_path)

    assert "making start" in events[0].message


def test_what_the_cache_has_needs_nothing_of_what_it_was_made_from(tmp_path: Path):
    cache = Cache(tmp_path / "cache")
    tasks = [task("a"), task("b", own_functions.writes, "a")]
    run(tasks, ["b"], tmp_path, cache=cache)

    outcomes, _, _ = run([task("a", own_functions.segfaults), *tasks[1:]], ["b"], tmp_path, cache=cache)

    assert sorted(outcomes) == ["b"]
    assert (outcomes["b"] / "made.txt").read_text() == "b ['a']"


def test_a_failure_is_not_kept(tmp_path: Path):
    cache = Cache(tmp_path / "cache")

    run([task("a", own_functions.noisy)], ["a"], tmp_path, cache=cache)
    outcomes, _, _ = run([task("a")], ["a"], tmp_path, cache=cache)

    assert isinstance(outcomes["a"], Path)


@pytest.fixture
def entry(tmp_path: Path) -> tuple[Cache, Path]:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "model.onnx").write_bytes(b"bytes")
    cache = Cache(tmp_path / "cache")
    return cache, cache.put("ab" * 32, tmp_path / "made")


def test_what_is_put_into_the_cache_is_found_whole(entry: tuple[Cache, Path]):
    cache, place = entry

    assert cache.get("ab" * 32) == place
    assert (place / "model.onnx").read_bytes() == b"bytes"
    assert cache.get("cd" * 32) is None


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda place: (place / "model.onnx").write_bytes(b"other"), id="changed"),
        pytest.param(lambda place: (place / "model.onnx").unlink(), id="missing"),
        pytest.param(lambda place: (place / "more.txt").touch(), id="more"),
        pytest.param(lambda place: (place / "entry.json").unlink(), id="no entry"),
        pytest.param(lambda place: (place / "entry.json").write_text("{"), id="half an entry"),
        pytest.param(lambda place: (place / "entry.json").write_text("[]"), id="another entry"),
        pytest.param(lambda place: (place / "entry.json").write_text('{"version": 2, "files": {}}'), id="newer"),
    ],
)
def test_a_damaged_entry_is_told_removed_and_made_again(damage, entry, tmp_path: Path, caplog):
    cache, place = entry
    damage(place)

    with caplog.at_level(logging.WARNING):
        assert cache.get("ab" * 32) is None

    assert "is damaged" in caplog.text
    assert not place.exists()
    assert cache.put("ab" * 32, tmp_path / "made") == place
    assert cache.get("ab" * 32) == place


def test_who_comes_second_takes_what_the_first_has_put(entry, tmp_path: Path):
    cache, place = entry

    assert cache.put("ab" * 32, tmp_path / "made") == place
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["ab"]


def test_a_cache_that_cannot_be_written_costs_time_and_no_more(tmp_path: Path, caplog):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "model.onnx").write_bytes(b"bytes")
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / "cache")

    assert cache.put("ab" * 32, tmp_path / "made") == tmp_path / "made"
    assert cache.get("ab" * 32) is None
    assert "cannot be kept in the cache" in caplog.text
