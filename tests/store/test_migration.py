"""A store is brought to the newest revision in one step or stays as it was."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from pocketbench.harness.errors import StoreError
from pocketbench.harness.store import schema
from pocketbench.harness.store.database import Database
from pocketbench.harness.store.migrate import MIGRATIONS
from pocketbench.harness.store.store import Store
from tests.store.example_campaign import add, good_launch

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "HEAD"


def upgrade() -> None:
"""


@pytest.fixture
def engine(home):
    Store(home).close()
    engine = create_engine(f"sqlite:///{home / 'pocketbench.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def with_next(tmp_path):
    """A copy of the migrations with another one, whose body is given."""

    def write(body):
        scripts = tmp_path / "migrations"
        shutil.copytree(MIGRATIONS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
        (scripts / "versions" / "next.py").write_text(
            NEXT.replace("HEAD", schema.HEAD) + "".join(f"    {line}\n" for line in body)
        )
        return scripts

    return write


def everything(home):
    """All that is in the database, as SQL."""
    with closing(sqlite3.connect(home / "pocketbench.db")) as connection:
        return list(connection.iterdump())


def described(engine, table):
    """What compare_metadata leaves out on SQLite."""
    inspector = inspect(engine)
    columns = {
        column["name"]: (str(column["type"]), column["nullable"], column["primary_key"])
        for column in inspector.get_columns(table)
    }
    checks = sorted((check["name"], check["sqltext"]) for check in inspector.get_check_constraints(table))
    foreign = sorted((str(key["name"]), str(sorted(key.items()))) for key in inspector.get_foreign_keys(table))
    unique = sorted(
        (str(constraint["name"]), constraint["column_names"]) for constraint in inspector.get_unique_constraints(table)
    )
    return columns, checks, foreign, unique, inspector.get_pk_constraint(table)


def test_a_migrated_database_is_what_the_schema_says(engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.METADATA) == []


@pytest.mark.parametrize("table", sorted(schema.METADATA.tables))
def test_a_migrated_table_has_the_columns_keys_and_checks_of_the_schema(engine, table):
    other = create_engine("sqlite://")
    schema.METADATA.create_all(other)

    try:
        assert described(engine, table) == described(other, table)
    finally:
        other.dispose()


def test_the_newest_script_is_the_head():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))

    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_who_migrated_the_store_is_in_it(home, store):
    with closing(sqlite3.connect(home / "pocketbench.db")) as connection:
        [(revision, version, instant)] = connection.execute("SELECT * FROM store_versions").fetchall()

    assert revision == schema.HEAD
    assert version
    assert instant.endswith("Z")


def test_a_store_of_a_newer_version_is_refused_with_that_version_and_stays_as_it_was(home):
    with Store(home) as store:
        add(store)
    with closing(sqlite3.connect(home / "pocketbench.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
        connection.execute("INSERT INTO store_versions VALUES ('0099', '7.8.9', '2030-01-01T00:00:00.000Z')")
    before = everything(home)

    with pytest.raises(StoreError, match=r"'0099' written by pocketbench 7\.8\.9: install that version") as caught:
        Store(home)

    assert caught.value.exit_code == 2
    assert everything(home) == before


def test_an_older_store_is_migrated_with_what_is_in_it(home, with_next):
    with Store(home) as store:
        add(store)
    scripts = with_next(['op.add_column("campaigns", sa.Column("note", sa.Text()))'])

    Database(home / "pocketbench.db", scripts=scripts, head="next").close()

    with closing(sqlite3.connect(home / "pocketbench.db")) as connection:
        assert connection.execute("SELECT name, note FROM campaigns").fetchall() == [("net", None)]
        assert [row[0] for row in connection.execute("SELECT revision FROM store_versions")] == [schema.HEAD, "next"]


def test_launches_of_the_first_revision_become_first_attempts(home, tmp_path):
    scripts = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, scripts, ignore=shutil.ignore_patterns("__pycache__", "r000[2-9]*"))
    Database(home / "pocketbench.db", scripts=scripts, head="0001").close()
    launch = (1, 1, 3, 0, "2026-11-02T10:00:00.000Z", "failed", "it crashed")
    with closing(sqlite3.connect(home / "pocketbench.db")) as connection, connection:
        connection.execute(
            "INSERT INTO launches (launch_id, job_id, round, position, started_at, status, reason) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            launch,
        )

    Store(home).close()

    with closing(sqlite3.connect(home / "pocketbench.db")) as connection:
        columns = "launch_id, job_id, round, attempt, position, started_at, status, reason"
        assert connection.execute(f"SELECT {columns} FROM launches").fetchall() == [(*launch[:3], 0, *launch[3:])]


def test_campaigns_and_launches_of_the_third_revision_are_kept(home, tmp_path):
    scripts = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, scripts, ignore=shutil.ignore_patterns("__pycache__", "r000[4-9]*"))
    Database(home / "pocketbench.db", scripts=scripts, head="0003").close()
    with closing(sqlite3.connect(home / "pocketbench.db")) as connection, connection:
        connection.execute(
            "INSERT INTO campaigns (campaign_id, name, status, started_at, seed, rounds_planned, regime, confidence, "
            "pocketbench_version, versions, plan, plan_sha256) "
            "VALUES ('c', 'net', 'finished', '2026', 1, 2, 'burst', 0.95, '0.1', '{}', '', '')"
        )
        connection.execute(
            "INSERT INTO launches (launch_id, job_id, round, attempt, position, started_at, status, latency_median_ns) "
            "VALUES (1, 1, 0, 0, 0, '2026', 'ok', 1.5)"
        )

    Store(home).close()

    with closing(sqlite3.connect(home / "pocketbench.db")) as connection:
        assert connection.execute("SELECT campaign_id, regime, scenario FROM campaigns").fetchall() == [
            ("c", "burst", "single-stream")
        ]
        figures = "latency_median_ns, throughput_per_s, last_minute_ratio, page_cache"
        assert connection.execute(f"SELECT {figures} FROM launches").fetchall() == [(1.5, None, None, None)]


