"""Asks the history: series over runs, runs, trainings. No number without the proof that it was made under."""

import datetime
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, select

from benchmarks import comparisons, results
from benchmarks.history import filters as asking
from benchmarks.history import importing, migrating, schema
from benchmarks.history.database import DEFAULT, Database
from benchmarks.history.importing import Imported, Notice
from benchmarks.history.series import Point, RunRow, Series, TrainingRow
from implementations.errors import UserError

ABOUT = ("system", "python", "cpu", "governor", "cpu_limit", "memory_limit_gib")  # of a machine, for a point
Proofs = Mapping[tuple[str, str], Mapping[str, float]]  # largest differences by run and certificate


class History:
    """All that was imported. ``open`` makes one."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    def open(cls, place: str | Path = DEFAULT, *, create: bool = False) -> "History":
        """The history in the SQLite file or at the URL ``place``, its tables brought to this code's schema.

        ``UserError`` if there is none (unless ``create``), if it is newer, or something else.
        """
        database = Database(place)
        if database.file is not None and not create and not database.file.exists():
            raise UserError(
                "there is no history yet",
                given=database.name,
                allowed="a history that 'python -m benchmarks import' made",
                todo=f"python -m benchmarks import {results.FOLDER}",
            )
        migrating.prepare(database)
        return cls(database)

    def import_paths(self, paths: Iterable[Path], notice: Notice = print) -> Imported:
        """Everything in run folders, folders of run folders, and files of runs; what is known is skipped."""
        return importing.import_paths(self.database, paths, notice)

    # --- Questions ---

    def runs(self, **filters: Any) -> list[RunRow]:
        """All runs, the oldest first."""
        counts = [
            select(func.count()).where(table.c.run_id == schema.RUNS.c.id).scalar_subquery()
            for table in (schema.FORKS, schema.TRAININGS, schema.FAILURES)
        ]
        query = asking.of_runs(select(schema.RUNS, *counts), filters).order_by(schema.RUNS.c.started)
        with self.database.reading() as connection:
            return [_run(row) for row in connection.execute(query)]

    def series(self, **filters: Any) -> list[Series]:
        """All series with a point for each run and build, by key; ``filters``: what ``filters`` knows."""
        with self.database.reading() as connection:
            asked = _Asked(connection, filters)
            found = [
                Series(asked.series[number], tuple(point for _, point in pairs))
                for number, pairs in itertools.groupby(asked.points(), key=lambda pair: pair[0])
            ]
        return sorted(found, key=lambda one: [str(value) for value in one.key.values()])

    def trainings(self, **filters: Any) -> list[TrainingRow]:
        """All proven trainings, the oldest first; ``filters`` by run, training and version."""
        runs, table = schema.RUNS, schema.TRAININGS
        query = select(table, *(runs.c[name] for name in ("started", "commit_id"))).join(
            runs, table.c.run_id == runs.c.id
        )
        with self.database.reading() as connection:
            proofs = _proofs(connection)
            rows = connection.execute(
                asking.of_trainings(query, filters).order_by(runs.c.started, table.c.file)
            )
            return [_training(row) for row in rows if (row.run_id, row.certificate) in proofs]


# --- Series ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Counted:
    """A fork's row, as ``comparisons.counting`` looks at it."""

    row: Row[Any]
    disturbances: Sequence[str]


