"""Databases to keep a history in: an SQLite file, and a PostgreSQL server of the tests' own."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

SERVER = (
    "HISTORY_TEST_POSTGRESQL"  # the URL of a server to use instead of a new one: its user makes databases
)
DEBIAN = Path("/usr/lib/postgresql")
ABSENT = f"PostgreSQL is not installed (Debian's package postgresql), and {SERVER} names no server"


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server, without a database; skips where there is none."""
    if named := os.environ.get(SERVER):
        yield named.rstrip("/")
        return
    programs = _programs()
    if programs is None:
        pytest.skip(ABSENT)
    with tempfile.TemporaryDirectory(prefix="history-") as name, _cluster(programs, Path(name)) as url:
        yield url


def _programs() -> Path | None:
    """The folder of initdb and postgres, which Debian does not put into the path."""
    found = shutil.which("initdb")
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return Path(found).parent if found else versions[-1].parent if versions else None


@contextlib.contextmanager
def _cluster(programs: Path, folder: Path) -> Iterator[str]:
    """A server of its own on a free port, gone with the block."""
    owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None  # it refuses to run as root
    user = {"user": owner.pw_uid, "group": owner.pw_gid} if owner else {}
    if owner:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data, port = folder / "data", _free_port()
    make = [programs / "initdb", "-D", data, "-U", "history", "-A", "trust", "--no-sync", "--locale=C.UTF-8"]
    subprocess.run(make, check=True, capture_output=True, cwd=folder, **user)
    serve = [programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -F"  # -F: nothing here outlives a crash
    subprocess.run(
        [*serve, "-o", options, "start"], check=True, cwd=folder, stdout=subprocess.DEVNULL, **user
    )
    try:
        yield f"postgresql://history@127.0.0.1:{port}"
    finally:
        subprocess.run([*serve, "-m", "immediate", "stop"], stdout=subprocess.DEVNULL, cwd=folder, **user)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def database_of(server: str) -> Iterator[str]:
    """The URL of a new, empty database, gone with the block."""
    name = f"history_{uuid.uuid4().hex}"
    url = sqlalchemy.make_url(f"{server}/postgres").set(drivername="postgresql+psycopg")
    admin = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield f"{server}/{name}"
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgresql(server: str) -> Iterator[str]:
    """The URL of a new, empty database."""
    with database_of(server) as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where one history of a module's tests may be made, in both databases."""
    if request.param == "sqlite":
        yield str(tmp_path_factory.mktemp("shared") / "history.sqlite")
        return
    with database_of(request.getfixturevalue("server")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new history may be made, in both databases."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql"))
    return str(tmp_path / "history.sqlite")
