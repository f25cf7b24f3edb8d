"""What a stage's network is fed with: images, or the features that a frozen base makes of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.data import keys
from benchmarks.data.batches import Batches
from benchmarks.data.images import ImageSet, Split
from benchmarks.data.preprocessing import Preprocessing
from benchmarks.evaluation import scores
from benchmarks.recipes.recipe import Metric, Recipe, Stage
from implementations import weights
from implementations.spec import Network

SAMPLE = 1000  # training images that are evaluated after each epoch, at most


@dataclass(frozen=True, eq=False)
class Fed:
    """Three splits, and how they are prepared."""

    train: Split
    validation: Split
    test: Split
    preprocessing: Preprocessing
    maximum: int

    @classmethod
    def with_images(cls, data: ImageSet, preprocessing: Preprocessing) -> "Fed":
        return cls(data.train, data.validation, data.test, preprocessing, data.maximum)

    @cached_property
    def sample(self) -> Split:
        """Training images that are evaluated as the validation's are, always the same."""
        return fixed_sample(self.train, min(SAMPLE, len(self.validation)))

    def is_plain(self, stage: Stage) -> bool:
        """Whether a batch is stored pixels, each value scaled: none is resized, augmented or computed."""
        stored = self.train.images
        is_as_stored = self.preprocessing.size in (None, stored.shape[1:3])
        return stored.dtype == np.uint8 and is_as_stored and stage.augmentation is None

    def batches(self, recipe: Recipe, stage: Stage, seed: int) -> Batches:
        """Those of all epochs of all stages, augmented as ``stage`` says."""
        return Batches(
            self.train,
            recipe.batch,
            seed,
            self.preprocessing,
            stage.augmentation,
            self.maximum,
            recipe.remainder,
        )

    def evaluation(self, network: Network, metrics: tuple[Metric, ...]) -> scores.Evaluation:
        """How ``network`` is evaluated on any of the splits."""
        largest = max(len(part) for part in (self.sample, self.validation, self.test))
        size = scores.batch_for(network.input_shape, largest)
        return scores.Evaluation(self.preprocessing, self.maximum, network.loss, size, metrics)


def fixed_sample(split: Split, count: int) -> Split:
    """``count`` images of ``split``, always the same."""
    order = np.argsort(weights.raw_words(keys.SAMPLE, len(split)), kind="stable")
    return split.chosen(np.sort(order[:count]))
