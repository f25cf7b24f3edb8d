"""Files are written whole or not at all; what killed processes left is swept away."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from implementations.errors import UserError
from implementations.files import PARTIAL, new_folder, replacing, sweep


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    with replacing(tmp_path / "new" / "a.json", "a file") as temporary:
        temporary.write_text("whole")
        assert list((tmp_path / "new").glob("*.json")) == []
    assert (tmp_path / "new" / "a.json").read_text() == "whole"


def test_the_temporary_file_has_the_same_name(tmp_path: Path) -> None:
    with replacing(tmp_path / "a.onnx", "a file") as temporary:
        temporary.touch()
        assert temporary.name == "a.onnx"  # exporters look at the suffix


def fail_half_way(path: Path) -> None:
    with replacing(path, "a file") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        fail_half_way(path)
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("a.json", "old")]


def test_what_the_system_refuses_is_the_users_to_mend(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(UserError, match="a file cannot be written"), replacing(path, "a file") as temporary:
        raise OSError(28, "No space left on device", str(temporary))


def test_threads_do_not_take_each_others_folder_away(tmp_path: Path) -> None:
    def write(number: int) -> None:
        with replacing(tmp_path / f"{number}.json", "a file") as temporary:
            temporary.write_text(str(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(200)))
    assert len(list(tmp_path.iterdir())) == 200


# --- New folders --------------------------------------------------------------------------


def test_a_folder_whose_name_is_taken_gets_a_number(tmp_path: Path) -> None:
    made = [new_folder(tmp_path / "results" / "a", "a folder") for _ in range(3)]
    assert [folder.name for folder in made] == ["a", "a-2", "a-3"]


def test_a_file_of_that_name_is_in_the_way_too(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert new_folder(tmp_path / "a", "a folder").name == "a-2"


def test_another_process_may_make_it_at_the_same_instant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Path.mkdir

    def mkdir(folder: Path, *arguments: Any, **options: Any) -> None:
        if folder.name == "a":
            make(folder, exist_ok=True)  # the other's, after this one may have looked
        make(folder, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    assert new_folder(tmp_path / "a", "a folder").name == "a-2"


def test_a_folder_that_cannot_be_made_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "results").touch()
    with pytest.raises(UserError, match="a folder cannot be written"):
        new_folder(tmp_path / "results" / "a", "a folder")


# --- Sweeping -----------------------------------------------------------------------------


def left_by(process: int, folder: Path) -> Path:
    left = folder / "forks" / f".{process}-1{PARTIAL}"
    left.mkdir(parents=True)
    (left / "a.json").write_text("half")
    return left


def test_what_a_process_left_that_is_gone_is_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    left = left_by(gone.pid, tmp_path)
    sweep(tmp_path)
    assert not left.exists()


@pytest.mark.parametrize(
    "process", [os.getpid(), 1], ids=["this one", "the first"]
)  # this one; one that may not be ours to signal
def test_what_a_process_is_writing_stays(tmp_path: Path, process: int) -> None:
    left = left_by(process, tmp_path)
    sweep(tmp_path)
    assert left.exists()


def test_what_only_looks_alike_stays(tmp_path: Path) -> None:
    (tmp_path / f".notes{PARTIAL}").mkdir()
    sweep(tmp_path)
    assert (tmp_path / f".notes{PARTIAL}").exists()
