"""Bring a store to the newest revision, or say why not.

All missing migrations run in one transaction: a cut leaves the store as it was.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from pocketbench.harness.errors import StoreError
from pocketbench.harness.store.schema import HEAD
from pocketbench.harness.store.versions import pocketbench_version
from pocketbench.harness.store.writing import now

__all__ = ["MIGRATIONS", "needs_migration", "upgrade"]

MIGRATIONS = Path(__file__).parent / "migrations"


def needs_migration(connection: Connection, path: Path, head: str = HEAD) -> bool:
    """False for a store at `head`, True for a new or another one; StoreError for a database of something else."""
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return True
    if not {"alembic_version", "store_versions"} <= tables:
        raise StoreError(
            f"expected a pocketbench store at {path}, got a database of something else with the tables "
            f"{sorted(tables)[:5]}: move it away, or set POCKETBENCH_HOME to another folder."
        )
    return _revision(connection) != head


def upgrade(connection: Connection, path: Path, scripts: Path = MIGRATIONS) -> None:
    """Run what is missing, inside the transaction of `connection`; StoreError where a newer pocketbench was here."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    # Percent signs mean something to the configuration's parser.
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    head = script.get_current_head()
    if inspect(connection).has_table("alembic_version"):
        known = {entry.revision for entry in script.walk_revisions()}
        revision = _revision(connection)
        if revision not in known:
            raise StoreError(_from_the_future(connection, path, revision, head))
    try:
        command.upgrade(config, "head")
    except ValueError as error:  # how Alembic says that a table has not what a migration is to change
        raise StoreError(
            f"expected the tables of a pocketbench store at {path}, got others under the same names ({error}): it is "
            "unchanged; move it away, or set POCKETBENCH_HOME to another folder."
        ) from error
    connection.execute(
        text("INSERT INTO store_versions VALUES (:revision, :version, :now)"),
        {"revision": head, "version": pocketbench_version(), "now": now()},
    )


def _revision(connection: Connection) -> str | None:
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return revision


def _from_the_future(connection: Connection, path: Path, revision: str | None, head: str | None) -> str:
    newest = connection.execute(
        text("SELECT pocketbench_version FROM store_versions WHERE revision = :revision"), {"revision": revision}
    ).scalar_one_or_none()
    return (
        f"expected a store of revision {head} or older at {path}, got revision {revision!r} written by pocketbench "
        f"{newest or 'of a newer version'}: install that version or a newer one "
        f"(`pip install --upgrade pocketbench`), or set POCKETBENCH_HOME to another folder."
    )
