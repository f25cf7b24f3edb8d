"""Asks the history: series over runs, runs, trainings. No number without the proof that it was made under."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Row, func, select

from benchmarks import results
from benchmarks.history import filters as asking
from benchmarks.history import importing, migrating, rebuilding, schema
from benchmarks.history.database import Database
from benchmarks.history.importing import Imported
from benchmarks.history.points import Asked, proofs, utc
from benchmarks.history.series import ForkRow, RunRow, Series, TrainingRow
from implementations.commandline import Notice
from implementations.errors import UserError


class History:
    """All that was imported. ``open`` makes one."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    def open(cls, place: str | Path = results.HISTORY, *, create: bool = False) -> "History":
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

    def rebuild(self, paths: Iterable[Path], notice: Notice = print, *, forget: bool = False) -> Imported:
        """All of it anew from the files in ``paths``, with the same answers.

        ``UserError``, and nothing is changed, if files that it knows are in none of them, unless ``forget``.
        """
        return rebuilding.rebuild(self.database, paths, notice, forget=forget)

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
            asked = Asked(connection, filters)
            found = [Series(asked.series[number], tuple(points)) for number, points in asked.points().items()]
        return sorted(found, key=lambda one: [str(value) for value in one.key.values()])

    def forks(self, **filters: Any) -> list[ForkRow]:
        """All proven forks, the oldest runs first; ``filters`` as for ``series``."""
        with self.database.reading() as connection:
            return Asked(connection, filters).rows()

    def trainings(self, **filters: Any) -> list[TrainingRow]:
        """All proven trainings, the oldest first; ``filters`` by run, training and version."""
        runs, table = schema.RUNS, schema.TRAININGS
        query = select(table, *(runs.c[name] for name in ("started", "commit_id"))).join(
            runs, table.c.run_id == runs.c.id
        )
        with self.database.reading() as connection:
            proven = proofs(connection)
            rows = connection.execute(
                asking.of_trainings(query, filters).order_by(runs.c.started, table.c.file)
            )
            return [_training(row) for row in rows if (row.run_id, row.certificate) in proven]


# --- Runs -----------------------------------------------------------------------------------


def _run(row: Row[Any]) -> RunRow:
    forks, trainings, failures = tuple(row)[-3:]
    return RunRow(
        id=row.id,
        folder=row.folder,
        started=utc(row.started),
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
    names = ("recipe", "scale", "network", "digest", "framework", "optimizer", "batch", "seed", "versions")
    results = ("test_accuracy", "test_loss", "seconds_per_epoch")
    return TrainingRow(
        run=row.run_id,
        started=utc(row.started),
        commit=row.commit_id,
        data=row.data["title"],
        data_sha256=row.data["sha256"],
        epochs=tuple(row.epochs),
        **{name: getattr(row, name) for name in (*names, *results)},
    )
