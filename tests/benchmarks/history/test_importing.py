"""Importing: each file once, all of a run or nothing, whoever else imports, is killed, or is damaged."""

import json
import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from made_runs import CASE, made_certificate, made_fork, made_run, made_training

from benchmarks import results
from benchmarks.history import database, importing
from benchmarks.history.database import Database
from benchmarks.history.importing import Imported
from benchmarks.history.queries import History
from benchmarks.plan import Case
from implementations.errors import UserError

OTHER = Case("mlp", "inference", 32, "pytorch")
RUNS, FORKS = 6, 4
PROCESSES = multiprocessing.get_context("fork")  # a copy of this process costs no imports


def silent(line: str) -> None:
    pass


def bring(place: str, *folders: Path) -> Imported:
    return History.open(place, create=True).import_paths(folders, silent)


def answers(place: str) -> Any:
    history = History.open(place)
    return history.runs(), history.series(), history.trainings()


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Six nights with four forks each."""
    return [
        made_run(tmp_path / "runs" / f"night{n}", {CASE: [100.0, 101.0], OTHER: [50.0, 51.0]}, night=n)
        for n in range(RUNS)
    ]


# --- Each once ------------------------------------------------------------------------------


def test_what_is_known_is_skipped(place: str, runs: list[Path]) -> None:
    assert bring(place, runs[0].parent) == Imported(runs=RUNS, forks=RUNS * FORKS, others=RUNS)
    before = answers(place)
    assert bring(place, runs[0].parent, runs[1]) == Imported(runs=RUNS + 1, skipped=(RUNS + 1) * (FORKS + 1))
    assert answers(place) == before


def test_a_run_that_has_grown_is_imported_on(place: str, tmp_path: Path) -> None:
    folder = made_run(tmp_path / "a", {CASE: [100.0]})
    bring(place, folder)
    made_fork(folder, CASE, 2, 101.0, certificate=made_certificate(folder))
    done = bring(place, folder)
    assert (done.runs, done.forks) == (1, 1)
    assert [point.forks for series in answers(place)[1] for point in series.points] == [(100.0, 101.0)]


def test_a_copy_of_a_run_is_the_same_run(place: str, tmp_path: Path) -> None:
    bring(place, made_run(tmp_path / "a", {CASE: [100.0]}))
    assert bring(place, made_run(tmp_path / "b", {CASE: [100.0]})).skipped == 2


def test_a_single_file_comes_with_its_proof(place: str, runs: list[Path]) -> None:
    path = results.fork_path(runs[0], CASE, 2)
    assert bring(place, path) == Imported(runs=1, forks=1, others=1)
    assert [point.forks for series in answers(place)[1] for point in series.points] == [(101.0,)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_versions_of_a_file_the_later_counts(
    place: str, tmp_path: Path, order: tuple[int, int]
) -> None:
    earlier = made_run(tmp_path / "a", {CASE: [100.0]})
    later = made_run(tmp_path / "b", {CASE: [100.0]})
    path = results.fork_path(later, CASE, 1)
    path.write_text(
        path.read_text().replace("2026-01-02T01:00:01", "2026-01-02T05:00:00").replace("1.6", "3.2")
    )
    folders = (earlier, later)
    bring(place, folders[order[0]])
    bring(place, folders[order[1]])
    assert [point.forks for series in answers(place)[1] for point in series.points] == [(50.0,)]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("last", ["1", "2"])  # whichever has the larger hash
def test_of_two_versions_of_a_training_the_later_counts(
    place: str, tmp_path: Path, order: int, last: str
) -> None:
    folders = []
    for number, accuracy in ((1, 0.7), (2, 0.9)):
        folder = made_run(tmp_path / str(number), {CASE: [100.0]})
        path = made_training(folder, made_certificate(folder), accuracies=(0.1, accuracy))
        hour = 10 if str(number) == last else 9
        content = json.loads(path.read_text())
        results.write_json(path, {**content, "made": f"2026-01-02T{hour:02}:00:00+00:00"})
        folders.append(folder)
    bring(place, *folders[::order])
    assert [row.test_accuracy for row in History.open(place).trainings()] == [{"1": 0.7, "2": 0.9}[last]]


def test_a_failure_that_was_made_good_is_forgotten(place: str, tmp_path: Path) -> None:
    folder = made_run(tmp_path / "a", {OTHER: [100.0]})
    failed = results.failure_path(folder, results.fork_path(folder, CASE, 1))
    results.write_json(failed, {"fork": 1, "date": "2026-01-02T01:00:00+00:00"})
    bring(place, folder)
    assert [run.failures for run in answers(place)[0]] == [1]
    failed.unlink()
    made_fork(folder, CASE, 1, 100.0, certificate=made_certificate(folder))
    bring(place, folder)
    assert [run.failures for run in answers(place)[0]] == [0]


# --- At once, and killed --------------------------------------------------------------------


def import_backwards(place: str, folders: list[Path]) -> None:
    bring(place, *reversed(folders))


def test_two_importers_at_once_make_one_history(place: str, runs: list[Path]) -> None:
    others = [PROCESSES.Process(target=import_backwards, args=(place, runs)) for _ in range(2)]
    for other in others:
        other.start()
    bring(place, *runs)
    for other in others:
        other.join()
    assert [other.exitcode for other in others] == [0, 0]
    found, (inference, training), _ = answers(place)
    assert [run.forks for run in found] == [FORKS] * RUNS
    assert len(inference.points) == len(training.points) == RUNS


def import_and_die(place: str, folders: list[Path]) -> None:
    """Killed when the first new run's rows are written, and not yet for good."""
    write = importing.write

    def write_and_die(*arguments: Any) -> None:
        write(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    importing.write = write_and_die  # type: ignore[assignment]  # in this copy of the process alone
    bring(place, *folders)


def test_a_killed_import_leaves_whole_runs_and_goes_on(place: str, runs: list[Path]) -> None:
    for last in range(RUNS):
        process = PROCESSES.Process(target=import_and_die, args=(place, runs[: last + 1]))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert [run.forks for run in History.open(place).runs()] == [FORKS] * last
        assert bring(place, *runs[: last + 1]).forks == FORKS
    _, (inference, _), _ = answers(place)
    assert [len(point.forks) for point in inference.points] == [FORKS / 2] * RUNS


def test_a_killed_rebuild_changes_nothing(place: str, runs: list[Path]) -> None:
    bring(place, *runs)
    before = answers(place)
    process = PROCESSES.Process(target=rebuild_until, args=(place, runs))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert answers(place) == before


def rebuild_until(place: str, folders: list[Path]) -> None:
    """Killed before the last run is read."""

    def notice(line: str) -> None:
        if folders[-2].name in line:
            os.kill(os.getpid(), signal.SIGKILL)

    History.open(place).rebuild(folders, notice)


def test_who_waits_too_long_for_another_writer_is_told(
    place: str, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(place, runs[0])
    monkeypatch.setattr(database, "PATIENCE_S", 0.1)
    with Database(place).writing(), pytest.raises(UserError, match="another process is writing"):
        bring(place, runs[1])
    assert bring(place, runs[1]).forks == FORKS


def test_who_asks_during_an_import_sees_whole_runs(place: str, runs: list[Path]) -> None:
    bring(place, runs[0])
    history = History.open(place)
    with history.database.writing() as connection:
        connection.execute(sqlalchemy.text("DELETE FROM forks"))
        assert [run.forks for run in history.runs()] == [FORKS]


# --- Damaged, newer -------------------------------------------------------------------------

Damage = Callable[[dict[str, Any]], object]


def changed(path: Path, change: Damage) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content["benchmarks"][0]["extra_info"].pop("canary_bound"), "canary_bound"),
        (lambda content: content["benchmarks"][0]["extra_info"].update(schema_version=3), "schema_version"),
        (lambda content: content.update(datetime="yesterday"), "yesterday"),
        *(
            (
                lambda content, odd=odd: content["benchmarks"][0]["stats"].update(data=[0.5, odd]),
                "stats/data/1",
            )
            for odd in (0.0, -1, True, "1", None)
        ),
    ],
)
def test_a_damaged_or_newer_fork_is_named_and_the_others_are_imported(
    tmp_path: Path, runs: list[Path], change: Damage, said: str
) -> None:
    path = results.fork_path(runs[2], CASE, 1)
    changed(path, change)
    done = bring(str(tmp_path / "h.sqlite"), *runs)
    assert done.forks == RUNS * FORKS - 1
    (error,) = done.refused
    assert str(path) in str(error)
    assert said in str(error)


