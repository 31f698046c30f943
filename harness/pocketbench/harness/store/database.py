"""The database file: opened, checked, migrated; transactions that survive a kill.

A commit is on disk when it returns (write-ahead log, synchronous=FULL), and readers work while a campaign writes.
The folder must be on a local disk: the write-ahead log needs shared memory between processes.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError

from pocketbench.harness.errors import StoreError
from pocketbench.harness.store.migrate import MIGRATIONS, needs_migration, upgrade
from pocketbench.harness.store.schema import HEAD

__all__ = ["Database"]

# How long a write waits for another process's: a commit takes milliseconds, a migration seconds.
_BUSY_TIMEOUT_S = 30.0
# Words of SQLite that mean a file is damaged; it has codes for them that sqlite3 does not show before Python 3.11,
# and SQLAlchemy wraps the exception in any case.
_DAMAGED = ("malformed", "not a database", "file is encrypted")


class Database:
    """The database at `path`, made where it is missing and brought to the newest revision."""

    def __init__(self, path: Path, *, scripts: Path = MIGRATIONS, head: str = HEAD) -> None:
        self.path = path
        self._engine = _engine(path)
        try:
            with self._translated():
                self._check()
                self._migrate(scripts, head)
        except BaseException:
            self._engine.dispose()
            raise

    def close(self) -> None:
        """Close all connections; harmless a second time."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the store, whatever is written meanwhile."""
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction, committed to disk at the end of the block, gone where the block raises."""
        with self._translated(), self._engine.execution_options(writing=True).begin() as connection:
            yield connection

    def _check(self) -> None:
        with self._engine.begin() as connection:
            answer = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if answer != "ok":
            raise StoreError(_damaged(self.path, str(answer)))

    def _migrate(self, scripts: Path, head: str) -> None:
        with self._engine.begin() as connection:
            if not needs_migration(connection, self.path, head):
                return
        # One process migrates, those that come meanwhile find it done.
        with _exclusive(self.path.with_name(f".{self.path.name}.lock")), self.writing() as connection:
            if needs_migration(connection, self.path, head):
                upgrade(connection, self.path, scripts)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            words = str(error.orig)
            if any(sign in words for sign in _DAMAGED):
                raise StoreError(_damaged(self.path, words)) from error
            if isinstance(error, OperationalError):
                raise StoreError(
                    f"expected to read and write the store {self.path}, got {words!r}: see that its disk has space, "
                    "that the file and its folder can be written, and that no other program holds it."
                ) from error
            raise


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": _BUSY_TIMEOUT_S}, echo=False
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        # sqlite3 would begin transactions by its own rules, and not before CREATE TABLE; we send BEGIN ourselves.
        connection.isolation_level = None
        for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE: a transaction that reads first and writes then could not wait for another writer.
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _damaged(path: Path, words: str) -> str:
    return (
        f"expected a pocketbench store at {path}, got a damaged file ({words}): restore it from a copy, or move it and "
        "the files beside it with the same name away to begin a new one; the raw samples in samples/ stay."
    )
