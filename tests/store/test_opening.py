"""What is no store, or one that cannot be used, is refused in a sentence and left as it is."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from pocketbench.harness.errors import StoreError
from pocketbench.harness.store.database import Database
from pocketbench.harness.store.store import Store
from tests.store.example_campaign import add

DATABASE = "pocketbench.db"


@pytest.fixture
def full(home):
    """A store whose file has many pages, all of them in the file itself."""
    with Store(home) as store:
        for number in range(4):
            add(store, f"campaign-{number}", plan="x" * 25_000)
    assert not (home / f"{DATABASE}-wal").exists()
    return home / DATABASE


def test_a_new_store_is_empty_and_keeps_what_is_written(home):
    with Store(home) as store:
        assert store.campaigns() == []
        add(store)

    with Store(home) as store:
        assert [row["name"] for row in store.campaigns()] == ["net"]


def test_the_store_survives_a_power_cut_and_has_its_references_checked(home):
    database = Database(home / DATABASE)
    with database.reading() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    database.close()

    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_database_of_something_else_is_refused_and_not_touched(home):
    path = home / DATABASE
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()

    with pytest.raises(StoreError, match=r"expected a pocketbench store at .*, got a database of .*\['bookmarks'\]"):
        Store(home)

    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"These are my notes, not a database.\n" * 200, id="text"),
        pytest.param(lambda data: data[: len(data) // 2], id="cut in the middle"),
        pytest.param(lambda data: data[:-4096], id="last page missing"),
        pytest.param(lambda data: data[:700], id="cut in the first page"),
        pytest.param(lambda data: bytes(4096) + data[4096:], id="first page zero"),
        pytest.param(lambda data: data[:100] + b"\xff" * 3996 + data[4096:], id="schema overwritten"),
    ],
)
def test_a_damaged_file_is_refused_and_not_touched(full, damage):
    full.write_bytes(damage(full.read_bytes()))
    before = full.read_bytes()

    with pytest.raises(StoreError, match=r"got a damaged file .*: restore it from a copy") as caught:
        Store(full.parent)

    assert caught.value.exit_code == 2
    assert full.read_bytes() == before


def test_damage_further_in_is_a_sentence_when_it_is_read(full):
    data = full.read_bytes()
    full.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))

    # Either while opening, which reads one table, or with the first question.
    with pytest.raises(StoreError, match="damaged file"), Store(full.parent) as store:
        store.campaigns()


def test_nothing_is_migrated_in_a_damaged_file(full, tmp_path):
    data = full.read_bytes()
    # Beyond the few pages of the tables that the migration itself reads.
    full.write_bytes(data[:-8192] + b"\xff" * 8192)
    before = full.read_bytes()

    with pytest.raises(StoreError, match="damaged file"):
        Database(full, scripts=tmp_path / "never read", head="another")

    assert full.read_bytes() == before


def test_an_empty_file_becomes_a_store(home):
    (home / DATABASE).touch()

    with Store(home) as store:
        assert store.campaigns() == []


@pytest.mark.parametrize(
    "occupy",
    [
        pytest.param(lambda home: (home / DATABASE).mkdir(), id="a directory in place of the database"),
        pytest.param(lambda home: (home / f".{DATABASE}.lock").mkdir(), id="a directory in place of its lock"),
        pytest.param(lambda home: home.rmdir(), id="no folder"),
        pytest.param(lambda home: (home.rmdir(), home.touch()), id="a file in place of the folder"),
    ],
)
def test_a_place_that_cannot_be_used_is_a_sentence(home, occupy):
    occupy(home)

    with pytest.raises(StoreError, match=r"expected to read and write the store .*, got '.+': see that") as caught:
        Store(home)

    assert caught.value.exit_code == 2


WRITE_AS_NOBODY = """
import os, sys
from pathlib import Path
from pocketbench.harness.errors import StoreError
from pocketbench.harness.store.store import Store
from tests.store.example_campaign import add
if os.getuid() == 0:
    os.setuid(65534)
try:
    with Store(Path(sys.argv[1])) as store:
        add(store)
except StoreError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("begun", "folder", "file"),
    [
        pytest.param(False, 0o555, 0o444, id="an empty folder"),
        pytest.param(True, 0o555, 0o666, id="a folder with a store"),
        pytest.param(True, 0o777, 0o444, id="a database"),
    ],
)
def test_what_cannot_be_written_is_a_sentence(store_process, begun, folder, file):
    # Not below tmp_path, which other users may not enter: root may write everywhere and becomes someone else.
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        if begun:
            Store(home).close()
            (home / f".{DATABASE}.lock").chmod(0o666)
            (home / DATABASE).chmod(file)
        home.chmod(folder)
        said = store_process(WRITE_AS_NOBODY, name).communicate()[0].decode()
        home.chmod(0o755)

    assert said.startswith("expected to read and write the store ")


def test_a_store_that_was_dumped_and_read_again_opens(full, home):
    """`sqlite3 old .dump | sqlite3 new` is how a damaged store is repaired; it loses the write-ahead log."""
    with closing(sqlite3.connect(full)) as connection:
        script = "\n".join(connection.iterdump())
    full.unlink()
    with closing(sqlite3.connect(full)) as connection:
        connection.executescript(script)

    database = Database(full)
    with database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    database.close()


def test_a_store_moves_with_its_folder(full, tmp_path):
    moved = shutil.move(full.parent, tmp_path / "moved")

    with Store(Path(moved)) as store:
        assert len(store.campaigns()) == 4


def test_a_path_of_any_name_is_a_path(tmp_path):
    home = tmp_path / "50% of ü?mode=ro#"
    home.mkdir()

    with Store(home) as store:
        add(store)

    assert (home / DATABASE).is_file()
