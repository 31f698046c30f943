"""What Alembic runs: the migrations, in the transaction that `store.database` began and ends."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection)
context.run_migrations()
