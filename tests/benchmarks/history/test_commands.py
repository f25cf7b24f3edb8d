"""python -m benchmarks import and rebuild, as people type them."""

from pathlib import Path

import pytest
from made_runs import CASE, made_run

from benchmarks import __main__ as main
from benchmarks import archive, results
from benchmarks.history.queries import History
from implementations.errors import UserError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs lie by default, with one run in it."""
    folder = tmp_path / "results"
    monkeypatch.setattr(results, "FOLDER", folder)
    monkeypatch.setattr(results, "HISTORY", folder / "history.sqlite")
    made_run(folder / "a", {CASE: [100.0]})
    return folder


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    run = made_run(tmp_path / "elsewhere" / "node", {CASE: [100.0, 101.0]}, night=1)
    archive.pack(run, tmp_path / "node.tar.gz")
    return tmp_path / "node.tar.gz"


def known(folder: Path) -> list[tuple[str, int]]:
    return [(run.folder, run.forks) for run in History.open(folder / "history.sqlite").runs()]


def test_import_alone_takes_all_results(folder: Path) -> None:
    assert main.main(["import"]) == 0
    assert known(folder) == [("a", 1)]


def test_archives_folders_and_files_in_one_command(folder: Path, packed: Path, tmp_path: Path) -> None:
    other = made_run(tmp_path / "other", {CASE: [100.0, 101.0]}, night=2)
    words = [str(packed), str(folder / "a"), str(results.fork_path(other, CASE, 1))]
    for _ in range(2):
        assert main.main(["import", *words]) == 0
    assert known(folder) == [("a", 1), ("node", 2), ("other", 1)]
    assert (folder / "node" / "run.json").is_file()


def test_an_archive_goes_where_it_is_told_to(folder: Path, packed: Path, tmp_path: Path) -> None:
    assert main.main(["import", str(packed), "--output", str(tmp_path / "here")]) == 0
    assert (tmp_path / "here" / "run.json").is_file()
    with pytest.raises(UserError, match="one archive"):
        main.main(["import", str(folder), "--output", str(tmp_path / "there")])


def test_a_damaged_archive_is_named_and_the_rest_is_imported(
    folder: Path, packed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed.write_bytes(packed.read_bytes()[:-200])
    assert main.main(["import", str(packed), str(folder)]) == 1
    assert known(folder) == [("a", 1)]
    (line,) = capsys.readouterr().err.splitlines()
    assert str(packed) in line


@pytest.mark.parametrize("name", ["none", "none.tar.gz", "none.json"])
def test_what_is_not_there_is_one_line(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["import", str(folder / name)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert name in line


def test_what_a_killed_import_left_is_swept_away(folder: Path, packed: Path) -> None:
    left = folder / ".999999999-import-x.partial"
    left.mkdir()
    main.main(["import", str(packed)])
    assert not left.exists()


def test_rebuild_makes_a_history_of_all_results(folder: Path) -> None:
    assert main.main(["rebuild"]) == 0
    assert known(folder) == [("a", 1)]


def test_rebuild_forgets_only_when_told(folder: Path, packed: Path, tmp_path: Path) -> None:
    main.main(["import", str(packed), str(folder)])
    with pytest.raises(UserError, match="--forget"):
        main.main(["rebuild", str(folder / "a")])
    assert main.main(["rebuild", str(folder / "a"), "--forget"]) == 0
    assert known(folder) == [("a", 1)]
