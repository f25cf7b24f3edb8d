import math
from typing import Any

import numpy as np
import pytest

from benchmarks.data.images import Split
from benchmarks.data.preprocessing import Preprocessing
from benchmarks.evaluation import scores
from implementations.spec import Loss

ROUNDING = 1e-12  # sums of some float64 terms
SOFTMAX, SIGMOID, SQUARED = Loss("softmax"), Loss("sigmoid"), Loss("squared")
# Softmax of (ln 3, 0) is (3/4, 1/4).
LOGITS = np.array([[math.log(3), 0.0], [0.0, math.log(3)], [math.log(3), 0.0], [0.0, math.log(3)]])
LABELS = np.array([0, 1, 0, 0])


def test_accuracy_is_the_share_of_hits() -> None:
    assert scores.of_head(SOFTMAX, LOGITS, LABELS)["accuracy"] == 0.75


def test_the_loss_is_the_mean_cross_entropy() -> None:
    expected = (3 * math.log(4 / 3) + math.log(4)) / 4
    assert scores.of_head(SOFTMAX, LOGITS, LABELS)["loss"] == pytest.approx(expected, rel=ROUNDING)


def test_large_logits_do_not_overflow() -> None:
    found = scores.of_head(SOFTMAX, np.array([[1000.0, 0.0]]), np.array([1]))
    assert found["loss"] == 1000.0  # exp(1000) has no float64


def test_a_loss_that_is_no_number_is_none() -> None:
    assert scores.of_head(SOFTMAX, np.array([[np.nan, 0.0]]), np.array([1]))["loss"] is None


def test_one_sigmoid_unit_decides_between_two_classes() -> None:
    logits = np.array([[math.log(3)], [-math.log(3)], [math.log(3)]])
    found = scores.of_head(SIGMOID, logits, np.array([1, 0, 0]))
    expected = (2 * math.log(4 / 3) + math.log(4)) / 3
    assert found == {"loss": pytest.approx(expected, rel=ROUNDING), "accuracy": pytest.approx(2 / 3)}


def test_a_sigmoid_units_report_has_two_classes() -> None:
    found = scores.report(SIGMOID, np.array([[2.0], [-2.0], [-1.0]]), np.array([1, 0, 1]), 2)
    assert found["confusion"] == [[1, 0], [1, 1]]
    assert found["samples"][-1] == {
        "index": 2,
        "label": 1,
        "predicted": 0,
        "probability": pytest.approx(1 / (1 + math.exp(-1))),
    }


def test_a_row_of_the_confusion_is_a_true_class() -> None:
    found = scores.confusion(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 2]), 3)
    assert found.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]


def test_the_surest_mistakes_come_first() -> None:
    logits = np.array([[1.0, 0.0], [3.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
    found = scores.report(SOFTMAX, logits, np.array([1, 1, 1, 1]), 2)
    assert [sample["index"] for sample in found["samples"]] == [2, 1, 3, 0]  # right, then wrong


def test_the_squared_loss_is_the_mean_over_classes_and_images() -> None:
    squared = scores.of_head(SQUARED, LOGITS, LABELS)["loss"]
    assert squared == pytest.approx((3 * (1 / 4) ** 2 + (3 / 4) ** 2) / 4, rel=ROUNDING)


def test_metrics_are_those_chosen_whatever_the_loss() -> None:
    """So that trainings by unlike losses can be held against each other."""
    chosen = ("cross_entropy", "accuracy", "mean_squared_error", "loss")
    by_squares, by_entropy = (scores.of_head(rule, LOGITS, LABELS, chosen) for rule in (SQUARED, SOFTMAX))
    assert tuple(by_squares) == chosen
    for name in chosen[:3]:
        assert by_squares[name] == by_entropy[name]
    assert by_squares["loss"] == by_squares["mean_squared_error"]
    assert by_entropy["loss"] == by_entropy["cross_entropy"]


def test_one_sigmoid_units_squares_are_those_of_both_classes() -> None:
    found = scores.of_head(SIGMOID, np.array([[math.log(3)]]), np.array([0]), ("mean_squared_error",))
    assert found == {"mean_squared_error": pytest.approx(9 / 16, rel=ROUNDING)}


def test_top_5_needs_more_than_five_classes() -> None:
    logits = np.arange(6.0)[None].repeat(2, axis=0)
    assert scores.report(SOFTMAX, logits, np.array([0, 1]), 6)["top5"] == 0.5  # class 0 is the sixth
    assert scores.report(SOFTMAX, logits[:, :5], np.array([0, 1]), 5)["top5"] is None


class Counting:
    """A built network whose logits are its images' pixel and 0, which keeps what it was given."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def head_outputs(self, images: Any) -> dict[str, Any]:
        self.batches.append(len(images))
        pixel = images.reshape(len(images), -1)[:, 0]
        return {"main": np.stack([pixel, np.zeros(len(images))], axis=1), "side": np.stack([pixel, pixel], 1)}


def test_every_batch_of_an_evaluation_has_one_size_and_counts_its_own_images() -> None:
    split = Split(np.arange(7, dtype=np.uint8).reshape(7, 1, 1, 1), np.zeros(7, np.int64))
    built: Any = Counting()
    evaluation = scores.Evaluation(Preprocessing(), 1, SOFTMAX, batch=3)
    logits = evaluation.logits(built, split)
    assert built.batches == [3, 3, 3]
    assert logits["main"][:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert logits.keys() == {"main", "side"}


def test_an_evaluations_batch_is_bounded_by_what_its_images_take() -> None:
    assert scores.batch_for((1, 28, 28), 10_000) == 1000
    assert scores.batch_for((1, 28, 28), 12) == 12
    assert scores.batch_for((3, 224, 224), 10_000) == 55
    assert scores.batch_for((3, 10_000, 10_000), 10) == 1
