"""What Alembic runs: the migrations, on the connection that `store.migrate` has begun a transaction on."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes["connection"]
# transactional_ddl: Alembic believes that SQLite cannot; it can, where BEGIN is sent by us (see database.py).
context.configure(connection=connection, transactional_ddl=True)
context.run_migrations()
