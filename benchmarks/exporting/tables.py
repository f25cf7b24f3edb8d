"""Forks as a table, one row each: CSV and Parquet."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.history.schema import METRICS
from benchmarks.history.series import ForkRow
from implementations.errors import UserError
from implementations.files import replacing


def rows(forks: Iterable[ForkRow]) -> list[dict[str, Any]]:
    """A row for each fork: the key's columns, what was measured, and a column for each package's version."""
    every = list(forks)
    packages = sorted({package for fork in every for package in fork.versions})
    return [_row(fork, packages) for fork in every]


def _row(fork: ForkRow, packages: Sequence[str]) -> dict[str, Any]:
    return {
        "run": fork.run,
        "started": fork.started.isoformat(),
        "commit": fork.commit,
        **{name: fork.key[name] for name in results.KEY},
        "label": fork.label,
        "fork": fork.number,
        "images_per_second": fork.images_per_second,
        "disturbed": fork.disturbed,
        **{name: fork.metrics[name] for name in METRICS},
        **{f"versions.{package}": fork.versions.get(package) for package in packages},
    }


def write_csv(path: Path, forks: Iterable[ForkRow]) -> None:
    """Comma-separated, with a line of names; what could not be known is empty."""
    table = rows(forks)
    with replacing(path, "the table") as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(table[0]))
        writer.writeheader()
        writer.writerows(table)


def write_parquet(path: Path, forks: Iterable[ForkRow]) -> None:
    """Apache Parquet; ``UserError`` where pyarrow, an optional package, is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise UserError(
            "Parquet needs a package that is not installed",
            given="no pyarrow",
            allowed="csv, which needs none",
            todo="pip install pyarrow",
        ) from None
    table = pyarrow.Table.from_pylist(rows(forks))
    with replacing(path, "the table") as temporary:
        pyarrow.parquet.write_table(table, temporary)
