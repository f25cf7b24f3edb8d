"""The commands, as far as they prepare a run: where it lies, and with which options it is gone on with."""

import argparse
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import results
from benchmarks import run as run_module
from benchmarks.run import Run, Stopping
from implementations import selection
from implementations.errors import UserError


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    """Of a run on one core, begun in the same second every time."""
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(results, "stamp", lambda: "20260101T010000Z")
    monkeypatch.setattr(selection, "frameworks", lambda *_, **__: ["pytorch"])
    monkeypatch.setattr(selection, "device", lambda *_: "cpu")
    words = ["--preset", "quick", "--threads", "1", "--cache-dir", str(tmp_path / "cache")]
    return command.parser().parse_args(["run", *words])


def opened(options: argparse.Namespace) -> Run:
    run = command._prepared(options, ["mlp"])
    command._open(run, options)
    return run


def test_runs_that_are_begun_in_the_same_second_have_folders_of_their_own(
    options: argparse.Namespace, tmp_path: Path
) -> None:
    runs = [opened(options) for _ in range(3)]
    name = "20260101T010000Z-quick"
    assert [run.folder for run in runs] == [tmp_path / "results" / f"{name}{end}" for end in ("", "-2", "-3")]
    assert len({results.run_id(results.read_run(run.folder)) for run in runs}) == 3


def test_all_that_a_run_writes_goes_into_the_folder_that_it_got(options: argparse.Namespace) -> None:
    _, second = opened(options), opened(options)
    assert {each.folder for each in (second.proofs, second.failed, second.trainings)} == {second.folder}


def test_a_folder_that_is_named_is_gone_on_with(options: argparse.Namespace, tmp_path: Path) -> None:
    options.output = tmp_path / "mine"
    first, second = opened(options), opened(options)
    assert first.folder == second.folder == tmp_path / "mine"


def test_a_run_that_is_never_begun_leaves_no_folder(options: argparse.Namespace, tmp_path: Path) -> None:
    command._prepared(options, ["mlp"])
    assert not (tmp_path / "results").exists()


def on_gpu(monkeypatch: pytest.MonkeyPatch, **about: object) -> None:
    told = {"name": "NVIDIA H200", "driver": "570.86", **about}
    monkeypatch.setattr(run_module, "describe_gpu", lambda device: told)


@pytest.mark.parametrize("other", [{"name": "Tesla T4"}, {"driver": "580.1"}])
def test_a_folder_holds_results_of_one_gpu(
    other: dict[str, str], options: argparse.Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options.output = tmp_path / "mine"
    on_gpu(monkeypatch)
    opened(options)
    on_gpu(monkeypatch, power_limit_w=700.0)  # told where NVML is there, and no other card for that
    opened(options)
    on_gpu(monkeypatch, **other)
    with pytest.raises(UserError, match="a run with another gpu"):
        opened(options)


@pytest.fixture
def begun(options: argparse.Namespace, tmp_path: Path) -> Path:
    """A run that was asked for more than its preset."""
    options.output, options.preset = tmp_path / "begun", "full"
    run = command._prepared(options, ["mlp"])
    run.stopping, run.trains = Stopping(0.01, budget_s=60.0, timeout_s=90, forks=10), False
    command._open(run, options)
    return options.output


def resumed(folder: Path, *words: str) -> list[object]:
    options = command.parser().parse_args(["run", "--resume", str(folder), *words])
    command._resume(options)
    names = ("preset", "precision", "timeout", "forks", "no_training", "budget")
    return [getattr(options, name) for name in names]


def test_a_run_is_gone_on_with_by_its_own_options(begun: Path) -> None:
    assert resumed(begun) == ["full", 0.01, 90, 10, True, None]


def test_what_is_given_now_counts_before_them(begun: Path) -> None:
    given = ("--precision", "5", "--timeout", "30", "--forks", "4", "--budget", "2")
    assert resumed(begun, *given) == ["full", 0.05, 30, 4, True, 120]


def test_a_preset_that_is_given_is_not_replaced_though_it_be_the_default(begun: Path) -> None:
    assert resumed(begun, "--preset", command.DEFAULT_PRESET)[0] == command.DEFAULT_PRESET
