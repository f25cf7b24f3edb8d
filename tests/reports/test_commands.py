"""compare and regressions as they are typed: exit codes, forms, re-runs that are made and that cannot be."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_runs import made_run

from benchmarks import results
from benchmarks.history.queries import History
from benchmarks.plan import Case
from implementations.errors import UserError
from reports import __main__ as command
from reports import rerun

NIGHTS = 13
SPEEDS = {
    Case("mlp", "training", 32, "pytorch"): 1000.0,
    Case("mlp", "inference", 32, "pytorch"): 9000.0,
    Case("mlp", "inference", 32, "paddle"): 5000.0,
}
SUSPECT = next(iter(SPEEDS))


def made_forks(seed: int, slow: float = 1.0) -> dict[Case, list[float]]:
    generator = np.random.default_rng(seed)
    nights = {case: speed * np.exp(0.005 * generator.standard_normal(4)) for case, speed in SPEEDS.items()}
    return {c: [float(v) * (slow if c == SUSPECT else 1.0) for v in made[1:]] for c, made in nights.items()}


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of nights on which nothing changed."""
    folder = tmp_path_factory.mktemp("runs")
    for night in range(NIGHTS):
        made_run(
            folder / f"night-{night:02}",
            made_forks(night),
            night=night,
            commit={"id": "c" * 40, "dirty": False},
        )
    return folder


@pytest.fixture
def history(calm: Path, tmp_path: Path) -> Path:
    place = tmp_path / "history.sqlite"
    History.open(place, create=True).import_paths([calm], lambda line: None)
    return place


def slow_night(history: Path, folder: Path, number: int = NIGHTS) -> Path:
    run = made_run(
        folder / f"slow-{number}", made_forks(99, 0.8), night=number, commit={"id": "c" * 40, "dirty": False}
    )
    History.open(history).import_paths([run], lambda line: None)
    return run


def answered(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, Any]:
    code = command.main([*map(str, words), "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def test_calm_nights_end_with_0(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, data = answered(capsys, "regressions", "--history", history)
    assert (code, data["verdicts"]["slower"], data["open"]) == (0, 0, 0)
    assert data["verdicts"]["same"] > 0


def test_two_slow_nights_end_with_1(
    history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (NIGHTS, NIGHTS + 1):
        slow_night(history, tmp_path, number)
    code, data = answered(capsys, "regressions", "--history", history)
    assert (code, data["verdicts"]["slower"]) == (1, 1)
    assert answered(capsys, "regressions", "--history", history, "--fail-on", "never")[0] == 0


def test_one_slow_night_ends_with_2(
    history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slow_night(history, tmp_path)
    code, data = answered(capsys, "regressions", "--history", history)
    assert (code, data["open"]) == (2, 1)


@pytest.mark.parametrize(("slow", "code"), [(0.8, 1), (1.0, 0)])
def test_a_re_run_decides_it_and_is_imported(
    slow: float,
    code: int,
    history: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow_night(history, tmp_path)
    asked: list[rerun.Request] = []

    def measure(request: rerun.Request, output: Path, pythons: Sequence[str], notice: object) -> None:
        asked.append(request)
        made_run(
            output,
            made_forks(7, slow),
            night=NIGHTS,
            commit={"id": "c" * 40, "dirty": False},
            preset="quick",
            started=f"2026-01-{2 + NIGHTS:02}T14:00:00+00:00",  # a night of its own, by the clock
        )

    monkeypatch.setattr(rerun, "measure", measure)
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    before = len(History.open(history).runs())
    assert answered(capsys, "regressions", "--history", history, "--rerun")[0] == code
    (request,) = asked
    assert (request.networks, request.frameworks) == (("mlp",), ("pytorch",))
    assert len(History.open(history).runs()) == before + 1
    for words in ((), ("--night", f"2026-01-{2 + NIGHTS:02}")):  # and the same whenever it is judged again
        again, data = answered(capsys, "regressions", "--history", history, *words)
        assert (again, data["night"]) == (code, f"2026-01-{2 + NIGHTS:02}")
    assert len(asked) == 1


def test_a_re_run_of_other_builds_is_refused(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_night(history, tmp_path)

    def measure(request: rerun.Request, output: Path, pythons: Sequence[str], notice: object) -> None:
        made_run(output, made_forks(7), night=NIGHTS, versions={"torch": "2.14.0"})

    monkeypatch.setattr(rerun, "measure", measure)
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    before = len(History.open(history).runs())
    with pytest.raises(UserError, match=r"ran something else.*torch 2\.13\.0 → 2\.14\.0"):
        command.main(["regressions", "--history", str(history), "--rerun"])
    History.open(history).import_paths([tmp_path], lambda line: None)
    assert len(History.open(history).runs()) == before  # it does not count, now or later


def test_a_night_that_is_over_is_not_measured_again(history: Path) -> None:
    with pytest.raises(UserError, match="--rerun for the newest night"):
        command.main(["regressions", "--history", str(history), "--night", "2026-01-10", "--rerun"])


def test_nothing_is_run_again_where_nothing_is_suspected(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rerun, "measure", lambda *arguments: pytest.fail("a re-run was made"))
    assert command.main(["regressions", "--history", str(history), "--rerun"]) == 0


def test_a_night_without_results_is_refused(history: Path) -> None:
    with pytest.raises(UserError, match="newest is 2026-01-14"):
        command.main(["regressions", "--history", str(history), "--night", "2025-01-01"])


@pytest.mark.parametrize("words", [["--night", "yesterday"], ["--fail-on", "faster"], ["--format", "html"]])
def test_a_wrong_option_is_a_users_mistake(words: list[str]) -> None:
    with pytest.raises(UserError, match="cannot be understood"):
        command.main(["regressions", *words])


def test_no_history_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no history yet"):
        command.main(["regressions", "--history", str(tmp_path / "none.sqlite")])


def test_two_runs_are_compared_case_by_case(calm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, data = answered(capsys, "compare", calm / "night-00", calm / "night-01")
    assert (code, len(data["cases"])) == (0, 3)


def test_two_frameworks_of_the_history_are_compared(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("compare", "framework=pytorch,task=inference", "framework=paddle", "--history", history)
    _, data = answered(capsys, *words)
    (case,) = data["cases"]
    assert case["ratio"]["value"] == pytest.approx(1.8, rel=0.02)  # 9,000 against 5,000 images/s, ±0.5 %
    assert (case["unit"], case["verdict"]) == ("nights", "faster")
