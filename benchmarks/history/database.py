"""Opens the database of a history: SQLite in a file, or PostgreSQL by URL; one writer at a time."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from benchmarks import results
from implementations.errors import UserError

PATIENCE_S = 60.0  # for another writer
LOCK = 0x686973746F7279  # of PostgreSQL's advisory locks: any number that is always the same
ALLOWED = "the path of an SQLite file, or postgresql://USER@HOST/DATABASE"
# What the databases' complaints come down to: how they put it, and what to do.
CAUSES = (
    (r"readonly|read-only|permission denied", "name one that may be written, or ask its owner"),
    (
        r"disk is full|disk full|no space left|disk I/O",
        "free space, then start again: what was imported is kept",
    ),
    (r"locked|lock timeout|lock_timeout", "another process is writing it: start again when that has ended"),
    (r"not a database|malformed|corrupt", "remove the file, then 'python -m benchmarks rebuild'"),
    (r"unable to open|no such file", "name a file in a folder that exists"),
)
ANY_CAUSE = "check the URL and that the server runs"


class Database:
    """Where a history lies, and how it is reached."""

    def __init__(self, place: str | Path = results.HISTORY) -> None:
        """``UserError`` if ``place`` is neither a file nor a URL of SQLite or PostgreSQL."""
        self.url = _url(place)
        try:
            self.engine = _engine(self.url)
        except ModuleNotFoundError as absent:
            raise UserError(
                f"this database needs a package that is not installed ({absent.name})",
                given=self.name,
                allowed=ALLOWED,
                todo="pip install -r requirements/core.txt",
            ) from None

    @property
    def name(self) -> str:
        """The place in words, without a password."""
        return str(self.file) if self.file else self.url.render_as_string(hide_password=True)

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database."""
        is_file = self.url.get_backend_name() == "sqlite" and self.url.database
        return Path(self.url.database) if is_file and self.url.database else None

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the history; ``UserError`` for what the database refuses."""
        with self._refusing(), self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """The only transaction that writes: others wait. All of it is kept, or, after a kill, nothing."""
        with self._refusing(), self.engine.connect() as connection:
            connection.execution_options(begin="BEGIN IMMEDIATE")
            with connection.begin():
                if connection.dialect.name == "postgresql":
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(1000 * PATIENCE_S)}")
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
                yield connection

    @contextlib.contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self.refused(str(error.orig)) from None

    def refused(self, why: str) -> UserError:
        """The one line about what the database said."""
        line = why.strip().splitlines()[0] if why.strip() else "no reason given"
        todo = next((t for words, t in CAUSES if re.search(words, why, re.IGNORECASE)), ANY_CAUSE)
        return UserError(f"the history cannot be used ({line})", given=self.name, allowed=ALLOWED, todo=todo)


def _url(place: str | Path) -> URL:
    text = str(place)
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise _foreign("a text that is no URL") from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg") or not url.database:
        raise _foreign(url.render_as_string(hide_password=True))
    return url


def _foreign(given: str) -> UserError:
    return UserError(
        "this is no place for a history", given=given, allowed=ALLOWED, todo="name another with --history"
    )


def _engine(url: URL) -> Engine:
    options: dict[str, Any] = {"timeout": PATIENCE_S} if url.get_backend_name() == "sqlite" else {}
    engine = sqlalchemy.create_engine(url, poolclass=NullPool, connect_args=options)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin)
    return engine


def _leave_transactions_to_us(connection: Any, record: object) -> None:
    """Python's module would begin late, and end a transaction before it changes a table."""
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    # A full cache would be written into the file before the end, and shut out everybody who reads meanwhile.
    connection.execute("PRAGMA cache_spill = OFF")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
