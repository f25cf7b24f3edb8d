"""The child's side of training: the same weights, the same batches in the same order, every framework."""

import math
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import recipes
from benchmarks.data.batches import Batches, inorder
from benchmarks.data.images import ImageSet
from benchmarks.data.prefetch import prefetched
from benchmarks.data.preprocessing import Preprocessing
from benchmarks.measure import CLOCK
from implementations import networks, weights
from implementations.network import Built, Framework, Settings

EVALUATION_BATCH = 1000


def fit(
    framework: Framework, *, settings: Settings, recipe: str, weights_path: str, data_path: str, seed: int
) -> dict[str, Any]:
    """Loss and test accuracy before training and after every epoch: a child's task."""
    chosen, data = recipes.find(recipe), ImageSet.open(Path(data_path))
    network = networks.build(chosen.network)
    values = weights.load(Path(weights_path), network)
    built = framework.build(network, values, settings, training=True)
    built.prepare_training(chosen.optimizer)
    batches = Batches(data.train, chosen.batch, seed, maximum=data.maximum)
    epochs = []
    initial = evaluate(built, data)
    for epoch in range(1, chosen.epochs + 1):
        start = CLOCK()
        loss = _run_epoch(built, batches, epoch)
        seconds = CLOCK() - start
        epochs.append({"epoch": epoch, "train_loss": loss, "seconds": seconds, **evaluate(built, data)})
    return {
        "versions": framework.versions(),
        "digest": network.digest,
        "optimizer": repr(chosen.optimizer),
        "steps_per_epoch": batches.steps_per_epoch,
        "initial": initial,
        "epochs": epochs,
    }


def _run_epoch(built: Built, batches: Batches, epoch: int) -> float:
    """One pass over the training images, epochs counted from 1; returns the mean loss of its steps."""
    steps = batches.steps_per_epoch
    with prefetched(batches, (epoch - 1) * steps, epoch * steps) as made:
        losses = [built.train_step(built.put(batch.images, batch.labels)) for batch in made]
    mean = statistics.fmean(float(loss) for loss in losses)
    if not math.isfinite(mean):
        raise ArithmeticError(f"the loss became {mean} in epoch {epoch}: this training diverged")
    return mean


def evaluate(built: Built, data: ImageSet) -> dict[str, float]:
    """Mean softmax cross-entropy and accuracy (0 … 1) over all test images, in inference mode."""
    losses, hits, count = 0.0, 0, len(data.test)
    for batch in inorder(data.test, EVALUATION_BATCH, Preprocessing(), data.maximum):
        logits = np.asarray(built.outputs(batch.images), np.float64)
        shifted = logits - logits.max(axis=1, keepdims=True)
        picked = shifted[np.arange(len(batch)), batch.labels]
        losses += float((np.log(np.exp(shifted).sum(axis=1)) - picked).sum())
        hits += int((logits.argmax(axis=1) == batch.labels).sum())
    return {"test_loss": losses / count, "test_accuracy": hits / count}
