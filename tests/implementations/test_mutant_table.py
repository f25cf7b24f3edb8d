"""The mutants' record: made, kept, out of date; its two tables and its verdict."""

import json
from pathlib import Path
from typing import Any

import pytest
from in_process import BUILDS

from implementations import mutant_table, provenance
from implementations.cache import Cache
from implementations.processes import ChildFailedError, Finished, Launcher
from implementations.proving import Prover

CAUGHT = {
    "name": "bias",
    "slip": "bias left out",
    "network": "probe",
    "expected": [0, "fc.bias"],
    "found": [0, "fc.bias"],
    "caught": True,
}
ESCAPED = {**CAUGHT, "found": [None, None], "caught": False}
HARMLESS = {**CAUGHT, "name": "relu-twice", "expected": [None, None], "found": [None, None]}
RATE = {"name": "rate", "slip": "another rate", "caught": True}


class Answers(Launcher):
    """Starts nothing: gives the rows that a test has prepared."""

    def ask(self, framework: str, task: str, arguments: Any, timeout: float) -> Any:
        return BUILDS[framework] if task.endswith(":versions") else ROWS[task]


ROWS: dict[str, list[dict[str, Any]]] = {}


@pytest.fixture
def prover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prover:
    monkeypatch.setitem(ROWS, mutant_table.TASKS["networks"], [CAUGHT, HARMLESS])
    monkeypatch.setitem(ROWS, mutant_table.TASKS["trainings"], [RATE])
    return Prover(Answers(1), Cache(tmp_path))


def later(prover: Prover) -> Prover:
    return Prover(prover.launcher, prover.cache)


def test_it_is_kept_until_something_changes(prover: Prover, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mutant_table.kept(prover, "pytorch") is None
    record = mutant_table.tried(prover, "pytorch")
    assert mutant_table.kept(later(prover), "pytorch") == record
    with monkeypatch.context() as changed:
        changed.setattr(provenance, "source", lambda: "another")
        assert mutant_table.kept(later(prover), "pytorch") is None
    monkeypatch.setitem(BUILDS, "pytorch", {"torch": "2"})
    assert mutant_table.kept(later(prover), "pytorch") is None


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"source": "x"})])
def test_a_damaged_record_is_none(content: str, prover: Prover) -> None:
    prover.cache.slips("pytorch", "cpu").write_text(content)
    assert mutant_table.kept(prover, "pytorch") is None


@pytest.mark.parametrize(
    ("task", "rows", "code"),
    [
        ("networks", [CAUGHT, HARMLESS], 0),
        ("networks", [ESCAPED, HARMLESS], 1),
        ("trainings", [{**RATE, "caught": False}], 1),
    ],
)
def test_the_exit_code_tells_whether_one_got_away(
    task: str, rows: list[dict[str, Any]], code: int, prover: Prover, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ROWS, mutant_table.TASKS[task], rows)
    assert mutant_table.run(prover, ["pytorch"]) == code


def cells(table: Any) -> list[list[str]]:
    return [list(row) for row in zip(*(column.cells for column in table.columns), strict=True)]


def test_the_table_names_level_layer_and_what_each_framework_made_of_it() -> None:
    rows = {"pytorch": [CAUGHT, HARMLESS], "paddle": [ESCAPED, HARMLESS]}
    assert cells(mutant_table.of_networks(rows)) == [
        ["bias", "bias left out", "probe", "0", "fc.bias", "caught", "ESCAPED [None, None]"],
        ["relu-twice", "bias left out", "probe", "-", "nothing: it must pass", "caught", "caught"],
    ]


def test_a_slip_of_a_training_may_have_several_ways_or_none() -> None:
    rows = {"pytorch": [RATE, {**RATE, "caught": False}], "paddle": []}
    assert cells(mutant_table.of_trainings(rows)) == [["rate", "another rate", "ESCAPED", "-"]]


def test_a_framework_that_fails_costs_its_own_column_only(
    prover: Prover, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = Answers.ask

    def ask(launcher: Answers, framework: str, task: str, arguments: Any, timeout: float) -> Any:
        if framework == "onnxruntime":
            raise ChildFailedError(f"{task} in {framework}", Finished(-9, 1.0, False, ""))
        return answer(launcher, framework, task, arguments, timeout)

    monkeypatch.setattr(Answers, "ask", ask)
    assert mutant_table.run(prover, ["onnxruntime", "pytorch"]) == 1
    assert mutant_table.kept(prover, "pytorch")
    assert "killed by SIGKILL" in capsys.readouterr().out
