"""The database file: opened, checked, migrated; transactions that survive a kill.

A commit is on disk when it returns (write-ahead log, synchronous=FULL), and readers work while a campaign writes.
The folder must be on a local disk: the write-ahead log needs shared memory between processes.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from pocketbench.harness.errors import StoreError
from pocketbench.harness.store.migrate import MIGRATIONS, needs_migration, upgrade
from pocketbench.harness.store.schema import HEAD

__all__ = ["Database"]

# How long a write waits for another process's: a commit takes milliseconds, a migration seconds.
_BUSY_TIMEOUT_S = 30.0
# Extended codes keep the plain one in their lowest byte (https://www.sqlite.org/rescode.html).
_PLAIN_CODE = 0xFF
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_NOT_USABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,  # the locks of the write-ahead log do not work here, or are fought for
    sqlite3.SQLITE_READONLY,
}


class Database:
    """The database at `path`, made where it is missing and brought to the newest revision."""

    def __init__(self, path: Path, *, scripts: Path = MIGRATIONS, head: str = HEAD) -> None:
        self.path = path
        self._engine = _engine(path, foreign_keys=True)
        try:
            with self._translated(), _exclusive(path):
                self._open(scripts, head)
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

    def _open(self, scripts: Path, head: str) -> None:
        # Reading the first page and the schema finds a file that was cut or is no database; damage further in is
        # found when it is read. A check of everything would read the whole file each time.
        with self._engine.begin() as connection:
            old = needs_migration(connection, self.path, head)
        # After that check, since a database of something else must stay as it is. The file remembers the mode.
        # A lock of our own is held: of two processes that change the mode at once SQLite refuses one.
        _outside_transactions(self._engine, "PRAGMA journal_mode=WAL")
        if old:
            self._migrate(scripts)

    def _migrate(self, scripts: Path) -> None:
        # Without foreign keys: SQLite changes a table by making another one, and dropping the old one would take along
        # all rows that refer to it. It has no way to switch them off within a transaction.
        engine = _engine(self.path, foreign_keys=False)
        try:
            with engine.execution_options(writing=True).begin() as connection:
                answer = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
                if answer != "ok":
                    raise StoreError(_damaged(self.path, str(answer)))
                upgrade(connection, self.path, scripts)
        finally:
            engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Say what the user can do about; an error of our own SQL keeps its traceback."""
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            origin = error.orig if isinstance(error, DBAPIError) else error
            code = getattr(origin, "sqlite_errorcode", 0) & _PLAIN_CODE
            if code in _DAMAGED:
                raise StoreError(_damaged(self.path, str(origin))) from error
            if code in _NOT_USABLE:
                raise StoreError(_not_usable(self.path, str(origin))) from error
            raise


def _engine(path: Path, *, foreign_keys: bool) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": _BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        # sqlite3 would begin transactions by its own rules, and not before CREATE TABLE; we send BEGIN ourselves.
        connection.isolation_level = None
        connection.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE: a transaction that reads first and writes then could not wait for another writer.
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _outside_transactions(engine: Engine, statement: str) -> None:
    """SQLAlchemy begins a transaction before each statement; some may not stand in one."""
    connection = engine.raw_connection()
    try:
        connection.cursor().execute(statement)
    finally:
        connection.close()


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """One process at a time opens a store: the others find it made and migrated."""
    try:
        lock = path.with_name(f".{path.name}.lock").open("a")
    except OSError as error:
        raise StoreError(_not_usable(path, error.strerror or str(error))) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _not_usable(path: Path, words: str) -> str:
    return (
        f"expected to read and write the store {path}, got {words!r}: see that its disk has space, that the "
        "file and its folder can be written, and that no other program holds it, or set POCKETBENCH_HOME to another "
        "folder."
    )


def _damaged(path: Path, words: str) -> str:
    return (
        f"expected a pocketbench store at {path}, got a damaged file ({words}): restore it from a copy, or move it and "
        "the files beside it with the same name away to begin a new one; the raw samples in samples/ stay."
    )
