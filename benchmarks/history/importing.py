"""Puts the files of runs into the history: each once, all of a run or nothing, whoever else imports."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select

from benchmarks import results
from benchmarks.history import records, schema
from benchmarks.history.database import Database
from benchmarks.history.records import Record, Row, RunFiles
from implementations.commandline import Notice
from implementations.errors import UserError

TABLES: dict[str, Table] = {
    "certificates": schema.CERTIFICATES,
    "ceilings": schema.CEILINGS,
    "forks": schema.FORKS,
    "training": schema.TRAININGS,
    "failures": schema.FAILURES,
}
Known = dict[tuple[str, str], Row]  # id, sha256 and made of a run's rows, by kind and file


@dataclass(frozen=True)
class Imported:
    """What became of the files."""

    runs: int = 0  # that were looked at
    forks: int = 0  # new, or measured anew
    others: int = 0  # new certificates, ceilings, trainings, failures
    skipped: int = 0  # files that were known already
    refused: tuple[UserError, ...] = ()  # one for each damaged file

    def __add__(self, other: "Imported") -> "Imported":
        return Imported(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


def import_paths(database: Database, paths: Iterable[Path], notice: Notice) -> Imported:
    """Everything in ``paths``: run folders, folders of run folders, single files of a run.

    What is damaged is refused by name, and the rest is imported.
    """
    total = Imported()
    for folder, only in runs_in(paths):
        done = _import(database, folder, only)
        if done.forks or done.others:
            notice(f"{folder}: {done.forks} new forks, {done.others} other new files, {done.skipped} known")
        total += done
    return total


def runs_in(paths: Iterable[Path]) -> Iterator[tuple[Path, list[Path] | None]]:
    """Run folders, each with the files of it that are wanted, ``None`` for all."""
    for path in paths:
        if path.is_file() and path.name != "run.json":
            yield path.parent.parent, [path]
        elif path.is_dir() and not (path / "run.json").exists():
            inside = sorted(found.parent for found in path.glob("*/run.json"))
            yield from ((folder, None) for folder in inside or [path])
        else:
            yield path.parent if path.name == "run.json" else path, None


def _import(database: Database, folder: Path, only: Sequence[Path] | None) -> Imported:
    try:
        run = records.open_run(folder)
    except UserError as error:
        return Imported(refused=(error,))
    with database.reading() as connection:
        known = {name: row["sha256"] for name, row in _known(connection, run).items()}
    found, skipped, refused = read_run(run, only, known)
    if not found and known:
        return Imported(1, skipped=skipped, refused=tuple(refused))
    with database.writing() as connection:
        written = write(connection, run, found)
    return imported(found, written, skipped, refused)


def imported(
    found: Sequence[Record], written: Sequence[Record], skipped: int, refused: Iterable[UserError]
) -> Imported:
    """Of one run; what was found but not written, another process had written, or a later version."""
    forks = sum(record.kind == "forks" for record in written)
    others = len(written) - forks
    return Imported(1, forks, others, skipped + len(found) - len(written), tuple(refused))


def read_run(
    run: RunFiles, only: Sequence[Path] | None, known: Mapping[tuple[str, str], str]
) -> tuple[list[Record], int, list[UserError]]:
    """What is new, how many files are known, and why others are refused."""
    found: list[Record] = []
    skipped, refused = 0, []
    for path in _wanted(run, only):
        try:
            record = records.read(run, path, known)
        except UserError as error:
            refused.append(error)
        else:
            skipped += record is None
            found += [record] if record else []
    return found, skipped, refused


def _wanted(run: RunFiles, only: Sequence[Path] | None) -> Iterator[Path]:
    """With a single file the run's certificates: without its proof it counts for nothing."""
    for path in run.files():
        if only is None or path.parent.name == "certificates" or path.name in {one.name for one in only}:
            yield path


# --- Writing --------------------------------------------------------------------------------


def write(connection: Connection, run: RunFiles, found: Iterable[Record]) -> list[Record]:
    """Those of ``found`` that were new or later than what was known, written inside ``Database.writing``.

    Of two versions of one file the later counts, whichever was imported first.
    """
    if connection.execute(select(schema.RUNS.c.id).where(schema.RUNS.c.id == run.id)).first() is None:
        connection.execute(insert(schema.RUNS).values(run.row))
    known = _known(connection, run)
    fresh = [record for record in found if _is_later(record, known)]
    _remove_replaced(connection, fresh, known)
    ids = _Shared(connection)
    rows: dict[str, list[Row]] = {}
    for record in fresh:
        rows.setdefault(record.kind, []).append({**record.row, **ids.of(record)})
    for kind, every in rows.items():
        connection.execute(insert(TABLES[kind]), every)
    _remove_made_good(connection, run, fresh)
    return fresh


def _known(connection: Connection, run: RunFiles) -> Known:
    known: Known = {}
    for kind, table in TABLES.items():
        columns = (table.c.id, table.c.file, table.c.sha256, table.c.made)
        for row in connection.execute(select(*columns).where(table.c.run_id == run.id)).mappings():
            known[kind, row["file"]] = dict(row)
    return known


def _is_later(record: Record, known: Known) -> bool:
    before = known.get((record.kind, record.row["file"]))
    if before is None:
        return True
    return bool(
        (record.row["made"], record.row["sha256"]) > (before["made"], before["sha256"])
    )  # a hash to break ties: the order of importing must have no say


def _remove_replaced(connection: Connection, fresh: Iterable[Record], known: Known) -> None:
    for record in fresh:
        before = known.get((record.kind, record.row["file"]))
        if before is not None:
            table = TABLES[record.kind]
            connection.execute(delete(table).where(table.c.id == before["id"]))


def _remove_made_good(connection: Connection, run: RunFiles, fresh: Iterable[Record]) -> None:
    """Failures of what has a result since, as a run removes their files."""
    table = schema.FAILURES
    names = [
        f"{record.kind}-{record.row['file']}" for record in fresh if record.kind in ("forks", "training")
    ]
    failed = select(table.c.file).where(table.c.run_id == run.id)
    for name in set(names) & set(connection.execute(failed).scalars()):
        connection.execute(delete(table).where(table.c.run_id == run.id, table.c.file == name))


class _Shared:
    """Ids of series and setups, found or made."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.ids: dict[tuple[str, str], Any] = {}

    def of(self, record: Record) -> Row:
        """The columns of a fork's row that point to what it shares; none for other kinds."""
        if record.kind != "forks":
            return {}
        return {
            "series_id": self._id(schema.SERIES, record.series),
            "setup_id": self._id(schema.SETUPS, record.setup),
        }

    def _id(self, table: Table, content: Row) -> Any:
        identity = results.identity(content)
        place = (table.name, identity)
        if place not in self.ids:
            found = self.connection.execute(select(table.c.id).where(table.c.identity == identity)).scalar()
            self.ids[place] = found if found is not None else self._made(table, content, identity)
        return self.ids[place]

    def _made(self, table: Table, content: Row, identity: str) -> Any:
        made = self.connection.execute(insert(table).values({**content, "identity": identity}))
        return made.inserted_primary_key[0] if made.inserted_primary_key else None
