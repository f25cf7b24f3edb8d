"""Batches by number: the same images in the same order for every framework, any of them made alone."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.data.augmentation import Augmentation
from benchmarks.data.images import Split
from benchmarks.data.preprocessing import BYTE, Floats, Preprocessing
from implementations.errors import UserError
from implementations.weights import raw_words

Remainder = Literal["drop", "keep"]
PLAIN = Preprocessing()


@dataclass(frozen=True, eq=False)
class Batch:
    """Images (n, channels, height, width) float32, labels (n,) int64, and their places in the split."""

    images: Floats
    labels: NDArray[np.int64]
    indices: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def sha256(self) -> str:
        """Of shape, images and labels: equal where frameworks are fed the same."""
        total = hashlib.sha256(str(self.images.shape).encode())
        total.update(np.ascontiguousarray(self.images).data)
        total.update(np.ascontiguousarray(self.labels).data)
        return total.hexdigest()


@dataclass(frozen=True, eq=False)
class Batches:
    """A training's batches, counted from 0 over all epochs: a seeded order of all images in each epoch.

    ``remainder``: whether the images left over at an epoch's end are dropped or kept as a smaller batch.
    """

    split: Split
    batch: int
    seed: int
    preprocessing: Preprocessing = PLAIN
    augmentation: Augmentation | None = None
    maximum: int = BYTE
    remainder: Remainder = "drop"
    bare: bool = False  # without images, where a device has them

    def __post_init__(self) -> None:
        if self.steps_per_epoch == 0:
            raise UserError(
                "there are too few images for a batch",
                given=f"{len(self.split)} images, batch {self.batch}",
                allowed=f"a batch from 1 to {len(self.split)}",
                todo="choose a smaller batch, or more images",
            )

    @property
    def steps_per_epoch(self) -> int:
        full, left = divmod(len(self.split), self.batch)
        return full + (1 if left and self.remainder == "keep" else 0)

    def indices(self, step: int) -> NDArray[np.intp]:
        """Which images batch ``step`` holds."""
        epoch, position = divmod(step, self.steps_per_epoch)
        start = position * self.batch
        return order(len(self.split), self.seed, epoch)[start : start + self.batch]

    def at(self, step: int) -> Batch:
        """Batch ``step``, the same whenever and by whomever it is asked for."""
        indices = self.indices(step)
        if self.bare:
            return Batch(np.empty((len(indices), 0), np.float32), self.split.labels[indices], indices)
        chosen = self.split.chosen(indices)
        pixels = self.preprocessing.resized(chosen.images)
        if self.augmentation is not None:
            epoch = step // self.steps_per_epoch
            pixels = self.augmentation.apply(pixels, self.seed, epoch, indices)
        return Batch(self.preprocessing.scaled(pixels, self.maximum), chosen.labels, indices)

    def digest(self, step: int) -> str:
        """SHA-256 of batch ``step`` with its images, in hexadecimal."""
        return replace(self, bare=False).at(step).sha256


@lru_cache(maxsize=4)  # two epochs meet where batches are made ahead
def order(count: int, seed: int, epoch: int) -> NDArray[np.intp]:
    """A permutation of ``count`` images, another one in every epoch (from 0) of every seed."""
    # Epochs were counted from 1 when the first results were made: their order stays what it was.
    found = np.argsort(raw_words((seed << 32) + epoch + 1, count), kind="stable")
    found.setflags(write=False)
    return found


def filled(
    split: Split, batch: int, preprocessing: Preprocessing, maximum: int = BYTE
) -> Iterator[tuple[Floats, int]]:
    """Images of ``inorder`` in batches of one size, the last filled with zeros, and how many of them count.

    What compiles a network would compile it anew for a smaller batch.
    """
    for found in inorder(split, batch, preprocessing, maximum):
        missing = batch - len(found)
        yield np.pad(found.images, ((0, missing), (0, 0), (0, 0), (0, 0))), len(found)


def inorder(split: Split, batch: int, preprocessing: Preprocessing, maximum: int = BYTE) -> Iterator[Batch]:
    """All images once, in the split's own order, the last batch smaller: for evaluation."""
    for start in range(0, len(split), batch):
        indices = np.arange(start, min(start + batch, len(split)))
        images = split.images[start : start + batch]
        labels = np.asarray(split.labels[start : start + batch])
        yield Batch(preprocessing.apply(images, maximum), labels, indices)
