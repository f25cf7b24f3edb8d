"""What the history answers, on runs made up here."""

import datetime
from pathlib import Path

import pytest
from made_runs import ACCURACIES, CASE, MACHINE, made_certificate, made_fork, made_run, made_training

from benchmarks import results
from benchmarks.history.queries import History
from benchmarks.plan import Case
from implementations.errors import UserError

OTHER = Case("mlp", "inference", 32, "pytorch")


@pytest.fixture
def history(place: str) -> History:
    return History.open(place, create=True)


def imported(history: History, *folders: Path) -> None:
    done = history.import_paths(folders, lambda line: None)
    assert done.refused == ()


def test_a_series_has_a_point_for_each_run_the_oldest_first(history: History, tmp_path: Path) -> None:
    second = made_run(tmp_path / "a", {CASE: [110.0, 120.0]}, night=1)
    first = made_run(tmp_path / "b", {CASE: [100.0, 102.0, 101.0]}, night=0)
    imported(history, second, first)
    (series,) = history.series()
    assert list(series.key) == list(results.KEY)
    assert series.key["network"] == "mlp"
    assert [point.forks for point in series.points] == [(100.0, 102.0, 101.0), (110.0, 120.0)]
    assert [point.night for point in series.points] == [datetime.date(2026, 1, 2), datetime.date(2026, 1, 3)]
    assert [int(point.commit, 16) for point in series.points] == [0, 1]


def test_a_point_says_what_it_was_measured_with(history: History, tmp_path: Path) -> None:
    folder = made_run(tmp_path / "a", {CASE: [100.0, 101.0]}, versions={"torch": "2.12.0"}, largest=2e-6)
    ceilings = {"flop_per_s": {"float32": 1e9}, "copied_bytes_per_s": 2e9}
    results.write_json(results.ceiling_path(folder, "pytorch"), ceilings)
    higher = {"flop_per_s": {"float32": 3e9}, "copied_bytes_per_s": 1e9}
    results.write_json(results.ceiling_path(folder, "paddle"), higher)
    imported(history, folder)
    ((point,),) = [series.points for series in history.series()]
    assert point.versions == {"torch": "2.12.0"}
    assert point.ceilings == {"float32": 3e9, "copy": 2e9}
    assert point.sameness == {"level 1 float32": 2e-6}
    assert point.environment["system"] == MACHINE["system"]
    assert point.metrics["peak_rss_bytes"] == (2**20, 2**20)
    assert "peak_device_bytes" not in point.metrics


def test_what_no_proof_carries_is_no_answer(history: History, tmp_path: Path) -> None:
    folder = made_run(tmp_path / "a", {CASE: [100.0]})
    made_fork(folder, OTHER, 1, 50.0, certificate="another")
    failed = made_run(tmp_path / "b", {CASE: [100.0]}, night=1)
    made_certificate(failed, passed=False)
    imported(history, folder, failed)
    (series,) = history.series()
    assert series.key["task"] == "training"
    assert len(series.points) == 1


def test_disturbed_forks_do_not_count_where_enough_others_do(history: History, tmp_path: Path) -> None:
    words = ["other processes took 50% of the cores' time"]
    folder = made_run(
        tmp_path / "a", {CASE: [100.0, 1.0, 101.0, 102.0], OTHER: [7.0]}, disturbances={2: words}
    )
    imported(history, folder)
    inference, training = history.series()
    assert training.points[0].forks == (100.0, 101.0, 102.0)
    assert training.points[0].disturbed == 1
    assert inference.points[0].disturbed == 0


def test_two_builds_in_one_run_are_two_points(history: History, tmp_path: Path) -> None:
    folder = made_run(tmp_path / "a", {CASE: [100.0]}, label="new", versions={"torch": "2.13.0"})
    made_run(folder, {CASE: [90.0]}, label="old", versions={"torch": "2.12.0"})
    imported(history, folder)
    (series,) = history.series()
    assert [(point.label, point.versions["torch"], point.forks) for point in series.points] == [
        ("new", "2.13.0", (100.0,)),
        ("old", "2.12.0", (90.0,)),
    ]


