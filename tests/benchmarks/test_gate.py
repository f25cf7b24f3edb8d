"""No speed without sameness: what failed its proof is not measured, not trained, and is named."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import recipes, results
from benchmarks.plan import Case
from benchmarks.run import Run
from benchmarks.training.train import Wanted
from implementations.cache import Cache
from implementations.certificates import signed
from implementations.claims import Claim
from implementations.processes import Launcher
from implementations.proving import Prover

BREACH = {"path": "hidden", "difference": 0.5, "bound": 1e-5, "expected": "1 at (0,)", "got": "2"}
FAILED = {"passed": False, "findings": [{"level": 1, "precision": "float32", "breach": BREACH}]}


class NoChild(Launcher):
    """A launcher that must not be used."""

    def run(self, *arguments: Any, **options: Any) -> Any:
        raise AssertionError("a child was started")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    prover = Prover(NoChild(threads=1), Cache(tmp_path / "cache"))
    made = Run(tmp_path / "output", "quick", ["paddle"], ["mlp"], prover, notice=lambda line: None)
    made.proofs.certificates[Claim("paddle", "mlp")] = signed(FAILED)
    return made


def test_a_case_without_proof_is_not_measured(run: Run) -> None:
    run.measure()
    assert list(results.forks(run.folder)) == []
    assert {failure["fork"] for failure in run.failures} == {1, 2, 3}
    assert all("not the same network" in failure["reason"] for failure in run.failures)
    assert all("first differing: hidden" in failure["reason"] for failure in run.failures)


def test_a_network_without_proof_is_not_trained(run: Run) -> None:
    data: Any = type("Data", (), {"title": "none", "sha256": ""})
    run.trainings.run(Wanted(recipes.named("mlp"), data), run.frameworks)
    assert list(results.trainings(run.folder)) == []
    assert [failure["task"] for failure in run.failures] == ["accuracy"]


def test_a_run_with_a_failed_proof_has_not_passed(run: Run) -> None:
    assert not run.passed


def test_a_later_result_makes_a_failure_good(run: Run) -> None:
    run.measure()
    case = Case("mlp", "training", 32, "paddle")
    run.failed.made_good(results.fork_path(run.folder, case, 2))
    assert {failure["fork"] for failure in run.failures} == {1, 3}
