"""scikit-learn's 1,797 handwritten digits (8×8, values 0 … 16), brought to 28×28: needs no download."""

import numpy as np

from benchmarks.data.images import ImageSet
from implementations.weights import raw_words

TEST = 360
REPEAT, BORDER = 3, 2  # 8 · 3 + 2 · 2 = 28
SPLIT_KEY = 1  # the digits stand in the order of their writers


def load() -> ImageSet:
    """1,437 training and 360 test images, each pixel repeated 3×3 inside a border of 2."""
    from sklearn.datasets import load_digits  # the parent's: takes a second, children never need it

    bunch = load_digits()
    small = bunch.images.astype(np.uint8)
    large = small.repeat(REPEAT, axis=1).repeat(REPEAT, axis=2)
    images = np.pad(large, ((0, 0), (BORDER, BORDER), (BORDER, BORDER)))[:, None]
    order = np.argsort(raw_words(SPLIT_KEY, len(images)), kind="stable")
    train, test = order[TEST:], order[:TEST]
    labels = bunch.target.astype(np.int64)
    return ImageSet(
        name="digits",
        title="scikit-learn's digits (1,797 images of 8×8, enlarged to 28×28)",
        divisor=16,
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
    )
