"""The input pipeline's own throughput in images/s: from stored bytes to batches, no framework involved.

``pytest benchmarks/test_pipeline.py``; a training step that takes less than its batch waits for it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from benchmarks.data.augmentation import Augmentation
from benchmarks.data.batches import Batches
from benchmarks.data.images import Split
from benchmarks.data.prefetch import prefetched
from benchmarks.data.preprocessing import Preprocessing
from implementations.processes import available_cores
from implementations.weights import raw_words

BATCH, STEPS, ROUNDS = 32, 8, 5
SOURCE_B = Augmentation(rotation_degrees=40, shift=0.2, shear_degrees=0.2, zoom=0.2, horizontal_flip=True)


@dataclass(frozen=True)
class Work:
    """What is done to images of ``stored`` size (height, width, channels)."""

    stored: tuple[int, int, int]
    preprocessing: Preprocessing
    augmentation: Augmentation | None = None

    def batches(self) -> Batches:
        """Of noise, which costs what pictures cost."""
        shape = (BATCH * STEPS, *self.stored)
        words = raw_words(0, -(-int(np.prod(shape)) // 8))
        images = words.view(np.uint8)[: int(np.prod(shape))].reshape(shape)
        split = Split(images, np.zeros(len(images), np.int64))
        return Batches(split, BATCH, 0, self.preprocessing, self.augmentation)


WORK = {
    "28": Work((28, 28, 1), Preprocessing()),  # source C
    "224-from-32": Work((32, 32, 3), Preprocessing((224, 224))),  # source A
    "150": Work((150, 150, 3), Preprocessing(scale="caffe")),  # source B
    "150-augmented": Work((150, 150, 3), Preprocessing(scale="caffe"), SOURCE_B),
    "224": Work((224, 224, 3), Preprocessing(scale="standard")),
    "224-augmented": Work((224, 224, 3), Preprocessing(scale="standard"), SOURCE_B),
}


@pytest.mark.parametrize("threads", sorted({1, available_cores()}))
@pytest.mark.parametrize("name", WORK)
def test_pipeline(benchmark: Any, name: str, threads: int) -> None:
    batches = WORK[name].batches()

    def an_epoch() -> int:
        with prefetched(batches, 0, STEPS, threads, depth=threads + 1) as made:
            return sum(len(batch) for batch in made)

    benchmark.group = "input pipeline"
    count = benchmark.pedantic(an_epoch, rounds=ROUNDS, warmup_rounds=1)
    assert count == BATCH * STEPS
    if benchmark.stats is not None:  # with --benchmark-disable nothing is timed
        benchmark.extra_info["images_per_second"] = count / benchmark.stats.stats.median
