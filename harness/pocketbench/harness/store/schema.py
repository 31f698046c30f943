"""The tables of the store; docs/store.md is written from here, and a test compares a migrated database with them.

Instants are UTC in ISO 8601 with milliseconds. NULL means "not known", never 0. A change here needs a migration in
`migrations/versions/` and a new HEAD.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = [
    "HEAD",
    "METADATA",
    "campaigns",
    "devices",
    "energies",
    "engines",
    "idle_launches",
    "job_failures",
    "jobs",
    "launches",
    "memory_stages",
    "operators",
    "opinions",
    "quality",
    "store_versions",
    "variants",
]

HEAD = "0004"  # the newest revision in migrations/versions/

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, comment: str, *, null: bool = False, key: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null, primary_key=key, comment=comment)


def _integer(name: str, comment: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null, comment=comment)


def _float(name: str, comment: str, *, null: bool = True) -> Column[float]:
    return Column(name, Float, nullable=null, comment=comment)


def _identifier(name: str) -> Column[int]:
    return Column(name, Integer, primary_key=True, autoincrement=True, comment="identifier, unique in this store")


def _campaign(*, key: bool = False) -> Column[str]:
    comment = "of campaigns"
    target = ForeignKey("campaigns.campaign_id", ondelete="CASCADE")
    return Column("campaign_id", Text, target, nullable=False, primary_key=key, comment=comment)


def _job(*, key: bool = False) -> Column[int]:
    target = ForeignKey("jobs.job_id", ondelete="CASCADE")
    return Column("job_id", Integer, target, nullable=False, primary_key=key, autoincrement=False, comment="of jobs")


def _one_of(column: str, *values: str) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(map(repr, values))})", name=column)


store_versions = Table(
    "store_versions",
    METADATA,
    _text("revision", "revision of this schema", key=True),
    _text("pocketbench_version", "version of pocketbench that brought the store to it"),
    _text("migrated_at", "UTC"),
    comment="Which pocketbench brought the store to which revision.",
)

campaigns = Table(
    "campaigns",
    METADATA,
    _text("campaign_id", "identifier: UTC time of its start, name, and four random digits", key=True),
    _text("name", "as the plan says"),
    _text("status", "running, finished or interrupted; a running one whose process is gone was cut off"),
    _text("started_at", "UTC"),
    _text("finished_at", "UTC, NULL while running or where interrupted", null=True),
    _integer("seed", "seed of the order of launches and of random inputs"),
    _integer("rounds_planned", "rounds asked for; where a precision was, the most that were allowed"),
    _text("regime", "burst or sustained"),
    _text("scenario", "single-stream, or in words how inferences come: paced, in several streams, for minutes"),
    _float("precision", "half-width that the interval of a ratio was to have; NULL for a fixed number of rounds"),
    _float("budget_s", "time that measuring was allowed, NULL without a limit"),
    _float("confidence", "of the intervals, as they are made", null=False),
    _text("quality_metric", "name of the metric, NULL where no evaluation data was given", null=True),
    Column("quality_higher_is_better", Boolean, nullable=True, comment="NULL without a metric"),
    _text("evaluation_sha256", "of the evaluation data and metric: what a resumed campaign is held to", null=True),
    _text("pocketbench_version", "version that began the campaign"),
    _text("versions", "JSON: version of Python and of each library that has a say in the figures"),
    _text("plan", "the plan as YAML, paths absolute"),
    _text("plan_sha256", "of that text: what a resumed plan is compared with"),
    _one_of("status", "running", "finished", "interrupted"),
    _one_of("regime", "burst", "sustained"),
    Index(None, "started_at"),
    comment="One row per campaign: all rounds of a plan on its devices.",
)

devices = Table(
    "devices",
    METADATA,
    _campaign(key=True),
    _text("device", "registered name", key=True),
    _text("address", "transport address"),
    _text("profile", "name of the device profile"),
    _text("directory", "what pocketbench had of the device for its files"),
    _text("model", "what the device calls itself", null=True),
    _text("cpu", "CPU model name", null=True),
    _integer("cores", "number of logical CPUs", null=True),
    _integer("memory_bytes", "installed memory", null=True),
    _text("os", "operating system and release", null=True),
    _text("kernel", "kernel release", null=True),
    _text("architecture", "x86_64, aarch64, …", null=True),
    _text("cpu_features", "features that matter for int8, space separated", null=True),
    _text("governor", "cpufreq governor at the start", null=True),
    _float("load_average_1min", "at the start"),
    _text("sensors", "JSON: what is sensed during launches, and why the rest is not", null=True),
    _float("start_line_c", "temperature that launches start at, NULL without a sensor"),
    _float("sampler_ratio", "latency of a launch with the sampler against one without, NULL where not taken"),
    _text("rounds_ended", "why: reached, rounds or time; NULL before the end", null=True),
    _text("unreached", "JSON: jobs whose ratio is less precise than asked for, and what it would take", null=True),
    _text(
        "preparation", "JSON: what the device was prepared with each time the campaign ran; NULL for nothing", null=True
    ),
    _one_of("rounds_ended", "reached", "rounds", "time"),
    comment="The devices of a campaign as they were seen when it began there.",
)

engines = Table(
    "engines",
    METADATA,
    _text("engine_id", "identifier: name, version, platform and start of the hash", key=True),
    _text("name", "LiteRT or ONNX Runtime"),
    _text("version", "version of the package that the library is from"),
    _text("platform", "linux-x86_64, linux-aarch64, …"),
    _text("sha256", "of the library file"),
    comment="Builds of inference libraries, shared by all campaigns.",
)

variants = Table(
    "variants",
    METADATA,
    _identifier("variant_id"),
    _campaign(),
    _text("name", "recipe and format, or name of the file; unique in the campaign"),
    _text("format", "tflite or onnx"),
    _text("recipe", "name of the recipe, NULL for a file the user brought", null=True),
    _text("role", "reference, variant or control"),
    _text("control", "name of the variant that trained equally longer without compression", null=True),
    _text("sha256", "of the file, NULL where failed", null=True),
    _integer("size_bytes", "of the file, NULL where failed", null=True),
    _integer("size_gzip_bytes", "of the file under gzip -9, NULL where failed", null=True),
    _integer("parameters", "count, NULL where unknown", null=True),
    _text("status", "ok or failed"),
    _text("reason", "why it failed, NULL where ok", null=True),
    _text("warnings", "what the gate noticed, one a line"),
    _text("steps", "JSON list of step reports"),
    _float("sqnr_db", "of the file's outputs against its source model's, NULL where unknown or exact"),
    _float("host_quality", "metric of the file on the computer that compressed it"),
    _text("manifest", "variant.json as it was, NULL for a file without one", null=True),
    _text("source", "variant folder or file on the computer that measured"),
    UniqueConstraint("campaign_id", "name"),
    _one_of("status", "ok", "failed"),
    _one_of("role", "reference", "variant", "control"),
    comment="One row per variant of a campaign, failed ones too.",
)

jobs = Table(
    "jobs",
    METADATA,
    _identifier("job_id"),
    _campaign(),
    Column(
        "variant_id",
        Integer,
        ForeignKey("variants.variant_id", ondelete="CASCADE"),
        nullable=False,
        comment="of variants",
    ),
    _text("device", "of devices"),
    _text("key", "variant, device, threads and cores in words; unique in the campaign, orders the rounds"),
    Column(
        "engine_id",
        Text,
        ForeignKey("engines.engine_id"),
        nullable=True,
        comment="of engines, NULL until the job was deployed",
    ),
    _text("accelerator", "cpu, gpu, npu, xnnpack, nnapi or qnn"),
    _integer("threads", "threads given to the engine"),
    _text("cores", "cores the process was pinned to, e.g. 0,1; NULL where not pinned", null=True),
    Column(
        "is_reference",
        Boolean,
        nullable=False,
        comment="comparisons with the same device, threads and cores are ratios to it",
    ),
    Column(
        "reference_job_id",
        Integer,
        ForeignKey("jobs.job_id"),
        nullable=True,
        comment="job that this one is compared to",
    ),
    Column(
        "is_aa_copy",
        Boolean,
        nullable=False,
        comment="the reference once more: what it differs by is noise",
    ),
    ForeignKeyConstraint(["campaign_id", "device"], ["devices.campaign_id", "devices.device"], ondelete="CASCADE"),
    UniqueConstraint("campaign_id", "key"),
    comment="One row per variant, device, accelerator, number of threads and core list.",
)

job_failures = Table(
    "job_failures",
    METADATA,
    _job(key=True),
    _text("stage", "deploy, quality, memory or profile", key=True),
    _text("reason", "what went wrong, in a sentence"),
    _text("failed_at", "UTC"),
    _one_of("stage", "deploy", "quality", "memory", "profile"),
    comment="Why a job could not be deployed, judged or its memory taken; gone once a resumed campaign could.",
)

launches = Table(
    "launches",
    METADATA,
    _identifier("launch_id"),
    _job(),
    _integer("round", "from 0"),
    _integer("attempt", "from 0; another one follows a launch that was lost or invalid"),
    _integer("position", "place within the round, from 0"),
    _text("started_at", "UTC, by the clock of the computer that measured"),
    _text("status", "ok, failed, invalid by a rule, or lost with the connection to the device"),
    _text("reason", "why it failed; the rules that it broke, space separated; NULL where ok", null=True),
    _integer("iterations", "steady iterations", null=True),
    _integer("warmup_iterations", "warm-up iterations, kept as samples", null=True),
    _float("latency_median_ns", "of the steady iterations"),
    _float("latency_p90_ns", "NULL under 64 iterations"),
    _float("latency_p99_ns", "NULL under 662 iterations"),
    _float("latency_mean_ns", "of the steady iterations"),
    _float("throughput_per_s", "inferences per second, of all streams while all of them measured"),
    _float(
        "last_minute_ratio", "median latency of the last minute against the first, warm-up included; NULL under two"
    ),
    _float("drift_ramp", "how much slower the end is than the start by the slope, as a share of the median"),
    _float("drift_step", "the same between the two levels into which the launch splits best"),
    _float("lag1", "correlation of neighbouring iterations"),
    _float("effective_iterations", "independent iterations that say as much"),
    Column("declared_throttling", Boolean, nullable=True, comment="the device says so; NULL where it cannot"),
    _float("frequency_share", "of time at the expected frequency, of the slowest core; NULL where not known"),
    _float("temperature_start_c", "before the launch"),
    _float("temperature_max_c", "during the launch"),
    Column("fully_accelerated", Boolean, nullable=True, comment="NULL on the CPU, and where the engine does not say"),
    _integer("engine_load_ns", "dlopen of the engine", null=True),
    _integer("model_init_ns", "from model file to ready to run", null=True),
    _integer("first_inference_ns", "the first inference of the process", null=True),
    _integer("peak_memory_bytes", "VmHWM at the end of the launch", null=True),
    _text("page_cache", "dropped or warm before the launch; NULL where not known", null=True),
    _text(
        "flags", "what was noticed, space separated; empty where nothing, NULL where it failed or was lost", null=True
    ),
    _text("samples_sha256", "names samples/XX/HASH.parquet with every iteration, NULL where there are none", null=True),
    _text("traces_sha256", "names samples/XX/HASH.parquet with what sensors said, NULL where nothing", null=True),
    UniqueConstraint("job_id", "round", "attempt"),  # also how the launches of a job are found
    _one_of("status", "ok", "failed", "invalid", "lost"),
    _one_of("page_cache", "dropped", "warm"),
    Index(
        "uq_launches_ended",
        "job_id",
        "round",
        unique=True,
        sqlite_where=text("status IN ('ok', 'failed')"),
        postgresql_where=text("status IN ('ok', 'failed')"),
    ),
    comment="One row per launch, failed, invalid and lost ones too; a job has one a round that is ok or failed. The "
    "figures are views of the samples, kept to list fast.",
)

energies = Table(
    "energies",
    METADATA,
    Column(
        "launch_id",
        Integer,
        ForeignKey("launches.launch_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        comment="of launches",
    ),
    _text("sensor", "name of the sensor of power", key=True),
    _text("boundary", "what it is the power of: battery, rails, board input or wall"),
    _float("gross_mj", "energy of an inference in mJ, NULL where not known"),
    _float("net_mj", "less what the device takes idle, NULL without an idle baseline"),
    _float("power_mw", "mean power of the steady part"),
    _float("idle_mw", "mean of the idle baselines before and after the round"),
    _text("flags", "what was noticed, space separated"),
    _text("reason", "why it is not known, NULL where it is", null=True),
    comment="Energy of the steady part of launches, by sensor.",
)

idle_launches = Table(
    "idle_launches",
    METADATA,
    _identifier("idle_id"),
    _campaign(),
    _text("device", "of devices"),
    _integer("round", "from 0: taken before it; the one after the last round has its number plus one"),
    _text("started_at", "UTC"),
    _text("sensor", "name of the sensor of power"),
    _float("power_mw", "mean, NULL where not known"),
    _text("reason", "why it is not known, NULL where it is", null=True),
    _text("traces_sha256", "names samples/XX/HASH.parquet with what sensors said, NULL where nothing", null=True),
    ForeignKeyConstraint(["campaign_id", "device"], ["devices.campaign_id", "devices.device"], ondelete="CASCADE"),
    UniqueConstraint("campaign_id", "device", "round", "sensor"),
    comment="What a device takes while a process that has loaded the reference does nothing.",
)

operators = Table(
    "operators",
    METADATA,
    _job(key=True),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="order of execution, from 0"),
    _text("operator", "kind, in the engine's words"),
    _text("name", "of the node, empty where the engine does not tell"),
    _text("runs_on", "XNNPACK, interpreter, or an execution provider"),
    _integer("time_ns", "mean of an inference, by the engine's own profiler"),
    _float("share", "of all operators' time", null=False),
    comment="Operators of the profile launch of a job.",
)

opinions = Table(
    "opinions",
    METADATA,
    _identifier("opinion_id"),
    _job(),
    _text("tool", "benchmark_model, benchmark_litert_model.py or onnxruntime_perf_test"),
    _text("program", "name of its file"),
    _integer("round", "from 0"),
    _integer("position", "place within the round, from 0"),
    _text("started_at", "UTC, by the clock of the computer that measured"),
    _text("status", "ok, failed, or lost with the connection to the device"),
    _text("reason", "why it failed or was lost, NULL where ok", null=True),
    _text("program_sha256", "of its file, NULL where it was not launched", null=True),
    _text("arguments", "JSON list: all that it was given", null=True),
    _integer("runs", "inferences that it measured", null=True),
    _integer("warmup_runs", "inferences before them", null=True),
    _integer("threads", "that it says it used, NULL where it does not say", null=True),
    _float("latency_mean_ns", "by its own definitions, like the rest; NULL where it does not say"),
    _float("latency_median_ns", "likewise"),
    _float("latency_min_ns", "likewise"),
    _float("latency_max_ns", "likewise"),
    _float("latency_std_ns", "likewise"),
    _float("latency_p5_ns", "likewise"),
    _float("latency_p90_ns", "likewise"),
    _float("latency_p95_ns", "likewise"),
    _float("resolution_ns", "step in which it prints"),
    _float("init_ns", "loading the model"),
    _float("first_inference_ns", "first inference of its warm-up"),
    _integer("memory_growth_bytes", "growth of the process's high-water mark from its start", null=True),
    _integer("peak_memory_bytes", "high-water mark of the process", null=True),
    _text("problems", "what to know beside the figures, one a line; NULL where it failed", null=True),
    _one_of("status", "ok", "failed", "lost"),
    Index(None, "job_id"),
    comment="What benchmark programs of the user's said of a job, launched in its rounds (docs/second-opinion.md).",
)

memory_stages = Table(
    "memory_stages",
    METADATA,
    _job(key=True),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="order of the stage, from 0"),
    _text("stage", "start, engine_loaded, model_loaded, first_inference or end"),
    _integer("resident_bytes", "VmRSS", null=True),
    _integer("peak_resident_bytes", "VmHWM", null=True),
    _integer("pss_bytes", "Pss of smaps_rollup, NULL where the kernel has none", null=True),
    _integer("private_bytes", "Private_Clean + Private_Dirty of smaps_rollup, NULL likewise", null=True),
    _integer("private_dirty_bytes", "Private_Dirty of smaps_rollup, NULL likewise", null=True),
    comment="Stages of the memory launch of a job.",
)

quality = Table(
    "quality",
    METADATA,
    _job(key=True),
    _text("metric", "name"),
    _float("value", "of the metric", null=False),
    _float("low", "95 % interval, NULL where the metric has none"),
    _float("high", "likewise"),
    _integer("samples", "examples evaluated"),
    Column("higher_is_better", Boolean, nullable=False, comment="direction of the metric"),
    _text("outputs_sha256", "names samples/XX/HASH.npz with the outputs, NULL where too large to keep", null=True),
    comment="Quality of the deployed file, by inference on the device.",
)
