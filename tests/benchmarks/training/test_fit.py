"""A training by the toy adapter in this process, against the same training written out in a few lines."""

import dataclasses
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_training import RATE, RECIPE, EndedError, curves, images, interrupting, request, toy, trained

from benchmarks.data.batches import Batches
from benchmarks.evaluation import scores
from benchmarks.recipes import Recipe, Stage, Target
from benchmarks.training import checkpoint, feeding, fit
from benchmarks.training.stepping import Stepper
from implementations import provenance, reference, updates, weights
from implementations.errors import UserError
from implementations.network import Settings
from implementations.training import FORMS, SGD, Adam

STEPS = 44 // 8
FLOAT32 = 1e-5  # of a loss after some steps computed in float32


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return trained(tmp_path_factory.mktemp("trained"))


def by_hand(epochs: int) -> tuple[list[float], dict[str, Any]]:
    """The mean loss of each epoch, and the weights afterwards, by the reference."""
    network, data = RECIPE.build(), images()
    values: dict[str, Any] = {p: v.astype(np.float64) for p, v in weights.initial(network, 0).items()}
    updater = updates.Updater(RECIPE.optimizer, next(iter(FORMS[Adam])), list(values))
    batches, means = Batches(data.train, RECIPE.batch, seed=0), []
    for epoch in range(epochs):
        losses = []
        updater.rate = RATE * 0.5 ** (epoch // 2)
        for step in range(epoch * STEPS, (epoch + 1) * STEPS):
            batch = batches.at(step)
            shown = reference.forward(network, values, batch.images, training=True)
            losses.append(reference.loss(network, shown, batch.labels))
            updater.apply(values, reference.backward(network, values, shown, batch.labels))
        means.append(float(np.mean(losses)))
    return means, values


# --- Learning -----------------------------------------------------------------------------


def test_losses_are_those_of_the_same_training_written_out(answer: dict[str, Any]) -> None:
    expected, _ = by_hand(RECIPE.epochs)
    assert [epoch["train_loss"] for epoch in answer["epochs"]] == pytest.approx(expected, rel=FLOAT32)


def test_it_learns(answer: dict[str, Any]) -> None:
    assert answer["epochs"][-1]["train_loss"] < answer["epochs"][0]["train_loss"]
    assert answer["test"]["accuracy"] > 0.6  # a third by chance


def test_every_epoch_has_its_number_and_the_rate_of_the_schedule(answer: dict[str, Any]) -> None:
    told = [(epoch["epoch"], epoch["learning_rate"]) for epoch in answer["epochs"]]
    assert told == [(1, RATE), (2, RATE), (3, RATE / 2), (4, RATE / 2)]


def test_every_epoch_evaluates_the_head_on_train_and_validation(answer: dict[str, Any]) -> None:
    for epoch in answer["epochs"]:
        for part in ("train", "validation"):
            assert epoch[part].keys() == {"main"}
            assert epoch[part]["main"].keys() == {"loss", "accuracy"}


def test_a_recipes_metrics_are_recorded(tmp_path: Path) -> None:
    chosen = ("accuracy", "cross_entropy")
    answer = trained(tmp_path, recipe=dataclasses.replace(RECIPE, metrics=chosen, epochs=1))
    states = [
        answer["initial"]["validation"],
        *(answer["epochs"][0][part] for part in ("train", "validation")),
    ]
    assert all(tuple(state["main"]) == chosen for state in states)
    assert answer["test"].keys() >= {"loss", "accuracy"}


def test_what_is_evaluated_is_the_network_after_the_epoch(answer: dict[str, Any]) -> None:
    _, values = by_hand(1)
    data, network = images(), RECIPE.build()
    pixels = data.validation.images.transpose(0, 3, 1, 2) / 255
    shown = reference.forward(network, values, pixels)
    expected = reference.loss(network, shown, data.validation.labels)
    assert answer["epochs"][0]["validation"]["main"]["loss"] == pytest.approx(expected, rel=FLOAT32)


def test_the_start_is_evaluated_before_any_step(answer: dict[str, Any]) -> None:
    data, network = images(), RECIPE.build()
    pixels = data.validation.images.transpose(0, 3, 1, 2) / 255
    shown = reference.forward(network, weights.initial(network, 0), pixels)
    expected = reference.loss(network, shown, data.validation.labels)
    assert answer["initial"]["validation"]["main"]["loss"] == pytest.approx(expected, rel=FLOAT32)


def test_times_are_told(answer: dict[str, Any]) -> None:
    elapsed = [epoch["elapsed_s"] for epoch in answer["epochs"]]
    assert elapsed == sorted(elapsed)
    for epoch in answer["epochs"]:
        assert epoch["seconds"] > 0
        assert epoch["waited_s"] >= 0
        images_trained = STEPS * RECIPE.batch
        assert epoch["images_per_second"] * (epoch["seconds"] + epoch["waited_s"]) == pytest.approx(
            images_trained
        )


def test_the_test_counts_every_image_once(answer: dict[str, Any]) -> None:
    confusion = np.array(answer["test"]["confusion"])
    assert confusion.sum(axis=1).tolist() == [4, 4, 4]  # rows are true classes
    assert np.trace(confusion) / 12 == answer["test"]["accuracy"]


def test_steps_are_whole_batches_unless_the_remainder_is_kept(tmp_path: Path, answer: dict[str, Any]) -> None:
    kept = trained(tmp_path, recipe=dataclasses.replace(RECIPE, remainder="keep", epochs=1))
    assert (answer["steps_per_epoch"], kept["steps_per_epoch"]) == (5, 6)


def test_the_weights_are_there_and_are_those_that_were_tested(tmp_path: Path) -> None:
    answer = trained(tmp_path)
    path = tmp_path / answer["weights"]["file"]
    assert weights.sha256(path) == answer["weights"]["sha256"]
    network, data = RECIPE.build(), images()
    shown = reference.forward(
        network, weights.load(path, network), data.test.images.transpose(0, 3, 1, 2) / 255
    )
    found = shown["logits"].argmax(axis=1)
    assert float((found == data.test.labels).mean()) == answer["test"]["accuracy"]


def test_the_batches_hash_tells_the_order(tmp_path: Path, answer: dict[str, Any]) -> None:
    other = trained(tmp_path, seed=1)
    assert len(answer["batches_sha256"]) == 64
    assert other["batches_sha256"] != answer["batches_sha256"]


# --- Stages, target, divergence -----------------------------------------------------------


def staged(first: float, second: float) -> Any:
    stages = (
        Stage("first", "mlp", SGD(first), 2),
        Stage("second", "mlp", SGD(second, momentum=0.5), 1),
    )
    return dataclasses.replace(RECIPE, stages=stages)


def test_stages_follow_each_other_with_their_own_optimizers(tmp_path: Path) -> None:
    answer = trained(tmp_path, recipe=staged(2**-4, 2**-6))
    told = [(epoch["epoch"], epoch["stage"], epoch["learning_rate"]) for epoch in answer["epochs"]]
    assert told == [(1, "first", 2**-4), (2, "first", 2**-4), (3, "second", 2**-6)]


def test_a_stage_goes_on_from_the_weights_before(tmp_path: Path) -> None:
    answer = trained(tmp_path, recipe=staged(2**-4, 2**-20))
    before, after = (answer["epochs"][number]["validation"]["main"]["loss"] for number in (1, 2))
    assert after == pytest.approx(before, rel=1e-3)  # the second stage's rate moves next to nothing


def test_the_epoch_that_reaches_the_target_is_told(tmp_path: Path) -> None:
    answer = trained(tmp_path, recipe=dataclasses.replace(RECIPE, target=Target(0.01)))
    first = answer["epochs"][0]
    assert answer["target"] == {
        "accuracy": 0.01,
        "part": "validation",
        "reached_epoch": 1,
        "seconds": first["elapsed_s"],
    }
    assert len(answer["epochs"]) == RECIPE.epochs


def test_a_target_that_is_not_reached_is_told_too(tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, target=Target(1.0, "test"), optimizer=SGD(1e-9), schedule=None)
    answer = trained(tmp_path, recipe=recipe, until_target=True)
    assert (answer["target"]["reached_epoch"], answer["target"]["seconds"]) == (None, None)
    assert len(answer["epochs"]) == RECIPE.epochs
    assert all("main" in epoch["test"] for epoch in answer["epochs"])


def test_training_stops_at_its_target_if_asked(tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, target=Target(0.01))
    assert len(trained(tmp_path, recipe=recipe, until_target=True)["epochs"]) == 1


def test_divergence_names_the_step(tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, optimizer=SGD(1e30), schedule=None)
    with (
        np.errstate(all="ignore"),
        pytest.raises(ArithmeticError, match=r"became (nan|inf) in step \d: this"),
    ):
        trained(tmp_path, recipe=recipe)


# --- Determinism --------------------------------------------------------------------------


def test_equal_bits_are_said_to_be_deterministic(answer: dict[str, Any]) -> None:
    assert answer["deterministic"] is True


def test_a_framework_that_rounds_by_chance_is_not_deterministic(tmp_path: Path) -> None:
    module, draws = toy(), np.random.default_rng()

    class Unsteady(module.ToyNetwork):  # type: ignore[misc, name-defined]
        def train_step(self, batch: Any) -> float:
            loss = super().train_step(batch)
            self.values["logits.bias"] = self.values["logits.bias"] + draws.normal(0, 1e-9, 3)
            return float(loss)

    module.ToyNetwork = Unsteady  # type: ignore[attr-defined]
    assert trained(tmp_path, framework=module)["deterministic"] is False


def test_judging_determinism_leaves_the_training_as_it_was(tmp_path: Path, answer: dict[str, Any]) -> None:
    module = toy()
    expected, _ = by_hand(1)
    judged = trained(tmp_path, framework=module, recipe=dataclasses.replace(RECIPE, epochs=1))
    assert judged["epochs"][0]["train_loss"] == pytest.approx(expected[0], rel=FLOAT32)


# --- Checkpoints --------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [12, 15, 19, 28])
def test_a_training_that_goes_on_has_the_same_curve(
    tmp_path: Path, answer: dict[str, Any], steps: int
) -> None:
    with pytest.raises(EndedError):
        trained(tmp_path, framework=interrupting(steps), checkpoint_steps=2)
    resumed = trained(tmp_path, checkpoint_steps=2)
    assert curves(resumed) == curves(answer)
    assert resumed["test"] == answer["test"]
    assert resumed["weights"]["sha256"] == answer["weights"]["sha256"]
    assert "going on after step" in (tmp_path / "training" / "log.txt").read_text()


@pytest.mark.parametrize("steps", [14, 21])
def test_stages_go_on_too(tmp_path: Path, steps: int) -> None:
    whole = trained(tmp_path / "whole", recipe=staged(2**-4, 2**-6))
    with pytest.raises(EndedError):
        trained(tmp_path, recipe=staged(2**-4, 2**-6), framework=interrupting(steps), checkpoint_steps=1)
    resumed = trained(tmp_path, recipe=staged(2**-4, 2**-6), checkpoint_steps=1)
    assert curves(resumed) == curves(whole)
    assert resumed["weights"]["sha256"] == whole["weights"]["sha256"]


def test_elapsed_time_goes_on(tmp_path: Path) -> None:
    with pytest.raises(EndedError):
        trained(tmp_path, framework=interrupting(10 + 11), checkpoint_steps=1)
    resumed = trained(tmp_path)
    elapsed = [epoch["elapsed_s"] for epoch in resumed["epochs"]]
    assert elapsed == sorted(elapsed)


def test_a_target_reached_before_the_interruption_still_ends_it(tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, target=Target(0.01))
    trained(tmp_path, recipe=recipe, until_target=True)
    assert len(trained(tmp_path, recipe=recipe, until_target=True)["epochs"]) == 1


def test_another_trainings_checkpoint_is_refused(tmp_path: Path) -> None:
    trained(tmp_path, seed=1)
    with pytest.raises(UserError, match="belongs to another training"):
        trained(tmp_path, seed=2)


def test_another_thread_counts_checkpoint_is_refused(tmp_path: Path) -> None:
    trained(tmp_path)
    with pytest.raises(UserError, match="belongs to another training"):
        fit.fit(toy(), settings=Settings(threads=2), **request(tmp_path))  # type: ignore[arg-type]


def test_the_checkpoint_of_another_start_is_refused(tmp_path: Path) -> None:
    trained(tmp_path)
    asked = request(tmp_path)
    weights.save(Path(asked["weights_path"]), weights.initial(RECIPE.build(), 7))
    with pytest.raises(UserError, match="belongs to another training"):
        fit.fit(toy(), settings=Settings(), **asked)  # type: ignore[arg-type]


def test_the_checkpoint_of_other_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(tmp_path)
    monkeypatch.setattr(provenance, "digest", lambda package: f"changed {package.name}")
    with pytest.raises(UserError, match="belongs to another training"):
        trained(tmp_path)


@pytest.mark.parametrize("part", [Batches, Recipe, Stepper, scores.report, fit.fit])
def test_all_that_makes_a_training_is_among_its_code(part: Any) -> None:
    assert checkpoint.CODE in Path(inspect.getfile(part)).parents


def test_what_is_hashed_is_what_was_fed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a batch is not the one that its number says."""
    right = trained(tmp_path / "right")["batches_sha256"]
    at = Batches.at
    monkeypatch.setattr(Batches, "at", lambda self, step: at(self, step + (step == 1)))
    assert trained(tmp_path / "wrong")["batches_sha256"] != right


def test_every_stage_is_tried_for_determinism(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([True, False])
    monkeypatch.setattr(Stepper, "is_deterministic", lambda self, values: next(answers))
    assert trained(tmp_path, recipe=staged(2**-4, 2**-6))["deterministic"] is False


def test_a_smaller_batch_counts_less_in_an_epochs_loss(tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, batch=32, remainder="keep")  # of 44 images: 32 and 12
    steps: list[float] = []
    read = fit.Training._read

    def noted(self: fit.Training) -> None:
        read(self)
        steps[:] = self.position.losses

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit.Training, "_read", noted)
        (epoch,) = trained(tmp_path, recipe=recipe.with_epochs(1))["epochs"]
    assert epoch["train_loss"] == pytest.approx((32 * steps[0] + 12 * steps[1]) / 44)


# --- Small things -------------------------------------------------------------------------


def test_the_sample_is_always_the_same() -> None:
    data = images()
    first, again = feeding.fixed_sample(data.train, 5), feeding.fixed_sample(data.train, 5)
    assert np.array_equal(first.images, again.images)
    assert len(first) == 5
