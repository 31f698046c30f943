"""Preparation of devices, scenarios, page caches, second opinions (pocketbench 0.1)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_FIGURES = (
    *("latency_mean_ns", "latency_median_ns", "latency_min_ns", "latency_max_ns", "latency_std_ns", "latency_p5_ns"),
    *("latency_p90_ns", "latency_p95_ns", "resolution_ns", "init_ns", "first_inference_ns"),
)


def upgrade() -> None:
    _campaigns()
    op.add_column("devices", sa.Column("preparation", sa.Text()))
    _launches()
    _opinions()


def _campaigns() -> None:
    """In campaigns of before one inference followed the other."""
    with op.batch_alter_table(
        "campaigns", recreate="always", partial_reordering=[("regime", "scenario", "precision")]
    ) as batch:
        batch.add_column(sa.Column("scenario", sa.Text(), nullable=False, server_default="single-stream"))
    with op.batch_alter_table("campaigns") as batch:
        batch.alter_column("scenario", server_default=None)


def _launches() -> None:
    op.drop_index("uq_launches_ended", "launches")
    order = [
        ("latency_mean_ns", "throughput_per_s", "last_minute_ratio", "drift_ramp"),
        ("peak_memory_bytes", "page_cache", "flags"),
    ]
    with op.batch_alter_table("launches", recreate="always", partial_reordering=order) as batch:
        batch.add_column(sa.Column("throughput_per_s", sa.Float()))
        batch.add_column(sa.Column("last_minute_ratio", sa.Float()))
        batch.add_column(sa.Column("page_cache", sa.Text()))
        batch.create_check_constraint("ck_launches_page_cache", "page_cache IN ('dropped', 'warm')")
    ended = sa.text("status IN ('ok', 'failed')")
    op.create_index(
        "uq_launches_ended", "launches", ["job_id", "round"], unique=True, sqlite_where=ended, postgresql_where=ended
    )


def _opinions() -> None:
    op.create_table(
        "opinions",
        sa.Column("opinion_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("program_sha256", sa.Text()),
        sa.Column("arguments", sa.Text()),
        sa.Column("runs", sa.BigInteger()),
        sa.Column("warmup_runs", sa.BigInteger()),
        sa.Column("threads", sa.BigInteger()),
        *(sa.Column(name, sa.Float()) for name in _FIGURES),
        sa.Column("memory_growth_bytes", sa.BigInteger()),
        sa.Column("peak_memory_bytes", sa.BigInteger()),
        sa.Column("problems", sa.Text()),
        sa.PrimaryKeyConstraint("opinion_id", name="pk_opinions"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name="fk_opinions_job_id", ondelete="CASCADE"),
        sa.CheckConstraint("status IN ('ok', 'failed', 'lost')", name="ck_opinions_status"),
    )
    op.create_index("ix_opinions_job_id", "opinions", ["job_id"])
