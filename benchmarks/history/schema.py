"""The tables of the history. A change here needs a migration (docs/history.md)."""

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.schema import SchemaItem

from benchmarks import results

REVISION = "0001"  # the newest in migrations/versions
VERSION_TABLE = "history_version"  # not Alembic's own name: another project's database is not taken for ours
# One value a fork, beside its throughput; absent where it could not be known.
METRICS = (
    "peak_rss_bytes",
    "peak_device_bytes",
    "import_s",
    "build_s",
    "first_call_s",
    "compile_s",
    "latency_p50_s",
    "latency_p90_s",
    "latency_p99_s",
    "joules_per_image",
    "canary_difference",
)
NUMBERS = ("batch", "threads", "method_version")  # of the key; the rest is text
OPTIONAL = ("exporter",)

METADATA = MetaData()
_HASH, _ID = String(64), String(16)
_OR_NULL = JSON(none_as_null=True)


def _key_column(name: str) -> Column[Any]:
    return Column(name, Integer() if name in NUMBERS else String(), nullable=name in OPTIONAL)


def _of_a_file() -> list[SchemaItem]:
    """What every row that stands for one file of a run begins with."""
    return [
        Column("id", Integer, primary_key=True),
        Column("run_id", _ID, ForeignKey("runs.id"), nullable=False),
        Column("file", String, nullable=False),  # its name
        Column("sha256", _HASH, nullable=False),  # of its bytes
        Column("made", DateTime, nullable=False),  # as it says itself, else when the run began
        UniqueConstraint("run_id", "file"),
    ]


RUNS = Table(
    "runs",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("folder", String, nullable=False),
    Column("started", DateTime, nullable=False, index=True),
    Column("preset", String, nullable=False),
    Column("device", String, nullable=False),
    Column("threads", Integer, nullable=False),
    Column("commit_id", String, nullable=False),
    Column("commit_dirty", Boolean),
    Column("machine", JSON, nullable=False),
    Column("gpu", _OR_NULL),
    Column("environment", JSON, nullable=False),
)
SERIES = Table(
    "series",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("identity", _HASH, nullable=False, unique=True),  # of all key columns: NULL is equal to NULL in it
    *(_key_column(name) for name in results.KEY),
)
SETUPS = Table(  # what forks ran with: the same for most of a run's
    "setups",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("identity", _HASH, nullable=False, unique=True),
    Column("label", String, nullable=False),
    Column("versions", JSON, nullable=False),
    Column("switches", JSON, nullable=False),
    Column("environment", JSON, nullable=False),
)
FORKS = Table(
    "forks",
    METADATA,
    *_of_a_file(),
    Column("series_id", Integer, ForeignKey("series.id"), nullable=False, index=True),
    Column("setup_id", Integer, ForeignKey("setups.id"), nullable=False),
    Column("certificate", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("images_per_second", Double, nullable=False),
    Column("steps_per_block", Integer, nullable=False),
    Column("block_seconds", JSON, nullable=False),
    Column("disturbances", _OR_NULL),
    *(Column(name, Double) for name in METRICS),
)
TRAININGS = Table(
    "trainings",
    METADATA,
    *_of_a_file(),
    Column("recipe", String, nullable=False),
    Column("scale", String, nullable=False),
    Column("network", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("framework", String, nullable=False),
    Column("certificate", String, nullable=False),
    Column("data", JSON, nullable=False),
    Column("optimizer", String, nullable=False),
    Column("batch", Integer, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("versions", JSON, nullable=False),
    Column("test_accuracy", Double, nullable=False),
    Column("test_loss", Double),
    Column("seconds_per_epoch", Double, nullable=False),
    Column("epochs", JSON, nullable=False),
)
CERTIFICATES = Table(
    "certificates",
    METADATA,
    *_of_a_file(),
    Column("certificate", String, nullable=False),
    Column("framework", String, nullable=False),
    Column("exporter", String),
    Column("network", String, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("largest", JSON, nullable=False),
)
CEILINGS = Table(
    "ceilings",
    METADATA,
    *_of_a_file(),
    Column("reached", JSON, nullable=False),
)
FAILURES = Table(
    "failures",
    METADATA,
    *_of_a_file(),
    Column("record", JSON, nullable=False),
)