def test_a_store_with_other_tables_under_the_same_names_is_refused_and_stays_as_it_was(home, tmp_path):
    scripts = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, scripts, ignore=shutil.ignore_patterns("__pycache__", "r000[2-9]*"))
    Database(home / "pocketbench.db", scripts=scripts, head="0001").close()
    with closing(sqlite3.connect(home / "pocketbench.db")) as connection, connection:
        connection.execute("DROP TABLE launches")
        connection.execute("CREATE TABLE launches (launch_id INTEGER, job_id INTEGER, round INTEGER, position INTEGER)")
    before = everything(home)

    with pytest.raises(StoreError, match=r"expected the tables of a pocketbench store .* it is unchanged"):
        Store(home)

    assert everything(home) == before


def test_a_migration_that_fails_midway_leaves_the_store_as_it_was(home, with_next):
    with Store(home) as store:
        add(store)
    before = everything(home)
    scripts = with_next(
        [
            'op.add_column("campaigns", sa.Column("note", sa.Text()))',
            "op.execute(\"UPDATE campaigns SET name = 'changed'\")",
            'op.drop_table("quality")',
            'raise RuntimeError("the power went")',
        ]
    )

    with pytest.raises(RuntimeError, match="the power went"):
        Database(home / "pocketbench.db", scripts=scripts, head="next")

    assert everything(home) == before
    with Store(home) as store:
        assert len(store.campaigns()) == 1


def test_the_first_migration_that_fails_leaves_no_table(home, with_next):
    scripts = with_next(['raise RuntimeError("the power went")'])

    with pytest.raises(RuntimeError, match="the power went"):
        Database(home / "pocketbench.db", scripts=scripts, head="next")

    assert everything(home) == ["BEGIN TRANSACTION;", "COMMIT;"]


def test_a_migration_that_makes_a_table_anew_keeps_the_rows_that_refer_to_it(home, with_next):
    """SQLite can add a constraint in no other way; with foreign keys on, dropping the old table deletes these rows."""
    with Store(home) as store:
        jobs = add(store)
        store.add_launch(good_launch(next(iter(jobs.values()))), None)
    scripts = with_next(
        [
            'with op.batch_alter_table("campaigns", recreate="always") as batch:',
            '    batch.create_unique_constraint("uq_campaigns_plan", ["plan_sha256", "started_at"])',
        ]
    )

    Database(home / "pocketbench.db", scripts=scripts, head="next").close()

    with closing(sqlite3.connect(home / "pocketbench.db")) as connection:
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (len(jobs),)
        assert connection.execute("SELECT count(*) FROM launches").fetchone() == (1,)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


OPEN_AND_ADD = """
import sys
from pathlib import Path
import alembic.command, alembic.script  # so that the processes meet in the store and not in their imports
from pocketbench.harness.store.store import Store
from tests.store.example_campaign import campaign
sys.stdout.write("ready")
sys.stdout.flush()
sys.stdin.read(1)
with Store(Path(sys.argv[1])) as store:
    store.add_campaign(campaign(sys.argv[2]), [], [], [])
"""


def test_processes_that_open_a_new_store_at_once_all_find_it_made(home, store_process):
    processes = [store_process(OPEN_AND_ADD, str(home), f"campaign-{number}") for number in range(4)]
    for process in processes:
        assert process.stdout.read(5) == b"ready"
    for process in processes:
        process.stdin.write(b"x")
        process.stdin.flush()

    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    with Store(home) as store:
        assert {row["campaign_id"] for row in store.campaigns()} == {f"campaign-{number}" for number in range(4)}


def test_a_store_that_is_up_to_date_opens_and_lists_without_heavy_libraries(home, store_process):
    Store(home).close()
    code = (
        "import sys; from pathlib import Path; from pocketbench.harness.store.store import Store\n"
        "with Store(Path(sys.argv[1])) as store: store.campaigns()\n"
        "print(sorted({'alembic', 'pandas', 'pyarrow', 'scipy'} & set(sys.modules)))"
    )

    assert store_process(code, str(home)).communicate()[0] == b"[]\n"
