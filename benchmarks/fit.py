"""The child's side of training: the same weights, the same batches in the same order, every framework."""

import math
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import recipes
from benchmarks.data.images import ImageSet
from benchmarks.measure import CLOCK
from benchmarks.recipes import Recipe
from implementations import networks, weights
from implementations.network import Built, Framework, Settings

EVALUATION_BATCH = 1000


def fit(
    framework: Framework, *, settings: Settings, recipe: str, weights_path: str, data_path: str, seed: int
) -> dict[str, Any]:
    """Loss and test accuracy before training and after every epoch: a child's task."""
    chosen, data = recipes.find(recipe), ImageSet.load(Path(data_path))
    network = networks.build(chosen.network)
    values = weights.load(Path(weights_path), network)
    built = framework.build(network, values, settings, training=True)
    built.prepare_training(chosen.optimizer)
    epochs = []
    initial = evaluate(built, data)
    for epoch in range(1, chosen.epochs + 1):
        start = CLOCK()
        loss = _run_epoch(built, data, chosen, seed, epoch)
        seconds = CLOCK() - start
        epochs.append({"epoch": epoch, "train_loss": loss, "seconds": seconds, **evaluate(built, data)})
    return {
        "versions": framework.versions(),
        "digest": network.digest,
        "optimizer": repr(chosen.optimizer),
        "steps_per_epoch": len(data.train_labels) // chosen.batch,
        "initial": initial,
        "epochs": epochs,
    }


def _run_epoch(built: Built, data: ImageSet, recipe: Recipe, seed: int, epoch: int) -> float:
    """One pass over the training images; returns the mean loss of its steps."""
    losses = []
    for chosen in batches(len(data.train_labels), recipe.batch, seed, epoch):
        images = data.scaled(data.train_images[chosen])
        losses.append(built.train_step(built.put(images, data.train_labels[chosen])))
    mean = statistics.fmean(float(loss) for loss in losses)
    if not math.isfinite(mean):
        raise ArithmeticError(f"the loss became {mean} in epoch {epoch}: this training diverged")
    return mean


def batches(count: int, batch: int, seed: int, epoch: int) -> Iterator[NDArray[np.intp]]:
    """Indices of every batch of an epoch: a seeded order of all images; a last, smaller batch is left out."""
    key = (seed << 32) + epoch
    order = np.argsort(weights.raw_words(key, count), kind="stable")
    for start in range(0, count - batch + 1, batch):
        yield order[start : start + batch]


def evaluate(built: Built, data: ImageSet) -> dict[str, float]:
    """Mean softmax cross-entropy and accuracy (0 … 1) over all test images, in inference mode."""
    losses, hits, count = 0.0, 0, len(data.test_labels)
    for start in range(0, count, EVALUATION_BATCH):
        images = data.scaled(data.test_images[start : start + EVALUATION_BATCH])
        labels = data.test_labels[start : start + EVALUATION_BATCH]
        logits = np.asarray(built.outputs(images), np.float64)
        shifted = logits - logits.max(axis=1, keepdims=True)
        picked = shifted[np.arange(len(labels)), labels]
        losses += float((np.log(np.exp(shifted).sum(axis=1)) - picked).sum())
        hits += int((logits.argmax(axis=1) == labels).sum())
    return {"test_loss": losses / count, "test_accuracy": hits / count}
