"""A set of labelled images, and the neutral file through which every framework reads the same one."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from implementations.files import replacing


@dataclass(frozen=True)
class ImageSet:
    """Images (n, channels, height, width) uint8 and labels (n,) int64, for training and test."""

    name: str
    title: str
    divisor: int  # images are divided by it, to lie in 0 … 1
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]

    def scaled(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``images`` as float32 in 0 … 1."""
        return images.astype(np.float32) / np.float32(self.divisor)

    @property
    def sha256(self) -> str:
        """Of the divisor and all arrays' bytes: equal for equal data, wherever the files came from."""
        total = hashlib.sha256(str(self.divisor).encode())
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            total.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return total.hexdigest()

    def save(self, path: Path) -> None:
        """Write all arrays to a safetensors file."""
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in ARRAYS}
        with replacing(path, "the data") as temporary:
            save_file({**arrays, "divisor": np.array([self.divisor])}, temporary)

    @classmethod
    def load(cls, path: Path) -> "ImageSet":
        arrays = load_file(path)
        divisor = int(arrays.pop("divisor")[0])
        return cls(name=path.stem, title=path.stem, divisor=divisor, **arrays)


ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
