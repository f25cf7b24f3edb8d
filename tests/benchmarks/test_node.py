"""A machine without network: slices that go on where the last one ended, and an archive after each."""

from pathlib import Path
from typing import Any

import pytest
from stand_in import StandIn

from benchmarks import archive, node, plan, results
from benchmarks.run import Run
from implementations.cache import Cache
from implementations.proving import Prover


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def slice_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]) -> Any:
    """Runs one slice of so many minutes on stand-ins for children; what it exits with."""
    preset = plan.preset("node")
    small = preset.__class__(**{**vars(preset), "work": (("mlp", "inference", 1024),), "forks": 2})
    monkeypatch.setitem(plan.PRESETS, "node", small)

    def prepared(options: Any) -> Run:
        prover = Prover(StandIn(1), Cache(tmp_path / "cache"))
        policies = ("equal", "best")
        return Run(options.output, "node", ["pytorch"], ["mlp"], prover, said.append, policies=policies)

    monkeypatch.setattr(node, "_prepared", prepared)
    monkeypatch.setattr(node, "_training", lambda run, folder: None)
    monkeypatch.setattr(Run, "measure_ceiling", lambda run, framework: None)  # no child to ask

    def run(minutes: float) -> int:
        return node.main(["--output", str(tmp_path / "node"), "--slice", str(minutes)])

    return run


def test_a_slice_without_time_packs_what_is_there(slice_of: Any, tmp_path: Path, said: list[str]) -> None:
    assert slice_of(0) == node.SOMETHING_LEFT
    assert said[-1].endswith("not all is done: run the same again")
    assert archive.unpack(tmp_path / "node.tar.gz", tmp_path / "here") == 1


def test_the_next_slice_goes_on_until_all_is_done(slice_of: Any, tmp_path: Path, said: list[str]) -> None:
    slice_of(0)
    assert slice_of(10) == 0
    assert said[-1].endswith("all is done")
    archive.unpack(tmp_path / "node.tar.gz", tmp_path / "here")
    forks = [(fork.case.policy, fork.attributes["fork"]) for fork in results.forks(tmp_path / "here")]
    assert sorted(forks) == [("best", 1), ("best", 2), ("equal", 1), ("equal", 2)]


def test_what_is_done_is_not_done_again(slice_of: Any, tmp_path: Path) -> None:
    slice_of(10)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "node").rglob("*.json")}
    assert slice_of(10) == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "node").rglob("*.json")} == before
