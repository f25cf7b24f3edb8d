"""Fixtures that all tests share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from implementations.cache import Cache
from implementations.processes import Launcher
from implementations.proving import Prover

CHILDREN = Path(__file__).parent / "children"  # what children that tests start are asked for
MADE = Path(__file__).parent / "made"  # what tests look at: files, results, series, stand-ins
sys.path[:0] = [str(CHILDREN), str(MADE)]


@pytest.fixture(scope="session")
def launcher() -> Launcher:
    return Launcher(threads=1)  # two test workers share the cores; more threads would wait for each other


@pytest.fixture(scope="session")
def prover(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Prover:
    return Prover(launcher, Cache(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def children_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Children started in the test can be asked for tasks in ``tests/children``."""
    monkeypatch.setenv("PYTHONPATH", str(CHILDREN))
    return