@pytest.mark.parametrize("kind", ["certificates", "ceilings", "forks", "training", "failures"])
@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a": NaN}', "\xff"])
def test_a_file_of_any_kind_that_says_nothing_is_named(
    tmp_path: Path, runs: list[Path], kind: str, text: str
) -> None:
    path = runs[0] / kind / "odd.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode("latin-1"))
    done = bring(str(tmp_path / "h.sqlite"), runs[0])
    assert (done.forks, [str(path) in str(error) for error in done.refused]) == (FORKS, [True])


@pytest.mark.parametrize(
    "change",
    [
        lambda about: about.update(schema_version=3),
        lambda about: about.update(started="yesterday"),
        lambda about: about.pop("machine"),
    ],
)
def test_a_run_that_is_newer_or_no_run_is_named_and_the_others_are_imported(
    tmp_path: Path, runs: list[Path], change: Damage
) -> None:
    changed(runs[1] / "run.json", change)
    done = bring(str(tmp_path / "h.sqlite"), *runs)
    assert done.runs == RUNS - 1
    assert ["run.json" in str(error) for error in done.refused] == [True]


def test_a_damaged_file_is_imported_once_it_is_whole(tmp_path: Path, runs: list[Path]) -> None:
    path, place = results.fork_path(runs[0], CASE, 1), str(tmp_path / "h.sqlite")
    whole = path.read_text()
    path.write_text(whole[:100])
    bring(place, runs[0])
    path.write_text(whole)
    assert bring(place, runs[0]).forks == 1


