"""Loss curves that must coincide: float64, dropout off, the same weights and batches, step for step.

What is left between two frameworks is rounding, and what a training makes of it. The optimizer must have one
form everywhere (SGD, whose rate stands outside the velocity), its numbers must be exact in float32.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data.batches import Batches
from benchmarks.data.images import ImageSet
from benchmarks.recipes.recipe import Recipe
from benchmarks.recipes.tables import from_table
from benchmarks.training.stepping import Stepper
from implementations import reference, updates, weights
from implementations.network import Framework, Settings, Weights
from implementations.spec import Network
from implementations.training import FORMS, SGD

STEPS = 50
OPTIMIZER = SGD(learning_rate=2**-6, momentum=7 / 8)
FORM = next(iter(FORMS[SGD]))


def losses(
    framework: Framework,
    *,
    settings: Settings,
    recipe: dict[str, Any],
    weights_path: str,
    data_path: str,
    seed: int,
    steps: int = STEPS,
) -> list[float]:
    """The loss of each of the first ``steps``: a child's task."""
    asked, data = from_table(recipe), ImageSet.open(Path(data_path))
    network = asked.build().without_dropout()
    exact = dataclasses.replace(settings, precision="float64")
    built = framework.build(network, weights.load(Path(weights_path), network), exact, training=True)
    built.prepare_training(asked.optimizer)
    batches = batches_of(asked, data, seed)
    stepper = Stepper(built, asked.parts[0], batches, seed, network)
    return [float(stepper.make(batches.at(step), step, step)) for step in range(steps)]


def by_reference(
    recipe: Recipe, data: ImageSet, start: Weights, seed: int, steps: int = STEPS
) -> list[float]:
    """The same by the reference."""
    network: Network = recipe.build().without_dropout()
    values = {p.path: np.asarray(start[p.path], np.float64) for p in network.parameters}
    trained = [p.path for p in network.parameters if p.trainable]
    updater = updates.Updater(recipe.optimizer, FORM, trained)
    batches, found = batches_of(recipe, data, seed), []
    for step in range(steps):
        batch = batches.at(step)
        updater.rate = recipe.parts[0].rate(step, batches.steps_per_epoch, recipe.batch)
        shown = reference.forward(network, values, batch.images, training=True)
        found.append(reference.loss(network, shown, batch.labels))
        updater.apply(values, reference.backward(network, values, shown, batch.labels))
    return found


def batches_of(recipe: Recipe, data: ImageSet, seed: int) -> Batches:
    return Batches(data.train, recipe.batch, seed, recipe.preprocessing, None, data.maximum)


def apart(one: Sequence[float], other: Sequence[float]) -> float:
    """The largest difference of two curves at one step, as a share of the larger loss there."""
    return max(abs(a - b) / max(abs(a), abs(b)) for a, b in zip(one, other, strict=True))
