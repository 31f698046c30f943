"""Launches that were lost with the connection to their device, and the attempts after them (pocketbench 0.1)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("launches", sa.Column("attempt", sa.BigInteger(), nullable=False, server_default="0"))
    # SQLite changes no constraint: the table is made anew. Columns in the order of the schema.
    with op.batch_alter_table(
        "launches", recreate="always", partial_reordering=[("launch_id", "job_id", "round", "attempt", "position")]
    ) as batch:
        batch.alter_column("attempt", server_default=None)
        batch.drop_constraint("uq_launches_job_id_round", type_="unique")
        batch.create_unique_constraint("uq_launches_job_id_round_attempt", ["job_id", "round", "attempt"])
        batch.drop_constraint("ck_launches_status", type_="check")
        batch.create_check_constraint("ck_launches_status", "status IN ('ok', 'failed', 'lost')")
    ended = sa.text("status != 'lost'")
    op.create_index(
        "uq_launches_ended", "launches", ["job_id", "round"], unique=True, sqlite_where=ended, postgresql_where=ended
    )
