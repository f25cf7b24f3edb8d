"""Single training steps: the learning rate, what dropout draws from, and whether they repeat bit for bit."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from benchmarks.data.batches import Batch, Batches
from benchmarks.recipes.recipe import Stage
from implementations import weights
from implementations.network import Built, Weights
from implementations.spec import Dropout, Network

TRIED = 5  # steps by which determinism is judged
STREAM = 5 << 96  # keys of this stream, apart from those of orders, weights and augmentation


@dataclass
class Stepper:
    """Makes the steps of one stage in one framework, any of them after any other."""

    built: Built
    stage: Stage
    batches: Batches
    seed: int
    network: Network
    resident: Any = None  # the split's images, where the device keeps them
    rate: float | None = None  # that the optimizer has; none: not known

    def make(self, batch: Batch, step: int, stage_step: int) -> Any:
        """The loss, unread, of the step after ``step`` others, ``stage_step`` of them in this stage."""
        batches = self.batches
        rate = self.stage.rate(stage_step, batches.steps_per_epoch, batches.batch, len(batches.split))
        if rate != self.rate:
            self.built.set_learning_rate(rate)
            self.rate = rate
        if self._draws:
            self.built.seed(draw(self.seed, step))
        return self.built.train_step(self._put(batch))

    def _put(self, batch: Batch) -> Any:
        labels = weights.fed_labels(self.network, batch.labels)
        if self.resident is None:
            return self.built.put(batch.images, labels)
        return self.built.picked(self.resident, batch.indices, labels)

    @cached_property
    def _draws(self) -> bool:
        return has_dropout(self.network)

    def is_deterministic(self, values: Weights) -> bool:
        """Whether the first steps from ``values`` give the same bits twice; afterwards all is as it was."""
        untouched, found = self.built.optimizer_state(), []
        for _ in range(2):
            found.append(self._bits())
            self.built.load(values)
            self.built.restore_optimizer(untouched)
            self.rate = None
        return found[0] == found[1]

    def _bits(self) -> str:
        """SHA-256 of losses and weights after the first steps."""
        total = hashlib.sha256()
        for step in range(min(TRIED, self.batches.steps_per_epoch)):
            loss = float(self.make(self.batches.at(step), step, step))
            total.update(np.float64(loss).tobytes())
        for value in self.built.weights().values():
            total.update(np.ascontiguousarray(value).tobytes())
        return total.hexdigest()


def has_dropout(network: Network) -> bool:
    return any(isinstance(node.layer, Dropout) and node.layer.rate > 0 for node in network.nodes)


def draw(seed: int, step: int) -> int:
    """What dropout's generator starts from in ``step``: 31 bits of a stream of its own."""
    return int(weights.raw_words(STREAM + (seed << 64) + step, 1)[0] >> np.uint64(33))
