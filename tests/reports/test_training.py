"""Trainings of schema 3, side by side: accuracies with their spread, time to accuracy."""

from typing import Any

import pytest

from implementations.errors import UserError
from reports import queries, training_files
from reports.training import Learned, Training


def trained(folder: Any, **runs: list[list[float]]) -> Training:
    """Accuracies of every seed's epochs, by framework."""
    for framework, seeds in runs.items():
        proof = folder.certificate("mlp", framework)
        for seed, accuracies in enumerate(seeds, start=1):
            folder.learned(framework, proof, seed, accuracies)
    (training,) = queries.read(folder.path).trainings
    return training


def learned(folder: Any, **runs: list[list[float]]) -> Learned:
    return trained(folder, **runs).learned[0]


def test_seeds_of_one_recipe_belong_together(folder: Any) -> None:
    training = trained(folder, pytorch=[[0.5, 0.8], [0.5, 0.9]], paddle=[[0.5, 0.7]])
    assert [(curve.framework, curve.seed) for curve in training.curves] == [
        ("pytorch", 1),
        ("pytorch", 2),
        ("paddle", 1),
    ]
    assert training.task.classes == ("cat", "dog")
    assert ("validation", "aux", "accuracy") in training.keys


def test_an_accuracy_has_its_spread_over_seeds(folder: Any) -> None:
    found = learned(folder, pytorch=[[0.5, 0.8], [0.5, 0.9], [0.5, 1.0]])
    assert (found.accuracy, found.deviation) == pytest.approx((0.9, 0.1))
    assert (found.lowest, found.highest, found.seeds) == (0.8, 1.0, 3)
    assert found.waiting == pytest.approx(0.25)  # 0.5 of 2 s in every epoch


def test_time_to_accuracy_is_that_of_the_first_epoch_that_reached_it(folder: Any) -> None:
    found = learned(folder, pytorch=[[0.5, 0.8, 0.91, 0.95], [0.5, 0.7, 0.8, 0.92], [0.5, 0.6, 0.7, 0.8]])
    assert found.reached == 2  # of three seeds; the recipe asks for 0.9
    assert found.seconds_to_target is not None
    assert (found.seconds_to_target.low, found.seconds_to_target.high) == (6.0, 9.0)  # 3 s an epoch
    assert found.seconds_to_target.kind == "range"
    assert found.epochs_to_target == 2.5


def test_without_a_target_it_is_the_highest_hundredth_that_all_reached(folder: Any) -> None:
    proof = folder.certificate("mlp", "pytorch")
    folder.learned("pytorch", proof, 1, [0.5, 0.876], target=None)
    folder.learned("pytorch", proof, 2, [0.5, 0.923], target=None)
    (training,) = queries.read(folder.path).trainings
    assert training.target == 0.87


def test_what_a_recipe_chose_to_record_is_shown(folder: Any) -> None:
    """Accuracy is always there, the loss need not be."""
    heads = {"main": {"accuracy": 0.5, "top5": 0.75, "cross_entropy": None}}
    epoch = {"epoch": 1, "seconds": 2.0, "elapsed_s": 3.0, "learning_rate": 0.1, "train_loss": 0.5}
    folder.learned(
        "pytorch",
        folder.certificate("mlp", "pytorch"),
        1,
        [0.5, 0.9],
        initial={"validation": heads},
        epochs=[{**epoch, "train": heads, "validation": heads}],
    )
    (training,) = queries.read(folder.path).trainings
    assert [measure for part, _, measure in training.keys if part == "validation"] == [
        "accuracy",
        "cross_entropy",
        "top5",
    ]
    (curve,) = training.curves
    assert curve.last.values["validation", "main", "top5"] == 0.75


def with_tests(folder: Any, target: dict[str, Any] | None) -> Training:
    """Two epochs, on the test images from 0.5 to 0.8, on those of validation to 0.95."""
    epochs = [
        {
            "epoch": n,
            "seconds": 2.0,
            "elapsed_s": 3.0 * n,
            "learning_rate": 0.1,
            "train_loss": 0.5,
            "train": {"main": {"accuracy": 0.9}},
            "validation": {"main": {"accuracy": validation}},
            "test": {"main": {"accuracy": test}},
        }
        for n, validation, test in ((1, 0.9, 0.5), (2, 0.95, 0.8))
    ]
    proof = folder.certificate("mlp", "pytorch")
    folder.learned("pytorch", proof, 1, [0.3, 0.4], epochs=epochs, target=target)
    (training,) = queries.read(folder.path).trainings
    return training


def test_the_test_after_each_epoch_is_a_curve(folder: Any) -> None:
    training = with_tests(folder, None)
    assert ("test", "main", "accuracy") in training.keys
    assert training.watched == ("test", "main")
    assert training.target == 0.8


@pytest.mark.parametrize(("part", "reached"), [("validation", 1), ("test", 0)])
def test_a_target_is_looked_for_where_it_was_asked(folder: Any, part: str, reached: int) -> None:
    training = with_tests(folder, {"accuracy": 0.9, "part": part})
    assert training.watched == (part, "main")
    assert training.learned[0].reached == reached


def test_confusion_and_samples_are_read(folder: Any) -> None:
    (curve,) = trained(folder, pytorch=[[0.5, 0.9]]).curves
    assert curve.test is not None
    assert curve.test.confusion == ((480, 20), (30, 470))
    assert curve.test.samples[0].probability == 0.98


@pytest.mark.parametrize(
    "changes", [{"epochs": []}, {"initial": {}}, {"test": {"loss": 1}}, {"target": {"accuracy": 2}}]
)
def test_a_damaged_training_is_refused(folder: Any, changes: dict[str, Any]) -> None:
    folder.learned("pytorch", folder.certificate("mlp", "pytorch"), 1, [0.5, 0.9], **changes)
    with pytest.raises(UserError, match="training's result is not one of this project's"):
        queries.read(folder.path)


def test_samples_that_lack_something_are_refused(folder: Any) -> None:
    test = {"loss": 1.0, "accuracy": 0.5, "samples": [{"index": 1}]}
    folder.learned("pytorch", folder.certificate("mlp", "pytorch"), 1, [0.5, 0.9], test=test)
    with pytest.raises(UserError, match="lacks something"):
        queries.read(folder.path)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"kind": "step", "every": 8, "factor": 0.96}, "step (every 8, factor 0.96)"),
        ({"kind": "constant"}, "constant"),
        ("Adam(learning_rate=0.001)", "Adam(learning_rate=0.001)"),
        (None, ""),
    ],
)
def test_a_schedule_is_written_in_words(written: object, words: str) -> None:
    assert training_files._words(written) == words
