from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table

from benchmarks import intervals, results, summary
from benchmarks.intervals import Interval
from benchmarks.plan import Case
from benchmarks.results import Fork
from implementations.console import CONSOLE

PYTORCH = Case("mlp", "inference", 32, "pytorch")
PADDLE = Case("mlp", "inference", 32, "paddle")
EXPORT = Case("mlp", "inference", 32, "onnxruntime", "pytorch")
OTHER = Case("googlenet", "inference", 8, "pytorch")

Make = Callable[[Case, list[float]], list[Fork]]


def rows(table: Table) -> list[tuple[Any, ...]]:
    return list(zip(*(column.cells for column in table.columns), strict=True))


def failure(case: Case, number: int | None, reason: str) -> dict[str, Any]:
    names = ("network", "task", "batch", "framework", "exporter")
    return {**{name: getattr(case, name) for name in names}, "fork": number, "reason": reason}


@pytest.fixture
def forks(tmp_path: Path, write_fork: Any) -> Make:
    """Forks of a case, one for each throughput in images/s, read from files."""

    def made(case: Case, throughputs: list[float]) -> list[Fork]:
        seconds = [5 * case.batch / value for value in throughputs]  # of blocks of 5 steps
        return [results.read_fork(write_fork(tmp_path, case, n, [s])) for n, s in enumerate(seconds, start=1)]

    return made


# --- Numbers in words ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(12.34, 11.95, 12.71, "interval", 3), "12.3 (11.9 to 12.7)"),
        (Interval(12345.6, 12000.04, 13000, "interval", 3), "12,345.6 (12,000.0 to 13,000.0)"),
        (Interval(0.5, 0.4, 0.6126, "interval", 3), "0.500 (0.400 to 0.613)"),
        (Interval(1.9996, 1.5, 2.5, "interval", 3), "2.000 (1.500 to 2.500)"),
        (Interval(2.0, 1.5, 2.5, "interval", 3), "2.0 (1.5 to 2.5)"),
    ],
)
def test_an_interval_is_shown_with_its_ends(interval: Interval, text: str) -> None:
    assert summary.shown(interval) == text


def test_a_range_is_called_one() -> None:
    assert summary.shown(Interval(12.34, 11.96, 12.71, "range", 2)) == "12.3 (range 12.0 to 12.7)"


# --- Throughput ---------------------------------------------------------------------------


def test_a_case_has_one_row_for_all_its_forks(forks: Make) -> None:
    table = summary.table(forks(PYTORCH, [100.0, 100.0, 100.0]))
    assert rows(table) == [
        ("mlp", "inference", "32", "pytorch", "3", "100.0 (100.0 to 100.0)", "fastest", ""),
    ]


def test_the_fastest_of_what_is_compared_stands_first(forks: Make) -> None:
    table = summary.table([*forks(PYTORCH, [50.0, 50.0]), *forks(PADDLE, [100.0, 100.0])])
    assert [(row[3], row[6]) for row in rows(table)] == [
        ("paddle", "fastest"),
        ("pytorch", "0.500 (range 0.500 to 0.500)"),
    ]


def test_a_ratio_says_which_step_it_would_have_shown(forks: Make) -> None:
    pytorch, paddle = [100.0, 98.0, 102.0], [200.0, 204.0, 196.0]
    table = summary.table([*forks(PYTORCH, pytorch), *forks(PADDLE, paddle)])
    expected = 100 * intervals.smallest_step(pytorch, paddle)
    assert [row[7] for row in rows(table)] == ["", f"{expected:.1f} %"]


def test_two_forks_would_have_shown_no_step_that_could_be_named(forks: Make) -> None:
    table = summary.table([*forks(PYTORCH, [100.0, 98.0]), *forks(PADDLE, [200.0, 204.0])])
    assert [row[7] for row in rows(table)] == ["", ""]


def test_an_export_is_shown_with_its_exporter(forks: Make) -> None:
    assert rows(summary.table(forks(EXPORT, [1.0])))[0][3] == "onnxruntime (from pytorch)"


def test_every_group_has_a_fastest_of_its_own(forks: Make) -> None:
    table = summary.table([*forks(PYTORCH, [1000.0]), *forks(OTHER, [2.0])])
    assert [(row[0], row[6]) for row in rows(table)] == [("googlenet", "fastest"), ("mlp", "fastest")]


def test_two_equally_fast_cases_both_have_a_row(forks: Make) -> None:
    table = summary.table([*forks(PYTORCH, [100.0]), *forks(PADDLE, [100.0])])
    assert sorted(row[6] for row in rows(table)) == ["1.000 (range 1.000 to 1.000)", "fastest"]


def test_no_forks_give_no_rows() -> None:
    assert rows(summary.table([])) == []


# --- Failures -----------------------------------------------------------------------------


def test_failures_of_a_case_are_counted_in_one_row() -> None:
    found = [failure(PYTORCH, 1, "killed by SIGKILL"), failure(PYTORCH, 2, "timed out after 180 s")]
    assert rows(summary.table([], found)) == [
        ("mlp", "inference", "32", "pytorch", "2 FAILED", "timed out after 180 s", "", ""),
    ]


def test_failures_of_two_cases_have_two_rows() -> None:
    found = [failure(PYTORCH, 1, "x"), failure(EXPORT, 1, "y"), failure(PYTORCH, 2, "x")]
    shown = [(row[3], row[4]) for row in rows(summary.table([], found))]
    assert shown == [("pytorch", "2 FAILED"), ("onnxruntime (from pytorch)", "1 FAILED")]


def test_a_case_that_failed_in_part_shows_both(forks: Make) -> None:
    table = summary.table(forks(PYTORCH, [100.0, 100.0]), [failure(PYTORCH, 3, "x")])
    assert [row[4] for row in rows(table)] == ["2", "1 FAILED"]


def test_a_failed_training_is_no_row_of_the_throughputs() -> None:
    assert rows(summary.table([], [failure(PYTORCH, None, "x")])) == []


@pytest.mark.parametrize(
    "reason",
    [
        "FAILED test_inference.py::test_inference[googlenet-b1] - AssertionError",
        "exit code 1: cannot open [/some/model.onnx]",
    ],
)
def test_a_reason_with_brackets_is_printed_as_it_is(reason: str) -> None:
    with CONSOLE.capture() as printed:
        CONSOLE.print(summary.table([], [failure(PYTORCH, 1, reason)]), width=400)
    assert reason in printed.get()
