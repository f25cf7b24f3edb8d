"""Makes the history anew from the files, which are the truth."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from sqlalchemy import Connection, delete, select

from benchmarks.history import importing, records, schema
from benchmarks.history.database import Database
from benchmarks.history.importing import Imported
from implementations.commandline import Notice
from implementations.errors import UserError


def rebuild(database: Database, paths: Iterable[Path], notice: Notice, *, forget: bool = False) -> Imported:
    """The history anew, of nothing but the files in ``paths``; whoever asks meanwhile sees the old one.

    ``UserError``, and the history is as it was, if it would lose what is in none of them, unless ``forget``.
    """
    total = Imported()
    with database.writing() as connection:
        before = _files(connection)
        for table in reversed(schema.METADATA.sorted_tables):
            connection.execute(delete(table))
        for folder, only in importing.runs_in(paths):
            total += _rebuild_run(connection, folder, only)
            notice(f"{folder}: read")
        lost = before - _files(connection)
        if lost and not forget:
            raise _losing(database, lost)
    return total


def _rebuild_run(connection: Connection, folder: Path, only: Sequence[Path] | None) -> Imported:
    try:
        run = records.open_run(folder)
    except UserError as error:
        return Imported(refused=(error,))
    found, _, refused = importing.read_run(run, only, {})
    return importing.imported(found, importing.write(connection, run, found), 0, refused)


def _files(connection: Connection) -> set[tuple[str, str]]:
    """The run's folder and the name of every file that a run does not remove itself."""
    found: set[tuple[str, str]] = set()
    for kind, table in importing.TABLES.items():
        if kind != "failures":
            query = select(table.c.run_id, table.c.file)
            found |= {(row.run_id, f"{kind}/{row.file}") for row in connection.execute(query)}
    return found


def _losing(database: Database, lost: Collection[tuple[str, str]]) -> UserError:
    run, file = min(lost)
    return UserError(
        f"the history would lose {len(lost)} files that were found nowhere, or are damaged",
        given=f"{file} of run {run} and others" if len(lost) > 1 else f"{file} of run {run}",
        allowed=f"the folders of all runs that {database.name} knows",
        todo="name the other folders too, or forget those files with --forget",
    )
