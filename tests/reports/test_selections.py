"""What a word on the command line stands for, and the refusals of what stands for nothing."""

from pathlib import Path

import pytest
from made_runs import CASE, made_run

from benchmarks import archive
from benchmarks.history.queries import History
from implementations.errors import UserError
from reports import selections


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return made_run(tmp_path / "run", {CASE: [100.0, 101.0, 99.0]})


@pytest.fixture
def history(run: Path, tmp_path: Path) -> Path:
    place = tmp_path / "history.sqlite"
    History.open(place, create=True).import_paths([run], lambda line: None)
    return place


def test_a_folder_is_its_run(run: Path) -> None:
    chosen = selections.read(str(run))
    assert sorted(chosen.series[0].points[0].forks) == pytest.approx([99.0, 100.0, 101.0])
    assert chosen.fields == frozenset()


def test_an_archive_is_its_run(run: Path, tmp_path: Path) -> None:
    packed = tmp_path / "run.tar.gz"
    archive.pack(run, packed)
    assert len(selections.read(str(packed)).series) == 1


def test_a_filter_asks_the_history(history: Path) -> None:
    chosen = selections.read("framework=pytorch,versions.torch=2.13.0", history)
    assert (len(chosen.series), chosen.fields) == (1, {"framework", "versions.torch"})


def test_a_filter_that_finds_nothing_is_refused(history: Path) -> None:
    with pytest.raises(UserError, match="nothing was found"):
        selections.read("framework=paddle", history)


@pytest.mark.parametrize(
    "text", ["=pytorch", "framework=pytorch,,", "framework=a,framework=b", "framework=a,x"]
)
def test_a_filter_that_is_none_is_refused(text: str, history: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be understood.*NAME=VALUE"):
        selections.read(text, history)


def test_a_filter_may_be_longer_than_a_files_name(history: Path) -> None:
    with pytest.raises(UserError, match="nothing was found"):
        selections.read(f"framework={300 * 'x'}", history)


def test_an_unknown_name_lists_what_is_allowed(history: Path) -> None:
    with pytest.raises(UserError, match=r"colour=red.*framework.*versions\.PACKAGE"):
        selections.read("colour=red", history)


def test_what_is_neither_is_refused(history: Path) -> None:
    with pytest.raises(UserError, match=r"given nowhere; allowed: a run's folder, its archive"):
        selections.read("nowhere", history)


def test_a_folder_that_holds_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        selections.read(str(tmp_path))