@pytest.fixture(scope="module")
def night(shared_place: str, tmp_path_factory: pytest.TempPathFactory) -> History:
    """Of one run, with a fork of two cases."""
    history = History.open(shared_place, create=True)
    imported(history, made_run(tmp_path_factory.mktemp("runs") / "night", {CASE: [100.0], OTHER: [200.0]}))
    return history


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, 2),
        ({"task": "training"}, 1),
        ({"task": ["training", "inference"]}, 2),
        ({"task": "training", "batch": "32"}, 1),
        ({"batch": 64}, 0),
        ({"exporter": None}, 2),
        ({"exporter": "paddle"}, 0),
        ({"versions.torch": "2.13.0"}, 2),
        ({"versions.torch": "2.12.0"}, 0),
        ({"versions.paddle": "2.13.0"}, 0),
        ({"commit": "0" * 8}, 2),
        ({"commit": "f" * 8}, 0),
        ({"commit": "%%%%"}, 0),
        ({"run": "night"}, 2),
        ({"run": "other"}, 0),
        ({"run": "n"}, 0),
        ({"since": "2026-01-02", "until": "2026-01-02"}, 2),
        ({"since": "2026-01-03"}, 0),
        ({"until": "2026-01-01"}, 0),
        ({"until": "9999-12-31"}, 2),
        ({"preset": "quick", "label": ""}, 2),
    ],
)
def test_a_series_is_asked_for_by_key_versions_and_run(
    night: History, filters: dict[str, object], expected: int
) -> None:
    assert len(night.series(**filters)) == expected


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"colour": "red"}, "framework"),
        ({"versions.": "1"}, "versions.PACKAGE"),
        ({"batch": "many"}, "whole number"),
        ({"since": "yesterday"}, "2026-01-31"),
        ({"batch": 2**31}, "a whole number to 2147483647"),
        ({"batch": "9" * 5000}, "a whole number to 2147483647"),
        ({"commit": "0"}, "at least the first 4"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(night: History, filters: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        night.series(**filters)


def test_runs_are_not_asked_for_by_what_forks_are(night: History) -> None:
    assert len(night.runs(run="night")) == 1
    with pytest.raises(UserError, match="preset"):
        night.runs(framework="pytorch")


def test_forks_are_told_one_by_one(night: History) -> None:
    by_task = {fork.key["task"]: fork for fork in night.forks()}
    assert {task: fork.images_per_second for task, fork in by_task.items()} == {
        "training": 100.0,
        "inference": 200.0,
    }
    assert by_task["training"].metrics["peak_rss_bytes"] == 2**20
    assert by_task["training"].metrics["peak_device_bytes"] is None


def test_runs_are_told_with_what_they_hold(history: History, tmp_path: Path) -> None:
    imported(
        history, made_run(tmp_path / "a", {CASE: [100.0, 101.0]}, gpu={"name": "a GPU", "driver": "1.0"})
    )
    (run,) = history.runs()
    assert (run.folder, run.preset, run.forks, run.trainings, run.failures) == ("a", "quick", 2, 0, 0)
    assert run.gpu == {"name": "a GPU", "driver": "1.0"}
    assert run.started.tzinfo is datetime.UTC
    assert history.series()[0].points[0].environment["driver"] == "1.0"


def test_trainings_are_told_by_run(history: History, tmp_path: Path) -> None:
    folder = made_run(tmp_path / "a", {CASE: [100.0]})
    made_training(folder, made_certificate(folder))
    made_training(folder, "another", framework="paddle")
    imported(history, folder)
    (training,) = history.trainings(recipe="mlp")
    assert training.test_accuracy == ACCURACIES[-1]
    assert training.data == "made"
    assert history.trainings(framework="paddle") == []
    assert history.trainings(**{"versions.torch": "2.12.0"}) == []


def test_a_night_lasts_from_noon_to_noon(history: History, tmp_path: Path) -> None:
    evening = made_run(tmp_path / "a", {CASE: [100.0]}, started="2026-01-01T23:30:00+00:00")
    morning = made_run(tmp_path / "b", {CASE: [100.0]}, started="2026-01-02T11:59:00+00:00")
    imported(history, evening, morning)
    (series,) = history.series()
    assert {point.night for point in series.points} == {datetime.date(2026, 1, 2)}


def test_no_history_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no history yet"):
        History.open(tmp_path / "none.sqlite")
    assert not (tmp_path / "none.sqlite").exists()


def test_letters_of_a_commit_or_a_run_may_be_large(history: History, tmp_path: Path) -> None:
    imported(history, made_run(tmp_path / "a", {CASE: [100.0]}, commit={"id": "abcdef" * 6, "dirty": False}))
    (run,) = history.runs()
    assert [len(history.runs(commit="ABCDEF")), len(history.runs(run=run.id.upper()))] == [1, 1]
