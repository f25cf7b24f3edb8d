"""Seeded images that can be learnt: each class is a pattern of its own under noise. For trials and timing."""

import numpy as np

from benchmarks.data.images import ImageSet, Split
from implementations.weights import raw_words

CLASSES, NOISE = 10, 96
SIZE = (32, 32)
TRAIN, HELD = 1000, 200
KEY = 7 << 64


def load(size: tuple[int, int] = SIZE, channels: int = 3) -> ImageSet:
    """1,000 training, 200 validation and 200 test images of ``size``, 10 classes in turn."""
    shape = (*size, channels)
    patterns = _bytes(KEY, (CLASSES, *shape))
    train, validation, test = (
        _split(patterns, key, count) for key, count in ((KEY + 1, TRAIN), (KEY + 2, HELD), (KEY + 3, HELD))
    )
    return ImageSet(
        name="synthetic",
        title=f"seeded synthetic images of {size[0]}×{size[1]}",
        classes=tuple(f"pattern {number}" for number in range(CLASSES)),
        maximum=255,
        train=train,
        validation=validation,
        test=test,
    )


def _split(patterns: np.ndarray, key: int, count: int) -> Split:
    labels = np.arange(count, dtype=np.int64) % CLASSES
    noise = _bytes(key, (count, *patterns.shape[1:]))
    share = NOISE / 256
    images = patterns[labels] * np.float32(1 - share) + noise * np.float32(share)
    return Split(images.astype(np.uint8), labels)


def _bytes(key: int, shape: tuple[int, ...]) -> np.ndarray:
    count = int(np.prod(shape))
    words = raw_words(key, -(-count // 8)).astype("<u8")
    return words.view(np.uint8)[:count].reshape(shape)
