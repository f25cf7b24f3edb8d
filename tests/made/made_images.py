"""Pictures that a small network tells apart after a few steps: reddish and bluish noise."""

import numpy as np

from benchmarks.data.images import ImageSet, Split


def coloured(train: int = 16, held: int = 8, size: int = 32) -> ImageSet:
    """Two classes, as many pictures of each; the test images serve for validation."""
    generator = np.random.default_rng(0)

    def split(count: int) -> Split:
        labels = np.arange(count, dtype=np.int64) % 2
        pixels = generator.integers(0, 156, (count, size, size, 3), np.uint8)
        pixels[np.arange(count), :, :, 2 * labels] += 100  # red, or blue
        return Split(pixels, labels)

    learned, kept = split(train), split(held)
    return ImageSet("coloured", "coloured noise", ("red", "blue"), 255, learned, kept, kept)
