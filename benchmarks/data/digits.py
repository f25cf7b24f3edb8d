"""scikit-learn's 1,797 handwritten digits (8×8, values 0 … 16), brought to 28×28: needs no download."""

import numpy as np

from benchmarks.data import keys
from benchmarks.data.images import ImageSet, Split, held_out
from implementations.weights import raw_words

TEST = 360
REPEAT, BORDER = 3, 2  # 8 · 3 + 2 · 2 = 28


def load(*, train_on_all: bool = False) -> ImageSet:
    """1,437 training images, a tenth of them for validation, and 360 for test; a pixel is repeated 3×3.

    ``train_on_all``: none is held out, and the test images serve as validation.
    """
    from sklearn.datasets import load_digits  # the parent's: takes a second, children never need it

    bunch = load_digits()
    small = bunch.images.astype(np.uint8)
    large = small.repeat(REPEAT, axis=1).repeat(REPEAT, axis=2)
    images = np.pad(large, ((0, 0), (BORDER, BORDER), (BORDER, BORDER)))[..., None]
    order = np.argsort(raw_words(keys.DIGITS, len(images)), kind="stable")
    every = Split(images, bunch.target.astype(np.int64))
    train, test = every.chosen(order[TEST:]), every.chosen(order[:TEST])
    train, validation = (train, test) if train_on_all else held_out(train)
    return ImageSet(
        name="digits",
        title="scikit-learn's digits (1,797 images of 8×8, enlarged to 28×28)",
        classes=tuple(str(digit) for digit in range(10)),
        maximum=16,
        train=train,
        validation=validation,
        test=test,
    )
