"""Invalid launches, A/A copies, adaptive rounds, sensors, energy, operators (pocketbench 0.1)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_LAUNCHES = (
    *("launch_id", "job_id", "round", "attempt", "position", "started_at", "status", "reason", "iterations"),
    *("warmup_iterations", "latency_median_ns", "latency_p90_ns", "latency_p99_ns", "latency_mean_ns", "drift_ramp"),
    *("drift_step", "lag1", "effective_iterations", "declared_throttling", "frequency_share", "temperature_start_c"),
    *("temperature_max_c", "fully_accelerated", "engine_load_ns", "model_init_ns", "first_inference_ns"),
    *("peak_memory_bytes", "flags", "samples_sha256", "traces_sha256"),
)


def upgrade() -> None:
    _campaigns()
    _devices()
    _jobs()
    _launches()
    _new_tables()


def _campaigns() -> None:
    """Campaigns of before had a fixed number of rounds and intervals of 95 %."""
    with op.batch_alter_table(
        "campaigns", recreate="always", partial_reordering=[("rounds_planned", "regime", "precision")]
    ) as batch:
        batch.add_column(sa.Column("regime", sa.Text(), nullable=False, server_default="burst"))
        batch.add_column(sa.Column("precision", sa.Float()), insert_after="regime")
        batch.add_column(sa.Column("budget_s", sa.Float()), insert_after="precision")
        batch.add_column(
            sa.Column("confidence", sa.Float(), nullable=False, server_default="0.95"), insert_after="budget_s"
        )
        batch.create_check_constraint("ck_campaigns_regime", "regime IN ('burst', 'sustained')")
    with op.batch_alter_table("campaigns") as batch:
        batch.alter_column("regime", server_default=None)
        batch.alter_column("confidence", server_default=None)


def _devices() -> None:
    with op.batch_alter_table("devices") as batch:
        for column in (
            sa.Column("sensors", sa.Text()),
            sa.Column("start_line_c", sa.Float()),
            sa.Column("sampler_ratio", sa.Float()),
            sa.Column("rounds_ended", sa.Text()),
            sa.Column("unreached", sa.Text()),
        ):
            batch.add_column(column)
        batch.create_check_constraint("ck_devices_rounds_ended", "rounds_ended IN ('reached', 'rounds', 'time')")


def _jobs() -> None:
    op.add_column("jobs", sa.Column("is_aa_copy", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("jobs") as batch:
        batch.alter_column("is_aa_copy", server_default=None)
    with op.batch_alter_table("job_failures") as batch:
        batch.drop_constraint("ck_job_failures_stage", type_="check")
        batch.create_check_constraint("ck_job_failures_stage", "stage IN ('deploy', 'quality', 'memory', 'profile')")


def _launches() -> None:
    op.drop_index("uq_launches_ended", "launches")
    with op.batch_alter_table("launches", recreate="always", partial_reordering=[_LAUNCHES]) as batch:
        for name in (
            *("latency_p99_ns", "drift_ramp", "drift_step", "lag1", "effective_iterations"),
            *("frequency_share", "temperature_start_c", "temperature_max_c"),
        ):
            batch.add_column(sa.Column(name, sa.Float()))
        for name in ("declared_throttling", "fully_accelerated"):
            batch.add_column(sa.Column(name, sa.Boolean()))
        batch.add_column(sa.Column("traces_sha256", sa.Text()))
        batch.drop_constraint("ck_launches_status", type_="check")
        batch.create_check_constraint("ck_launches_status", "status IN ('ok', 'failed', 'invalid', 'lost')")
    ended = sa.text("status IN ('ok', 'failed')")
    op.create_index(
        "uq_launches_ended", "launches", ["job_id", "round"], unique=True, sqlite_where=ended, postgresql_where=ended
    )


def _new_tables() -> None:
    op.create_table(
        "energies",
        sa.Column("launch_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sensor", sa.Text(), nullable=False),
        sa.Column("boundary", sa.Text(), nullable=False),
        sa.Column("gross_mj", sa.Float()),
        sa.Column("net_mj", sa.Float()),
        sa.Column("power_mw", sa.Float()),
        sa.Column("idle_mw", sa.Float()),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("launch_id", "sensor", name="pk_energies"),
        sa.ForeignKeyConstraint(
            ["launch_id"], ["launches.launch_id"], name="fk_energies_launch_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "idle_launches",
        sa.Column("idle_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("sensor", sa.Text(), nullable=False),
        sa.Column("power_mw", sa.Float()),
        sa.Column("reason", sa.Text()),
        sa.Column("traces_sha256", sa.Text()),
        sa.PrimaryKeyConstraint("idle_id", name="pk_idle_launches"),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.campaign_id"],
            name="fk_idle_launches_campaign_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id", "device"],
            ["devices.campaign_id", "devices.device"],
            name="fk_idle_launches_campaign_id_device",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint(
            "campaign_id", "device", "round", "sensor", name="uq_idle_launches_campaign_id_device_round_sensor"
        ),
    )
    op.create_table(
        "operators",
        sa.Column("job_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("runs_on", sa.Text(), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "position", name="pk_operators"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name="fk_operators_job_id", ondelete="CASCADE"),
    )
