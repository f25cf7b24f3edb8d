"""The parent's side: which trainings in which order, what they rest on, what their results say."""

import dataclasses
import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_training import RECIPE, images

from benchmarks import recipes, results
from benchmarks.failures import Failures
from benchmarks.proofs import Proofs
from benchmarks.training import train, trainings
from benchmarks.training.train import Wanted
from implementations.cache import Cache
from implementations.certificates import signed
from implementations.errors import UserError
from implementations.processes import ChildFailedError, Finished, Launcher
from implementations.proving import Prover
from implementations.training import SGD

EPOCH = {"epoch": 1, "validation": {"main": {"loss": 0.1, "accuracy": 0.9}}}
PROVEN = {"versions": {"torch": "2"}, "source": "0123"}
ANSWER = {
    **PROVEN,
    "initial": {},
    "epochs": [EPOCH],
    "test": {"accuracy": 0.9},
    "target": None,
    "deterministic": True,
}


class Answering(Launcher):
    """A launcher whose children train at once; those of ``failing`` frameworks diverge."""

    failing: tuple[str, ...] = ()
    asked: list[tuple[str, dict[str, Any]]] = []  # noqa: RUF012 (each test has its own)

    def ask(self, framework: Any, task: str, arguments: Any, timeout: float, during: Any = None) -> Any:
        self.asked.append((framework, dict(arguments)))
        Path(arguments["folder"]).mkdir(parents=True)
        (Path(arguments["folder"]) / "checkpoint.safetensors").write_text("")
        if framework in self.failing:
            said = "ArithmeticError: the loss became nan in step 7: this training diverged"
            raise ChildFailedError(task, Finished(1, 1.0, False, said))
        return ANSWER


@pytest.fixture
def launcher(monkeypatch: pytest.MonkeyPatch) -> Answering:
    monkeypatch.setattr(Answering, "asked", [])
    return Answering(1)


@pytest.fixture
def made(tmp_path: Path, launcher: Answering) -> trainings.Trainings:
    proofs = Proofs(tmp_path / "run", Prover(launcher, Cache(tmp_path / "cache")), print)
    for claim in trainings.claims(RECIPE, ["pytorch", "paddle"]):
        proofs.certificates[claim] = signed({"passed": True, "findings": [], "network": "toy", **PROVEN})
    return trainings.Trainings(tmp_path / "run", proofs, Failures(tmp_path / "run"), lambda line: None)


WANTED = Wanted(RECIPE, images())


def test_every_round_holds_each_framework_once() -> None:
    names = ["pytorch", "keras-jax", "paddle", "onnxruntime"]
    order = trainings.schedule(names, 4)
    for seed in range(4):
        turn = [name for name, number in order[3 * seed : 3 * seed + 3] if number == seed]
        assert sorted(turn) == ["keras-jax", "paddle", "pytorch"]  # ONNX Runtime does not train
    assert len({name for name, _ in order[::3]}) > 1  # no framework is always the first


def test_every_seed_and_framework_gets_a_result(made: trainings.Trainings) -> None:
    made.run(WANTED, ["pytorch", "paddle"], seeds=2)
    names = sorted(path.name for path in (made.folder / "training").glob("*.json"))
    assert names == [f"toy-{name}-seed{seed}.json" for name in ("paddle", "pytorch") for seed in (0, 1)]
    assert {row["seed"] for row in results.trainings(made.folder)} == {0, 1}
    assert all(datetime.datetime.fromisoformat(row["made"]).tzinfo for row in results.trainings(made.folder))


def test_every_seed_starts_from_weights_of_its_own(made: trainings.Trainings, launcher: Answering) -> None:
    made.run(WANTED, ["pytorch", "paddle"], seeds=2)
    starts = {(arguments["seed"], arguments["weights_path"]) for _, arguments in launcher.asked}
    assert len(starts) == 2


def test_what_is_there_is_not_trained_again(made: trainings.Trainings, launcher: Answering) -> None:
    made.run(WANTED, ["pytorch"])
    made.run(WANTED, ["pytorch"])
    assert len(launcher.asked) == 1


def test_other_epochs_are_another_training(made: trainings.Trainings, launcher: Answering) -> None:
    made.run(WANTED, ["pytorch"])
    made.run(Wanted(RECIPE.with_epochs(9), WANTED.data), ["pytorch"])
    assert len(launcher.asked) == 2


@pytest.mark.parametrize(
    "other",
    [
        Wanted(dataclasses.replace(RECIPE, optimizer=SGD(2**-5)), WANTED.data),
        Wanted(dataclasses.replace(RECIPE, batch=2), WANTED.data),
        Wanted(RECIPE, WANTED.data, until_target=True),
    ],
    ids=["optimizer", "batch", "until-target"],
)
def test_what_was_asked_for_otherwise_is_another_training(
    made: trainings.Trainings, launcher: Answering, other: Wanted
) -> None:
    made.run(WANTED, ["pytorch"])
    made.run(other, ["pytorch"])
    assert len(launcher.asked) == 2


