"""A process that is killed at any moment leaves what it said it had stored, and nothing by halves."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from pocketbench.harness.store.database import Database
from pocketbench.harness.store.store import Store
from tests.store.example_campaign import add, good_launch, samples

ID = "20260102T030405Z-net-0000"

# Says each launch once it is stored; its samples tell which launch they belong to.
WRITE_LAUNCHES = """
import sys
from pathlib import Path
from pocketbench.harness.store.store import Store
from tests.store.example_campaign import add, good_launch, samples
with Store(Path(sys.argv[1])) as store, store.hold("20260102T030405Z-net-0000"):
    job_id = next(iter(add(store).values()))
    for number in range(100_000):
        launch_id = store.add_launch(good_launch(job_id, number), samples(number, *range(200)))
        sys.stdout.write(f"{launch_id} {number}\\n")
        sys.stdout.flush()
"""


@pytest.mark.parametrize("lines", [1, 7, 30])
def test_every_launch_that_was_stored_is_there_whole_after_a_kill(home, store_process, lines):
    process = store_process(WRITE_LAUNCHES, str(home))
    said = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    said += process.stdout.read().splitlines(keepends=True)
    stored = {int(line.split()[0]): int(line.split()[1]) for line in said if line.endswith(b"\n")}
    process.wait()

    with Store(home) as store:
        tables = store.tables(ID)  # reads every sample and compares it with its hash
        [row] = store.campaigns()

    by_launch: dict[int, list[int]] = {}
    for launch_id, latency_ns in zip(tables.samples["launch_id"], tables.samples["latency_ns"], strict=True):
        by_launch.setdefault(launch_id, []).append(latency_ns)
    rounds = dict(zip(tables.launches["launch_id"], tables.launches["round"], strict=True))
    assert len(stored) >= lines
    assert stored.items() <= rounds.items()
    # One may have been stored and not yet said.
    assert len(rounds) - len(stored) in (0, 1)
    assert by_launch == {launch_id: [number, *range(200)] for launch_id, number in rounds.items()}
    assert row["status"] == tables.campaign["status"].item() == "interrupted"


def test_a_transaction_that_was_cut_leaves_nothing(home, store_process):
    code = """
import os, sys
from pathlib import Path
from pocketbench.harness.store import writing
from pocketbench.harness.store.database import Database
from tests.store.example_campaign import JOBS, DEVICE, VARIANTS, campaign
with Database(Path(sys.argv[1]) / "pocketbench.db").writing() as connection:
    writing.add_campaign(connection, campaign(), [DEVICE], VARIANTS, JOBS)
    os.kill(os.getpid(), 9)
"""
    assert store_process(code, str(home)).wait() == -9

    with Store(home) as store:
        assert store.campaigns() == []
    with closing(sqlite3.connect(home / "pocketbench.db")) as connection:
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (0,)


def test_readers_work_while_a_campaign_writes(home, store_process):
    process = store_process(WRITE_LAUNCHES, str(home))
    process.stdout.readline()

    seen = []
    with Store(home) as store:
        for _ in range(10):
            tables = store.tables(ID)
            # One state: samples of exactly the launches that the same look saw.
            assert set(tables.samples["launch_id"]) == set(tables.launches["launch_id"])
            assert tables.campaign["status"].item() == store.campaigns()[0]["status"] == "running"
            seen.append(len(tables.launches))
            process.stdout.readline()

    assert process.poll() is None
    assert seen == sorted(seen)
    assert seen[-1] > seen[0]


def test_a_reader_sees_one_state_whatever_is_written_meanwhile(home):
    query = "SELECT count(*) FROM launches"
    with Store(home) as store, closing(Database(home / "pocketbench.db")) as reader:
        job_id = next(iter(add(store).values()))
        with reader.reading() as connection:
            before = connection.exec_driver_sql(query).scalar_one()
            store.add_launch(good_launch(job_id), samples(1, 2))
            assert connection.exec_driver_sql(query).scalar_one() == before == 0

        with reader.reading() as connection:
            assert connection.exec_driver_sql(query).scalar_one() == 1


def test_a_writer_has_the_store_to_itself_from_its_first_read_on_and_a_reader_has_not(home):
    """Otherwise another could write between its read and its write, and SQLite would refuse the write at once."""

    def locked():
        with closing(sqlite3.connect(home / "pocketbench.db", timeout=0)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
        return False

    with closing(Database(home / "pocketbench.db")) as database:
        with database.writing():
            assert locked()
        with database.reading():
            assert not locked()


ADD_FAILURES = """
import sys
from pathlib import Path
from pocketbench.harness.store.store import Store
with Store(Path(sys.argv[1])) as store:
    sys.stdout.write("ready")
    sys.stdout.flush()
    sys.stdin.read(1)
    for number in range(40):
        store.add_failure([int(sys.argv[2])], "deploy", str(number))
"""


def test_processes_that_write_at_once_wait_for_each_other(home, store_process):
    """Each of these transactions deletes and inserts: none may find the store locked."""
    with Store(home) as store:
        job_ids = list(add(store).values())
    processes = [store_process(ADD_FAILURES, str(home), str(job_id)) for job_id in job_ids[:3]]
    for process in processes:
        assert process.stdout.read(5) == b"ready"
    for process in processes:
        process.stdin.write(b"x")
        process.stdin.flush()

    assert [process.wait(60) for process in processes] == [0, 0, 0]
    with Store(home) as store:
        assert store.tables(ID).jobs["reason"].tolist()[:3] == ["not deployed: 39"] * 3


def test_a_campaign_runs_while_a_process_holds_it_and_was_cut_off_when_none_does(store):
    add(store)

    def status():
        [row] = store.campaigns()
        return row["status"], store.tables(ID).campaign["status"].item()

    assert status() == ("interrupted", "interrupted")
    with store.hold(ID):
        assert status() == ("running", "running")
        store.set_status(ID, "finished")
        assert status() == ("finished", "finished")
    assert status() == ("finished", "finished")


def test_a_campaign_that_ends_between_two_looks_is_not_said_to_be_cut_off(store, monkeypatch):
    from pocketbench.harness.store import store as store_module

    add(store)

    def ends_just_now(folder, name):
        store.set_status(ID, "finished")
        return False

    monkeypatch.setattr(store_module, "is_held", ends_just_now)

    assert store.campaigns()[0]["status"] == "finished"
