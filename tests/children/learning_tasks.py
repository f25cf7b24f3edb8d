"""Tasks about trainings that only tests ask of a child: each runs with one framework loaded."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from implementations import networks, reference, training, weights
from implementations.network import Settings

STEPS, BATCH = 3, 4
LATER_RATE = 2**-7


def heads(framework: Any, *, settings: Settings) -> dict[str, float]:
    """The largest difference of each head's logits from the reference's, by a network built for training."""
    network = networks.build("probe")
    values, images = weights.probe(network, 0), weights.probe_images(network, 0, BATCH)
    built = framework.build(network, values, settings, training=True)
    expected = reference.forward(network.without_dropout(), values, images)
    found = built.head_outputs(images)
    return {
        head.name: float(
            np.abs(found[head.name] - expected[head.path]).max() / np.abs(expected[head.path]).max()
        )
        for head in network.heads
    }


def kept_after_evaluations(framework: Any, *, settings: Settings) -> int:
    """How many arrays an engine that computes later still holds when evaluations have ended; 0 for others."""
    network = networks.build("probe")
    built = framework.build(network, weights.probe(network, 0), settings, training=True)
    for number in range(3):
        built.head_outputs(weights.probe_images(network, number, BATCH))
        built.outputs(weights.probe_images(network, number, BATCH))
    return len(getattr(getattr(built, "engine", None), "pending", ()))


def seeded_steps(framework: Any, *, settings: Settings) -> dict[str, bool]:
    """Which ways to a step give its bits: the seeds before it, and an evaluation in between."""
    network = networks.build("probe")
    values = weights.probe(network, 0)
    built = framework.build(network, values, settings, training=True)
    built.prepare_training(training.SGD(2**-10, momentum=7 / 8))
    untouched = built.optimizer_state()

    def stepped(*seeds: int, evaluates: bool = False) -> dict[str, Any]:
        built.load(values)
        built.restore_optimizer(untouched)
        for seed in seeds:
            built.seed(seed)
        if evaluates:
            built.head_outputs(weights.probe_images(network, 1, BATCH))
        _step(built, network, 0)
        return _copied(built.weights())

    first = stepped(1)
    return {
        "again": _same(first, stepped(1)),
        "another seed": _same(first, stepped(2)),
        "the last seed": _same(first, stepped(2, 1)),
        "evaluated before": _same(first, stepped(1, evaluates=True)),
    }


def goes_on(framework: Any, *, settings: Settings, method: str, options: dict[str, Any]) -> dict[str, Any]:
    """Steps in one go against steps in a network built anew, which starts from state and weights half-way.

    The rate falls at the border, and dropout is on. What no state gives is told beside: other weights.
    """
    network = networks.build("probe")
    optimizer = getattr(training, method)(**options)
    first = framework.build(network, weights.probe(network, 0), settings, training=True)
    first.prepare_training(optimizer)
    for step in range(STEPS):
        _seeded_step(first, network, step)
    middle, state = _copied(first.weights()), _copied(first.optimizer_state())
    expected = _second_half(first, network)
    resumed = framework.build(network, middle, settings, training=True)
    resumed.prepare_training(optimizer)
    untouched = _copied(resumed.optimizer_state())

    def second_half(start: dict[str, Any]) -> dict[str, Any]:
        resumed.load(middle)
        resumed.restore_optimizer(start)
        resumed.set_learning_rate(optimizer.learning_rate)
        return _second_half(resumed, network)

    return {
        "same": _same(expected, second_half(state)),
        "same again": _same(expected, second_half(state)),
        "same without state": _same(expected, second_half(untouched)),
        "arrays": len(state),
    }


def losses_of_activations(framework: Any, *, settings: Settings) -> dict[str, float]:
    """The largest gradient difference from the reference in float64, by activation."""
    exact = dataclasses.replace(settings, precision="float64")
    found = {}
    for activation in ("sigmoid", "tanh", "elu"):
        network = networks.build("mlp", input_size=(6, 6), activation=activation)
        values = weights.probe(network, 0)
        images, labels = weights.probe_images(network, 0, BATCH), weights.probe_labels(network, 0, BATCH)
        built = framework.build(network, values, exact, training=True)
        _, gradients = built.gradients(images, labels)
        shown = reference.forward(network, values, images)
        expected = reference.backward(network, values, shown, labels)
        found[activation] = max(
            float(np.abs(gradients[path] - expected[path]).max() / np.abs(expected[path]).max())
            for path in expected
        )
    return found


def picked_batches(framework: Any, *, settings: Settings) -> dict[str, bool]:
    """Whether images that the device keeps give the batches, and the step, of images that are put there."""
    found = {}
    network = networks.build("probe")
    channels, height, width = network.input_shape
    draws = np.random.default_rng(0)
    for precision in ("float32", "float64"):
        chosen = dataclasses.replace(settings, precision=precision)
        built = framework.build(network.without_dropout(), weights.probe(network, 0), chosen, training=True)
        pixels = draws.integers(0, 256, (9, channels, height, width)).astype(np.uint8)
        table = draws.normal(size=(channels, 256)).astype(np.float32)
        kept, indices = built.keep(pixels, table), np.array([7, 0, 7, 3])
        images = table[np.arange(channels)[:, None, None], pixels[indices]]
        labels = weights.probe_labels(network, 0, len(indices))
        batches = built.put(images, labels), built.picked(kept, indices, labels)
        found[f"{precision}: images"] = np.array_equal(*(built.read(batch.images) for batch in batches))
        found[f"{precision}: pixels differ"] = not np.array_equal(images[0], images[1])
        steps = []
        for batch in batches:
            built.load(weights.probe(network, 0))
            built.prepare_training(training.SGD(2**-10))
            loss = float(built.read(built.train_step(batch)))
            steps.append({"loss": np.array(loss), **_copied(built.weights())})
        found[f"{precision}: step"] = _same(*steps)
    return found


def _second_half(built: Any, network: Any) -> dict[str, Any]:
    built.set_learning_rate(LATER_RATE)
    for step in range(STEPS, 2 * STEPS):
        _seeded_step(built, network, step)
    return _copied(built.weights())


def _seeded_step(built: Any, network: Any, step: int) -> None:
    built.seed(100 + step)
    _step(built, network, step)


def _step(built: Any, network: Any, step: int) -> None:
    images = weights.probe_images(network, step, BATCH, scale=1.0)
    built.train_step(built.put(images, weights.probe_labels(network, step, BATCH)))


def _copied(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: array.copy() for name, array in arrays.items()}


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(np.array_equal(one[path], other[path]) for path in one)


def everything(framework: Any, *, settings: Settings, methods: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """All of the above, in one process: starting it takes longer."""
    return {
        "heads": heads(framework, settings=settings),
        "kept": kept_after_evaluations(framework, settings=settings),
        "steps": seeded_steps(framework, settings=settings),
        "picked": picked_batches(framework, settings=settings),
        "activations": losses_of_activations(framework, settings=settings),
        "goes on": {
            method: goes_on(framework, settings=settings, method=method, options=options)
            for method, options in methods.items()
        },
    }


def evaluated(
    framework: Any, *, settings: Settings, network: dict[str, Any], files: dict[str, str]
) -> dict[str, float]:
    """The largest difference of logits from the reference's on each of the trained weight files."""
    specification = networks.build(**{**network, "input_size": tuple(network["input_size"])})
    images = weights.probe_images(specification, 0, BATCH, scale=1.0)
    found, built = {}, None
    for trainer, path in files.items():
        values = {key: np.array(value) for key, value in weights.load(Path(path), specification).items()}
        if built is None:
            built = framework.build(specification, values, settings, training=True)
        built.load(values)
        expected = reference.forward(specification.without_dropout(), values, images)["logits"]
        found[trainer] = float(np.abs(built.outputs(images) - expected).max() / np.abs(expected).max())
    return found
