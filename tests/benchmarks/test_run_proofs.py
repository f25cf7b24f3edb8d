"""What a run does with proofs that were made before: in its folder, in the cache."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from in_process import BUILDS, InProcess

from benchmarks import plan, results
from benchmarks.plan import Case
from benchmarks.run import Run
from implementations import certificates
from implementations.cache import Cache
from implementations.claims import Claim
from implementations.errors import UserError
from implementations.proving import Prover

MLP = Claim("pytorch", "mlp")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def run(tmp_path: Path, said: list[str]) -> Any:
    """Makes a run into a folder, with a cache that all runs of the test share."""

    def make(folder: str) -> Run:
        prover = Prover(InProcess(1), Cache(tmp_path / "cache"))
        made = Run(tmp_path / folder, "quick", ["pytorch"], ["mlp"], prover, said.append)
        made.open()
        return made

    return make


def test_another_run_takes_over_what_still_holds(run: Any, said: list[str]) -> None:
    first, second = run("a"), run("b")
    first.prove()
    second.prove()
    assert [line for line in said if line.startswith("  mlp")] == ["  mlp in pytorch: same"]
    assert "proving sameness: 0 claims; 1 proven before still hold" in said[-1]
    kept = {MLP: certificates.read(second.proofs.path(MLP))}
    assert second.proofs.certificates == first.proofs.certificates == kept


def test_after_an_upgrade_it_is_proven_again(
    run: Any, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("a").prove()
    monkeypatch.setitem(BUILDS, "pytorch", {"torch": "2"})
    again = run("a")
    again.prove()
    assert said[-1] == "  mlp in pytorch: same"
    assert certificates.read(again.proofs.path(MLP))["versions"] == {"torch": "2"}


def test_results_of_two_builds_are_not_mixed_in_a_folder(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run("a")
    first.prove()
    trained = {"schema_version": 1, "certificate": first.proofs[MLP]["id"]}
    monkeypatch.setattr(results, "trainings", lambda folder: [trained])
    run("a").prove()  # nothing changed
    monkeypatch.setitem(BUILDS, "pytorch", {"torch": "2"})
    with pytest.raises(UserError, match=r"mlp in pytorch rest on a proof that no longer holds.*--output"):
        run("a").prove()


def test_nor_are_they_where_the_certificate_was_deleted(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a damaged one's error says to do."""
    first = run("a")
    first.prove()
    case = Case("mlp", "inference", 1, "pytorch")
    fork = SimpleNamespace(case=case, attributes={"certificate": first.proofs[MLP]["id"]})
    monkeypatch.setattr(results, "forks", lambda folder: [fork])
    first.proofs.path(MLP).unlink()
    run("a").prove()  # nothing changed: the cache has the same one
    first.proofs.path(MLP).unlink()
    monkeypatch.setitem(BUILDS, "pytorch", {"torch": "2"})
    with pytest.raises(UserError, match=r"mlp in pytorch rest on a proof that no longer holds.*--output"):
        run("a").prove()


def test_level_3_stands_behind_every_training_that_is_timed(run: Any) -> None:
    """Also of a network that is too large for it otherwise."""
    large, small = Claim("pytorch", "vgg16"), Claim("pytorch", "mlp")
    made = run("a")
    made.prover = Prover(made.prover.launcher, made.prover.cache, training="none")
    assert not made.prover._trains(large)
    timed = [Case("vgg16", "training", 1, "pytorch"), Case("mlp", "inference", 1, "pytorch")]
    made.prover.trained.update(case.claim for case in timed if case.task == "training")
    assert (made.prover._trains(large), made.prover._trains(small)) == (True, False)


@pytest.mark.parametrize("name", [name for name in plan.PRESETS if name != "nights"])
def test_a_run_asks_for_level_3_of_what_it_trains(name: str, tmp_path: Path) -> None:
    prover = Prover(InProcess(1), Cache(tmp_path / "cache"), training="none")
    preset = plan.preset(name)
    networks = list(dict.fromkeys(network for network, _, _ in preset.work))
    made = Run(tmp_path / "run", name, ["pytorch"], networks, prover, lambda line: None)
    made.open()
    trained = {network for network, task, _ in preset.work if task == "training"}
    assert {claim.network for claim in prover.trained} == trained
