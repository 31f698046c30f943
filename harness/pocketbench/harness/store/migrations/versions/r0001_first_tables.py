"""The first tables: campaigns, devices, engines, variants, jobs, launches, memory, quality (pocketbench 0.1)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.Text(), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("rounds_planned", sa.BigInteger(), nullable=False),
        sa.Column("quality_metric", sa.Text(), nullable=True),
        sa.Column("quality_higher_is_better", sa.Boolean(), nullable=True),
        sa.Column("evaluation_sha256", sa.Text(), nullable=True),
        sa.Column("pocketbench_version", sa.Text(), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("plan_sha256", sa.Text(), nullable=False),
        sa.CheckConstraint("status IN ('running', 'finished', 'interrupted')", name="ck_campaigns_status"),
        sa.PrimaryKeyConstraint("campaign_id", name="pk_campaigns"),
    )
    op.create_index("ix_campaigns_started_at", "campaigns", ["started_at"], unique=False)
    op.create_table(
        "engines",
        sa.Column("engine_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("engine_id", name="pk_engines"),
    )
    op.create_table(
        "store_versions",
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("pocketbench_version", sa.Text(), nullable=False),
        sa.Column("migrated_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_store_versions"),
    )
    op.create_table(
        "devices",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("directory", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("cpu", sa.Text(), nullable=True),
        sa.Column("cores", sa.BigInteger(), nullable=True),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("os", sa.Text(), nullable=True),
        sa.Column("kernel", sa.Text(), nullable=True),
        sa.Column("architecture", sa.Text(), nullable=True),
        sa.Column("cpu_features", sa.Text(), nullable=True),
        sa.Column("governor", sa.Text(), nullable=True),
        sa.Column("load_average_1min", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.campaign_id"], name="fk_devices_campaign_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "device", name="pk_devices"),
    )
    op.create_table(
        "variants",
        sa.Column("variant_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("recipe", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("control", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("size_gzip_bytes", sa.BigInteger(), nullable=True),
        sa.Column("parameters", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("sqnr_db", sa.Float(), nullable=True),
        sa.Column("host_quality", sa.Float(), nullable=True),
        sa.Column("manifest", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("role IN ('reference', 'variant', 'control')", name="ck_variants_role"),
        sa.CheckConstraint("status IN ('ok', 'failed')", name="ck_variants_status"),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.campaign_id"], name="fk_variants_campaign_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("variant_id", name="pk_variants"),
        sa.UniqueConstraint("campaign_id", "name", name="uq_variants_campaign_id_name"),
    )
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("engine_id", sa.Text(), nullable=True),
        sa.Column("accelerator", sa.Text(), nullable=False),
        sa.Column("threads", sa.BigInteger(), nullable=False),
        sa.Column("cores", sa.Text(), nullable=True),
        sa.Column("is_reference", sa.Boolean(), nullable=False),
        sa.Column("reference_job_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id", "device"],
            ["devices.campaign_id", "devices.device"],
            name="fk_jobs_campaign_id_device",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.campaign_id"], name="fk_jobs_campaign_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["engine_id"], ["engines.engine_id"], name="fk_jobs_engine_id"),
        sa.ForeignKeyConstraint(["reference_job_id"], ["jobs.job_id"], name="fk_jobs_reference_job_id"),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.variant_id"], name="fk_jobs_variant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", name="pk_jobs"),
        sa.UniqueConstraint("campaign_id", "key", name="uq_jobs_campaign_id_key"),
    )
    op.create_table(
        "job_failures",
        sa.Column("job_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("failed_at", sa.Text(), nullable=False),
        sa.CheckConstraint("stage IN ('deploy', 'quality', 'memory')", name="ck_job_failures_stage"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name="fk_job_failures_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "stage", name="pk_job_failures"),
    )
    op.create_table(
        "launches",
        sa.Column("launch_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("job_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("iterations", sa.BigInteger(), nullable=True),
        sa.Column("warmup_iterations", sa.BigInteger(), nullable=True),
        sa.Column("latency_median_ns", sa.Float(), nullable=True),
        sa.Column("latency_p90_ns", sa.Float(), nullable=True),
        sa.Column("latency_mean_ns", sa.Float(), nullable=True),
        sa.Column("engine_load_ns", sa.BigInteger(), nullable=True),
        sa.Column("model_init_ns", sa.BigInteger(), nullable=True),
        sa.Column("first_inference_ns", sa.BigInteger(), nullable=True),
        sa.Column("peak_memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("flags", sa.Text(), nullable=True),
        sa.Column("samples_sha256", sa.Text(), nullable=True),
        sa.CheckConstraint("status IN ('ok', 'failed')", name="ck_launches_status"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name="fk_launches_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("launch_id", name="pk_launches"),
        sa.UniqueConstraint("job_id", "round", name="uq_launches_job_id_round"),
    )
    op.create_table(
        "memory_stages",
        sa.Column("job_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("resident_bytes", sa.BigInteger(), nullable=True),
        sa.Column("peak_resident_bytes", sa.BigInteger(), nullable=True),
        sa.Column("pss_bytes", sa.BigInteger(), nullable=True),
        sa.Column("private_bytes", sa.BigInteger(), nullable=True),
        sa.Column("private_dirty_bytes", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name="fk_memory_stages_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "position", name="pk_memory_stages"),
    )
    op.create_table(
        "quality",
        sa.Column("job_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("higher_is_better", sa.Boolean(), nullable=False),
        sa.Column("outputs_sha256", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name="fk_quality_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", name="pk_quality"),
    )
