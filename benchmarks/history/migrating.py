"""Brings a database to the schema of this code, and refuses one that is newer or not a history."""

from pathlib import Path

import sqlalchemy
from sqlalchemy import Connection

from benchmarks.history.database import Database
from benchmarks.history.schema import REVISION, VERSION_TABLE
from implementations.errors import UserError

SCRIPTS = Path(__file__).parent / "migrations"


def prepare(database: Database) -> None:
    """Make or migrate the tables, if they are not as this code needs them.

    ``UserError`` if the database is from a newer version of this project, or somebody else's.
    """
    with database.reading() as connection:
        if _revision(connection, database) == REVISION:
            return
    with database.writing() as connection:  # another process may have done it since
        if _revision(connection, database) != REVISION:
            _upgrade(connection)


def _revision(connection: Connection, database: Database) -> str | None:
    """The schema's, ``None`` in an empty database."""
    tables = sqlalchemy.inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        if tables:
            raise _refused(
                database, "the database is not a history", f"tables {', '.join(sorted(tables)[:3])}"
            )
        return None
    version = sqlalchemy.table(VERSION_TABLE, sqlalchemy.column("version_num"))
    found = connection.execute(sqlalchemy.select(version.c.version_num)).scalar()
    if found is not None and found not in known():
        wrong = f"the history is from a newer version of this project (schema {found})"
        raise _refused(database, wrong, f"schema {found}")
    return None if found is None else str(found)


def known() -> set[str]:
    """The schemas that this code can read or migrate, by their migrations' files."""
    return {path.name.partition("_")[0] for path in (SCRIPTS / "versions").glob("[0-9]*.py")}


def _upgrade(connection: Connection) -> None:
    from alembic import command  # slow, and needed once
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _refused(database: Database, wrong: str, given: str) -> UserError:
    return UserError(
        wrong,
        given=f"{given} in {database.name}",
        allowed=f"a new or empty database, or a history with a schema up to {REVISION}",
        todo="update this checkout, or name another place with --history",
    )
