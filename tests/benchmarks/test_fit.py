import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import fit, recipes
from benchmarks.data.images import ImageSet, Split, store
from implementations import networks, weights
from implementations.errors import UserError
from implementations.network import Settings

ROUNDING = 1e-12  # sums of some thousand float64 terms

# Softmax of (ln 3, 0) is (3/4, 1/4).
LOSS_RIGHT, LOSS_WRONG = math.log(4 / 3), math.log(4)


# --- Evaluation ---------------------------------------------------------------------------


class Bright:
    """A built network that says class 1 for bright images and class 0 for dark ones, three to one.

    Its training steps report the sum of the labels as the loss, and it keeps what it was given.
    """

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.given: list[tuple[NDArray[np.float32], NDArray[np.int64]]] = []
        self.optimizer: Any = None

    def outputs(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        self.batches.append(len(images))
        bright = images.reshape(len(images), -1).mean(axis=1) > 0.5
        return np.where(bright[:, None], [0.0, math.log(3)], [math.log(3), 0.0])

    def put(self, images: Any, labels: Any) -> Any:
        self.given.append((images, labels))
        return labels

    def train_step(self, batch: Any) -> float:
        return float(batch.sum())

    def prepare_training(self, optimizer: Any) -> None:
        self.optimizer = optimizer


def one_pixel_each(pixels: list[int], labels: list[int]) -> ImageSet:
    """Test images of one pixel each, with their labels."""
    images = np.array(pixels, np.uint8).reshape(-1, 1, 1, 1)
    return in_all_parts(Split(images, np.array(labels, np.int64)))


def in_all_parts(split: Split) -> ImageSet:
    return ImageSet("made", "made", ("dark", "bright"), 255, split, split, split)


def evaluated(data: ImageSet) -> dict[str, float]:
    return fit.evaluate(Bright(), data)  # type: ignore[arg-type]


def test_accuracy_is_the_share_of_hits() -> None:
    found = evaluated(one_pixel_each([0, 255, 0, 255], [0, 1, 0, 0]))
    assert found["test_accuracy"] == 0.75  # all but the last


def test_the_loss_is_the_mean_cross_entropy() -> None:
    found = evaluated(one_pixel_each([0, 255, 0, 255], [0, 1, 0, 0]))
    assert found["test_loss"] == pytest.approx((3 * LOSS_RIGHT + LOSS_WRONG) / 4, rel=ROUNDING)


def test_large_logits_do_not_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bright, "outputs", lambda self, images: np.array([[1000.0, 0.0]]))
    assert evaluated(one_pixel_each([0], [1]))["test_loss"] == 1000.0  # exp(1000) has no float64


def test_batches_of_the_evaluation_count_by_their_images() -> None:
    # One image more than two batches; the last one alone is wrong.
    count = 2 * fit.EVALUATION_BATCH + 1
    found = evaluated(one_pixel_each([0] * count, [0] * (count - 1) + [1]))
    expected = ((count - 1) * LOSS_RIGHT + LOSS_WRONG) / count
    assert found["test_accuracy"] == (count - 1) / count
    assert found["test_loss"] == pytest.approx(expected, rel=ROUNDING)


def test_labels_follow_their_images_across_the_border_of_a_batch() -> None:
    count = 2 * fit.EVALUATION_BATCH
    pixels = [255 if number >= fit.EVALUATION_BATCH else 0 for number in range(count)]
    assert evaluated(one_pixel_each(pixels, [pixel // 255 for pixel in pixels]))["test_accuracy"] == 1.0


def test_the_evaluation_bounds_its_batches() -> None:
    built, zeros = Bright(), [0] * (fit.EVALUATION_BATCH + 1)
    fit.evaluate(built, one_pixel_each(zeros, zeros))  # type: ignore[arg-type]
    assert built.batches == [fit.EVALUATION_BATCH, 1]


# --- A training ---------------------------------------------------------------------------


class Fake:
    """A framework whose built network is ``Bright``."""

    def __init__(self) -> None:
        self.built = Bright()
        self.training: bool | None = None

    def build(self, network: Any, values: Any, settings: Settings, *, training: bool) -> Bright:
        self.training = training
        return self.built

    def versions(self) -> dict[str, str]:
        return {"fake": "1"}


@pytest.fixture
def trained(tmp_path: Path) -> Callable[[], tuple[Fake, dict[str, Any]]]:
    """Trains the MLP's recipe on 70 images whose pixel is their number and label its last bit."""

    def run() -> tuple[Fake, dict[str, Any]]:
        framework, network = Fake(), networks.build("mlp")
        numbers = np.arange(70, dtype=np.uint8)
        images = numbers.reshape(-1, 1, 1, 1)
        labels = (numbers % 2).astype(np.int64)
        store(in_all_parts(Split(images, labels)), tmp_path / "data")
        weights.save(tmp_path / "weights.safetensors", weights.initial(network, 0))
        answer = fit.fit(
            framework,  # type: ignore[arg-type]
            settings=Settings(),
            recipe="mlp",
            weights_path=str(tmp_path / "weights.safetensors"),
            data_path=str(tmp_path / "data"),
            seed=0,
        )
        return framework, answer

    return run


def test_a_training_has_the_recipes_epochs(trained: Any) -> None:
    _, answer = trained()
    assert [row["epoch"] for row in answer["epochs"]] == [1, 2, 3, 4, 5]  # source C's five epochs


def test_a_training_uses_the_recipes_optimizer(trained: Any) -> None:
    framework, _ = trained()
    assert framework.built.optimizer == recipes.find("mlp").optimizer


def test_a_training_builds_all_heads(trained: Any) -> None:
    framework, _ = trained()
    assert framework.training is True


def test_every_training_step_gets_a_full_batch(trained: Any) -> None:
    framework, answer = trained()
    assert [len(labels) for _, labels in framework.built.given] == [32] * 10  # 2 of 70 images, 5 epochs
    assert answer["steps_per_epoch"] == 2


def test_labels_of_a_training_stay_with_their_images(trained: Any) -> None:
    framework, _ = trained()
    for images, labels in framework.built.given:
        numbers = np.rint(images.reshape(-1) * 255).astype(int)
        assert (numbers % 2).tolist() == labels.tolist()


def test_images_of_a_training_are_scaled(trained: Any) -> None:
    framework, _ = trained()
    assert max(images.max() for images, _ in framework.built.given) <= 69 / 255 + 1e-7  # one float32 rounding


def test_the_loss_of_an_epoch_is_the_mean_of_its_steps(trained: Any) -> None:
    framework, answer = trained()
    first, second = (labels.sum() for _, labels in framework.built.given[:2])
    assert answer["epochs"][0]["train_loss"] == (first + second) / 2


def test_the_start_is_evaluated_too(trained: Any) -> None:
    _, answer = trained()
    assert answer["initial"]["test_accuracy"] == 0.5  # all 70 images are dark: class 0, half of them


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(UserError, match="unknown recipe: given cnn; allowed: mlp"):
        recipes.find("cnn")
