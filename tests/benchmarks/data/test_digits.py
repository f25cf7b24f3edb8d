from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.data import digits
from benchmarks.data.images import ImageSet


@pytest.fixture(scope="module")
def made() -> ImageSet:
    return digits.load(train_on_all=True)


@pytest.fixture(scope="module")
def all_images(made: ImageSet) -> NDArray[np.uint8]:
    return np.concatenate([made.train.images, made.test.images])


def original() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.images.astype(np.uint8), bunch.target


def test_the_digits_are_split_into_1437_and_360(made: ImageSet) -> None:
    shapes = (made.train.images.shape, made.test.images.shape)
    assert shapes == ((1437, 28, 28, 1), (360, 28, 28, 1))  # 1,797 in all; the MLP takes 28×28


def test_every_digit_has_a_label(made: ImageSet) -> None:
    assert (made.train.labels.shape, made.test.labels.shape) == ((1437,), (360,))


def test_digits_have_an_empty_border_of_two(all_images: NDArray[np.uint8]) -> None:
    border = np.ones((28, 28), bool)
    border[2:-2, 2:-2] = False
    assert not all_images[:, border, 0].any()


def test_every_pixel_of_a_digit_is_repeated_three_by_three(all_images: NDArray[np.uint8]) -> None:
    blocks = all_images[:, 2:-2, 2:-2, 0].reshape(-1, 8, 3, 8, 3)
    assert (blocks == blocks[:, :, :1, :, :1]).all()


def test_training_and_test_hold_every_digit_exactly_once(all_images: NDArray[np.uint8]) -> None:
    small = all_images[:, 2:-2:3, 2:-2:3, 0]
    images, _ = original()
    assert Counter(image.tobytes() for image in small) == Counter(image.tobytes() for image in images)


def test_no_digit_is_both_trained_on_and_tested_on(made: ImageSet) -> None:
    train, test = ({image.tobytes() for image in part} for part in (made.train.images, made.test.images))
    assert not train & test


def test_digits_keep_their_labels(made: ImageSet) -> None:
    images, targets = original()
    labels = {image.tobytes(): int(target) for image, target in zip(images, targets, strict=True)}
    for part, found in ((made.train.images, made.train.labels), (made.test.images, made.test.labels)):
        small = np.ascontiguousarray(part[:, 2:-2:3, 2:-2:3, 0])
        assert [labels[image.tobytes()] for image in small] == found.tolist()


def test_the_tested_digits_are_of_all_classes(made: ImageSet) -> None:
    counts = np.bincount(made.test.labels, minlength=10)
    assert counts.min() >= 18  # half of a tenth of 360: the file's own order is not used, nor sorted labels


def test_the_split_is_the_same_every_time(made: ImageSet) -> None:
    assert digits.load(train_on_all=True).sha256 == made.sha256


def test_the_brightest_pixel_is_the_maximum(made: ImageSet) -> None:
    assert made.train.images.max() == made.maximum == 16  # the file's values are 0 … 16


def test_a_tenth_is_held_out_for_validation() -> None:
    data = digits.load()
    assert (len(data.train), len(data.validation), len(data.test)) == (1294, 143, 360)
