"""python -m benchmarks export. Nothing of a database is loaded before it runs."""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import results
from implementations.console import CONSOLE
from implementations.errors import UserError
from implementations.files import replacing

if TYPE_CHECKING:
    from benchmarks.history.queries import History

Filters = dict[str, str]
SUFFIXES = {
    "csv": "csv",
    "parquet": "parquet",
    "github-action-benchmark": "json",
    "bencher": "json",
    "pytest-benchmark": "json",
}
FORMATS = (*SUFFIXES, "mlflow")
EXPERIMENT = "framework benchmarks"


def add_export(command: argparse.ArgumentParser) -> None:
    """Options of ``export``."""
    command.add_argument("format", choices=FORMATS, metavar="FORMAT", help=", ".join(FORMATS))
    command.add_argument(
        "runs", nargs="*", type=Path, metavar="RUN", help="run folders; default: the history"
    )
    command.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="framework=pytorch, versions.torch=2.13.0, commit=…, run=…, since=2026-01-31 …; repeatable",
    )
    command.add_argument(
        "--history", metavar="URL", help=f"default: {results.HISTORY}; not asked where RUNs are named"
    )
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: benchmarks.SUFFIX")
    command.add_argument("--tracking-uri", metavar="URI", help="MLflow's server or folder; default: its own")
    command.add_argument("--experiment", default=EXPERIMENT, metavar="NAME", help=f"default: {EXPERIMENT}")
    command.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    from benchmarks.history.filters import parsed

    filters = parsed(options.where)
    with tempfile.TemporaryDirectory() as scratch:
        history = _history(options, Path(scratch) / "history.sqlite")
        if options.format == "mlflow":
            return _log(history, filters, options)
        path = options.output or Path(f"benchmarks.{SUFFIXES[options.format]}")
        count = WRITERS[options.format](path, history, filters)
    CONSOLE.print(f"{count} rows in {path}")
    return 0


def _history(options: argparse.Namespace, scratch: Path) -> "History":
    """The one asked for; of run folders a new one, which holds nothing else."""
    from benchmarks.history.queries import History

    if not options.runs:
        return History.open(options.history or results.HISTORY)
    history = History.open(scratch, create=True)
    done = history.import_paths(options.runs, lambda line: None)
    if done.refused:
        raise done.refused[0]
    return history


def _found(rows: list[Any]) -> list[Any]:
    if not rows:
        raise UserError(
            "there is nothing to export",
            given="no proven fork",
            allowed="a history, runs and filters that hold some",
            todo="leave out a --where, or import runs first",
        )
    return rows


def _write_csv(path: Path, history: "History", filters: Filters) -> int:
    from benchmarks.exporting import tables

    forks = _found(history.forks(**filters))
    tables.write_csv(path, forks)
    return len(forks)


def _write_parquet(path: Path, history: "History", filters: Filters) -> int:
    from benchmarks.exporting import tables

    forks = _found(history.forks(**filters))
    tables.write_parquet(path, forks)
    return len(forks)


def _write_github(path: Path, history: "History", filters: Filters) -> int:
    from benchmarks.exporting import dashboards

    return _write_json(path, dashboards.github_action_benchmark(_found(history.series(**filters))))


def _write_bencher(path: Path, history: "History", filters: Filters) -> int:
    from benchmarks.exporting import dashboards

    return _write_json(path, dashboards.bencher(_found(history.series(**filters))))


def _write_pytest_benchmark(path: Path, history: "History", filters: Filters) -> int:
    from benchmarks.exporting import dashboards

    forks = _found(history.forks(**filters))
    if len({fork.run for fork in forks}) > 1:
        raise UserError(
            "pytest-benchmark's files hold one run each",
            given=f"{len({fork.run for fork in forks})} runs",
            allowed="--where run=ID, or one RUN",
            todo="export each run into a file of its own",
        )
    content = dashboards.pytest_benchmark(forks)
    _write_json(path, content)
    return len(content["benchmarks"])


def _write_json(path: Path, content: Any) -> int:
    with replacing(path, "the export") as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
    return len(content)


WRITERS: dict[str, Callable[[Path, "History", Filters], int]] = {
    "csv": _write_csv,
    "parquet": _write_parquet,
    "github-action-benchmark": _write_github,
    "bencher": _write_bencher,
    "pytest-benchmark": _write_pytest_benchmark,
}


def _log(history: "History", filters: Filters, options: argparse.Namespace) -> int:
    from benchmarks.exporting import tracking

    new, known = tracking.log(_found(history.series(**filters)), options.experiment, options.tracking_uri)
    CONSOLE.print(f"{new} points logged to {options.experiment}, {known} were there")
    return 0
