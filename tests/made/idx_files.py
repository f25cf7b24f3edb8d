"""Small files in the format and under the names of Fashion-MNIST's."""

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import fashion_mnist


def idx(array: NDArray[np.uint8]) -> bytes:
    """``array`` as the content of an IDX file: big-endian sizes after 0, 0, type 8, dimensions."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


IMAGES = np.arange(3 * 2 * 4, dtype=np.uint8).reshape(3, 2, 4)
LABELS = np.array([0, 9, 4], np.uint8)
CONTENT = idx(IMAGES)
FILES = {"train_images": IMAGES, "train_labels": LABELS, "test_images": IMAGES[:2], "test_labels": LABELS[:2]}


def fill(folder: Path, **changes: NDArray[np.uint8]) -> Path:
    """A folder of four small files with the published names; ``changes`` replace arrays."""
    folder.mkdir(parents=True)
    for key, array in {**FILES, **changes}.items():
        (folder / f"{fashion_mnist.FILES[key]}.gz").write_bytes(gzip.compress(idx(array)))
    return folder
