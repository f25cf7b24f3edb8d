"""Where a history lies: its schema, and every database that it must not touch."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import alembic.autogenerate
import alembic.config
import alembic.migration
import alembic.script
import pytest
import sqlalchemy
from made_runs import CASE, made_run

from benchmarks import results
from benchmarks.history import migrating, schema
from benchmarks.history.database import Database
from benchmarks.history.queries import History
from implementations.commandline import ROOT
from implementations.errors import UserError

NOWHERE = "postgresql://nobody:secret@127.0.0.1:1/history"


def executed(place: str, *statements: str) -> None:
    with Database(place).writing() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


# --- The schema -----------------------------------------------------------------------------


def test_a_series_is_keyed_as_results_are() -> None:
    own = [column.name for column in schema.SERIES.columns if column.name not in ("id", "identity")]
    assert own == list(results.KEY)


def test_the_migrations_make_the_tables_of_the_code(place: str) -> None:
    History.open(place, create=True)
    with Database(place).reading() as connection:
        context = alembic.migration.MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE}
        )
        assert alembic.autogenerate.compare_metadata(context, schema.METADATA) == []


def test_the_newest_migration_is_the_codes() -> None:
    assert alembic.script.ScriptDirectory(str(migrating.SCRIPTS)).get_current_head() == schema.REVISION
    assert schema.REVISION in migrating.known()


def test_the_migrations_can_be_undone(place: str) -> None:
    History.open(place, create=True)
    with Database(place).writing() as connection:
        config = alembic.config.Config()
        config.set_main_option("script_location", str(migrating.SCRIPTS))
        config.attributes["connection"] = connection
        alembic.command.downgrade(config, "base")
    with Database(place).reading() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == [schema.VERSION_TABLE]
    assert History.open(place).runs() == []


# --- Databases that it must not touch -------------------------------------------------------


def test_a_newer_history_is_refused(place: str) -> None:
    History.open(place, create=True)
    executed(place, f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(UserError, match=r"from a newer version of this project.*9999.*update this checkout"):
        History.open(place)


def test_somebody_elses_database_is_refused_and_left_alone(place: str) -> None:
    executed(place, "CREATE TABLE customers (id INTEGER)", "CREATE TABLE alembic_version (version_num TEXT)")
    with pytest.raises(UserError, match=r"not a history.*customers"):
        History.open(place, create=True)
    with Database(place).reading() as connection:
        assert len(sqlalchemy.inspect(connection).get_table_names()) == 2


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text("mine " * 1000)
    with pytest.raises(UserError, match="not a database"):
        History.open(path, create=True)
    assert path.read_text() == "mine " * 1000


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    History.open(path, create=True).import_paths([made_run(tmp_path / "a", {CASE: [1.0]})], print)
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(UserError, match=r"malformed.*rebuild"):
        History.open(path).series()


@pytest.mark.parametrize(
    "place", ["mysql://somewhere/history", "postgresql://somewhere", "://", "sqlite://", "oracle+cx://a/b"]
)
def test_what_is_no_place_for_a_history_is_refused(place: str) -> None:
    with pytest.raises(UserError, match="postgresql://USER@HOST/DATABASE"):
        History.open(place)


def test_a_server_that_is_not_there_is_refused_without_the_password() -> None:
    with pytest.raises(UserError, match="the history cannot be used") as caught:
        History.open(NOWHERE)
    assert "secret" not in str(caught.value)


def test_a_database_that_does_not_exist_is_refused(server: str) -> None:
    with pytest.raises(UserError, match='database "none" does not exist'):
        History.open(f"{server}/none")


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="name a file in a folder that exists"):
        History.open(tmp_path / "none" / "history.sqlite", create=True)


# --- Read-only ------------------------------------------------------------------------------

ASK = """
import sys
from pathlib import Path
from benchmarks.history.queries import History
from implementations.errors import UserError
history = History.open(sys.argv[1])
print(len(history.series()))
try:
    history.import_paths([Path(sys.argv[2])])
except UserError as error:
    print(error)
"""


def unprivileged(*command: str) -> subprocess.CompletedProcess[str]:
    """``command`` without the right to write everywhere, which root has."""
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    if drop and not shutil.which("setpriv"):
        pytest.skip("root may write everywhere, and setpriv is not installed")
    return subprocess.run([*drop, *command], cwd=ROOT, capture_output=True, text=True, check=True)


def test_a_read_only_history_answers_and_cannot_be_added_to(tmp_path: Path) -> None:
    place = tmp_path / "shared" / "history.sqlite"
    place.parent.mkdir()
    History.open(place, create=True).import_paths([made_run(tmp_path / "a", {CASE: [1.0]})], print)
    place.chmod(0o444)
    place.parent.chmod(0o555)
    new = made_run(tmp_path / "b", {CASE: [1.0]}, night=1)
    done = unprivileged(sys.executable, "-c", ASK, str(place), str(new))
    answered, refused = done.stdout.splitlines()
    assert answered == "1"
    assert "readonly" in refused
    assert "name one that may be written" in refused


def test_a_read_only_role_cannot_add_to_a_history(postgresql: str, tmp_path: Path) -> None:
    History.open(postgresql, create=True).import_paths([made_run(tmp_path / "a", {CASE: [1.0]})], print)
    name = postgresql.rpartition("/")[-1]
    executed(postgresql, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    history = History.open(postgresql)
    assert len(history.series()) == 1
    with pytest.raises(UserError, match=r"read-only transaction.*name one that may be written"):
        history.import_paths([made_run(tmp_path / "b", {CASE: [1.0]}, night=1)])


def test_who_reads_while_much_is_written_sees_the_old_state(place: str) -> None:
    if place.startswith("postgresql"):
        pytest.skip("keeps every state that is still read")
    executed(place, "CREATE TABLE many (text TEXT)")
    with Database(place).writing() as connection:
        for _ in range(20):  # 20 MB, where the cache holds 2 MB
            connection.exec_driver_sql("INSERT INTO many VALUES (hex(randomblob(500000)))")
        with sqlite3.connect(place, timeout=0) as reader:
            assert reader.execute("SELECT count(*) FROM many").fetchone() == (0,)
        reader.close()


def test_a_port_that_is_no_number_is_refused() -> None:
    with pytest.raises(UserError, match="no place for a history"):
        Database("postgresql://me@server:54x/db")