def test_a_finished_training_keeps_no_checkpoint(made: trainings.Trainings) -> None:
    made.run(WANTED, ["pytorch"])
    assert [path.name for path in (made.folder / "training").iterdir()] == ["toy-pytorch-seed0.json"]


def test_divergence_costs_its_own_training_only(made: trainings.Trainings, launcher: Answering) -> None:
    launcher.__class__.failing = ("pytorch",)
    made.run(WANTED, ["pytorch", "paddle"], seeds=2)
    launcher.__class__.failing = ()
    assert [row["framework"] for row in results.trainings(made.folder)] == ["paddle", "paddle"]
    failures = made.failures.every
    assert [failure["seed"] for failure in failures] == [0, 1]
    assert all("nan in step 7" in failure["reason"] for failure in failures)


@pytest.mark.parametrize("other", [{"versions": {"torch": "3"}}, {"source": "4567"}])
def test_what_another_build_or_other_code_trained_is_no_result(
    other: dict[str, Any], made: trainings.Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an upgrade, or an edit, between the proof and the training."""
    monkeypatch.setitem(ANSWER, next(iter(other)), next(iter(other.values())))
    made.run(WANTED, ["pytorch"])
    assert list(results.trainings(made.folder)) == []
    (failure,) = results.failures(made.folder)
    assert "by another build, or by other code, than was proven for toy" in failure["reason"]


def test_a_later_training_makes_a_failure_good(made: trainings.Trainings, launcher: Answering) -> None:
    launcher.__class__.failing = ("pytorch",)
    made.run(WANTED, ["pytorch"])
    launcher.__class__.failing = ()
    (made.folder / "training" / "toy-pytorch-seed0" / "checkpoint.safetensors").unlink()
    (made.folder / "training" / "toy-pytorch-seed0").rmdir()
    made.run(WANTED, ["pytorch"])
    assert made.failures.every == []


def test_a_result_says_what_was_trained(made: trainings.Trainings) -> None:
    made.run(WANTED, ["pytorch"])
    (row,) = results.trainings(made.folder)
    told = {
        name: row[name] for name in ("schema_version", "recipe", "scale", "network", "batch", "epochs_asked")
    }
    assert told == {
        "schema_version": 3,
        "recipe": "toy",
        "scale": "full",
        "network": "mlp",
        "batch": 8,
        "epochs_asked": 4,
    }
    assert row["data"]["classes"] == ["a", "b", "c"]
    assert (row["data"]["train_images"], row["data"]["validation_images"]) == (44, 12)
    assert row["schedule"]["kind"] == "stepped"


def test_claims_are_about_every_network_of_the_stages_at_the_recipes_size() -> None:
    found = trainings.claims(recipes.named("vgg16-transfer", "small"), ["pytorch", "onnxruntime"])
    told = [(claim.framework, claim.network, claim.input_size) for claim in found]
    assert told == [("pytorch", "vgg16-transfer", (48, 48)), ("pytorch", "vgg16-finetune", (48, 48))]


# --- Data ---------------------------------------------------------------------------------


def test_two_classes_are_taken_and_numbered_anew() -> None:
    data = images()
    found = train.selected(dataclasses.replace(RECIPE, only=(2, 0)), data)
    assert found.classes == ("c", "a")
    assert set(found.train.labels.tolist()) == {0, 1}
    expected = data.train.images[data.train.labels == 2]
    assert np.array_equal(found.train.images[found.train.labels == 0], expected)


def test_at_most_so_many_images_are_taken_always_the_same() -> None:
    recipe = dataclasses.replace(RECIPE, train_images=10, evaluated_images=5)
    first, again = (train.selected(recipe, images()) for _ in range(2))
    assert (len(first.train), len(first.validation), len(first.test)) == (10, 5, 5)
    assert first.sha256 == again.sha256
    assert first.sha256 != images().sha256


def test_validation_that_is_the_test_stays_so() -> None:
    data = images()
    shared = dataclasses.replace(data, validation=data.test)
    found = train.selected(dataclasses.replace(RECIPE, evaluated_images=5), shared)
    assert found.validation is found.test


def test_images_of_another_size_are_refused() -> None:
    recipe = dataclasses.replace(RECIPE, input_size=(7, 7))
    with pytest.raises(UserError, match=r"cannot be fed with made bars: given images of \(1, 6, 6\)"):
        train.fitting(recipe, images())


def test_more_classes_than_outputs_are_refused() -> None:
    with pytest.raises(UserError, match="too few outputs"):
        train.fitting(dataclasses.replace(RECIPE, classes=2), images())