class _Asked:
    """The rows behind an answer: forks alone are many, so all else is read once and joined here."""

    def __init__(self, connection: Connection, filters: Mapping[str, Any]) -> None:
        self.connection = connection
        forks = schema.FORKS
        shared = (
            select(forks.c.id)
            .join(schema.RUNS, forks.c.run_id == schema.RUNS.c.id)
            .join(schema.SERIES, forks.c.series_id == schema.SERIES.c.id)
            .join(schema.SETUPS, forks.c.setup_id == schema.SETUPS.c.id)
        )
        columns = [forks.c[name] for name in _FORK]
        self.query = asking.of_forks(shared.with_only_columns(*columns), filters).order_by(
            forks.c.series_id, schema.RUNS.c.started, forks.c.run_id, schema.SETUPS.c.label, forks.c.number
        )
        self.series = {row.id: _key(row) for row in connection.execute(select(schema.SERIES))}
        self.runs = {row.id: row for row in connection.execute(select(schema.RUNS))}
        self.setups = {row.id: row for row in connection.execute(select(schema.SETUPS))}
        self.proofs = _proofs(connection)
        self.ceilings = _ceilings(connection)

    def points(self) -> Iterator[tuple[int, Point]]:
        """(series, point), series by series, the oldest point first."""
        proven = (row for row in self.connection.execute(self.query) if (row[1], row[3]) in self.proofs)
        by_build = lambda row: (row[0], row[1], self.setups[row[2]].label)  # noqa: E731
        for (series, run, label), rows in itertools.groupby(proven, key=by_build):
            yield series, self._point(run, label, list(rows))

    def _point(self, run: str, label: str, rows: list[Row[Any]]) -> Point:
        forks = [_Counted(row, row.disturbances or ()) for row in rows]
        counting = [fork.row for fork in comparisons.counting(forks)]
        about, setup = self.runs[run], self.setups[rows[-1].setup_id]
        return Point(
            run=run,
            started=_utc(about.started),
            forks=tuple(row.images_per_second for row in counting),
            metrics=_metrics(counting),
            versions=setup.versions,
            commit=about.commit_id,
            disturbed=sum(bool(fork.disturbances) for fork in forks),
            ceilings=self.ceilings.get(run, {}),
            sameness=self.proofs[run, rows[-1].certificate],
            environment=_environment(about, setup),
            switches=setup.switches,
            label=label,
            preset=about.preset,
        )


_FORK = (
    "series_id",
    "run_id",
    "setup_id",
    "certificate",
    "images_per_second",
    "disturbances",
    *schema.METRICS,
)


def _key(row: Row[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in results.KEY}


def _metrics(rows: Sequence[Row[Any]]) -> dict[str, tuple[float, ...]]:
    columns = zip(*(row[len(_FORK) - len(schema.METRICS) :] for row in rows), strict=True)
    found = zip(schema.METRICS, columns, strict=True)
    return {name: values for name, values in found if None not in values}


def _environment(about: Row[Any], setup: Row[Any]) -> dict[str, str]:
    machine = {name: about.machine.get(name) for name in ABOUT}
    driver = {"driver": (about.gpu or {}).get("driver")}
    return {
        name: str(value)
        for name, value in {**machine, **driver, **setup.environment}.items()
        if value is not None
    }


def _proofs(connection: Connection) -> Proofs:
    table = schema.CERTIFICATES.c
    query = select(table.run_id, table.certificate, table.largest).where(table.passed)
    return {(row.run_id, row.certificate): row.largest for row in connection.execute(query)}


def _ceilings(connection: Connection) -> dict[str, dict[str, float]]:
    """The highest of all frameworks, by run."""
    found: dict[str, dict[str, float]] = {}
    for row in connection.execute(select(schema.CEILINGS.c.run_id, schema.CEILINGS.c.reached)):
        highest = found.setdefault(row.run_id, {})
        highest |= {name: max(value, highest.get(name, 0.0)) for name, value in row.reached.items()}
    return found


# --- Runs -----------------------------------------------------------------------------------


def _run(row: Row[Any]) -> RunRow:
    forks, trainings, failures = tuple(row)[-3:]
    return RunRow(
        id=row.id,
        folder=row.folder,
        started=_utc(row.started),
        preset=row.preset,
        device=row.device,
        threads=row.threads,
        commit=row.commit_id,
        dirty=row.commit_dirty,
        machine=row.machine,
        gpu=row.gpu,
        forks=forks,
        trainings=trainings,
        failures=failures,
    )


def _training(row: Row[Any]) -> TrainingRow:
    names = ("recipe", "network", "digest", "framework", "optimizer", "batch", "seed", "versions")
    results = ("test_accuracy", "test_loss", "seconds_per_epoch")
    return TrainingRow(
        run=row.run_id,
        started=_utc(row.started),
        commit=row.commit_id,
        data=row.data["title"],
        data_sha256=row.data["sha256"],
        epochs=tuple(row.epochs),
        **{name: getattr(row, name) for name in (*names, *results)},
    )


def _utc(moment: datetime.datetime) -> datetime.datetime:
    return moment.replace(tzinfo=datetime.UTC)