# --- Full -----------------------------------------------------------------------------------


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path: Path, runs: list[Path]) -> None:
    place = str(tmp_path / "h.sqlite")
    bring(place, runs[0])
    history = History.open(place)
    small = Path(place).stat().st_size // 4096  # a page more would not fit on the disk

    @sqlalchemy.event.listens_for(history.database.engine, "connect")
    def limit(connection: sqlite3.Connection, record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {small}")

    many = made_run(runs[0].parent / "many", {CASE: [100.0 + n for n in range(100)]}, night=50)
    with pytest.raises(UserError, match=r"disk is full.*free space"):
        history.import_paths([many], silent)
    assert [run.forks for run in History.open(place).runs()] == [FORKS]
    assert bring(place, many).forks == 100


# --- Rebuilding -----------------------------------------------------------------------------


def test_a_rebuilt_history_gives_the_same_answers(place: str, runs: list[Path]) -> None:
    made_training(runs[0], made_certificate(runs[0]))
    bring(place, *reversed(runs))
    before = answers(place)
    done = History.open(place).rebuild([runs[0].parent], silent)
    assert (done.runs, done.forks) == (RUNS, RUNS * FORKS)
    assert answers(place) == before
    assert len(before[2]) == 1


def test_a_rebuilt_history_holds_what_the_files_say_now(place: str, runs: list[Path]) -> None:
    bring(place, *runs)
    with History.open(place).database.writing() as connection:
        connection.execute(sqlalchemy.text("UPDATE forks SET images_per_second = 1"))
    History.open(place).rebuild(runs, silent)
    assert answers(place)[1][1].points[0].forks == (100.0, 101.0)


def test_a_rebuild_that_would_lose_something_changes_nothing(place: str, runs: list[Path]) -> None:
    bring(place, *runs)
    before = answers(place)
    with pytest.raises(UserError, match=f"lose {FORKS + 1} files.*--forget"):
        History.open(place).rebuild(runs[1:], silent)
    results.fork_path(runs[1], CASE, 1).write_text("{")
    with pytest.raises(UserError, match="lose 1 files"):
        History.open(place).rebuild(runs, silent)
    assert answers(place) == before


def test_a_rebuild_forgets_where_it_is_told_to(place: str, runs: list[Path]) -> None:
    bring(place, *runs)
    History.open(place).rebuild(runs[1:], silent, forget=True)
    assert len(answers(place)[0]) == RUNS - 1


def test_every_kind_of_file_in_an_archive_is_imported() -> None:
    from benchmarks import archive

    assert set(archive.KINDS) - set(importing.TABLES) == {"mutants"}  # the report's, of one run
