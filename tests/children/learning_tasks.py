"""Tasks about trainings that only tests ask of a child: each runs with one framework loaded."""

import dataclasses
from typing import Any

import numpy as np

from implementations import networks, reference, training, weights
from implementations.network import Settings

STEPS, BATCH = 3, 4
RATES = (2**-6, 2**-7)


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


def heads_leave_training_alone(framework: Any, *, settings: Settings) -> bool:
    """Whether a step after an evaluation is the step without one, bit for bit: also its dropout."""
    network = networks.build("probe")
    values, found = weights.probe(network, 0), []
    for evaluates in (False, True):
        built = framework.build(network, values, settings, training=True)
        built.prepare_training(training.SGD(2**-10, momentum=7 / 8))
        built.seed(5)
        if evaluates:
            built.head_outputs(weights.probe_images(network, 1, BATCH))
        _step(built, network, 0)
        found.append(built.weights())
    return _same(*found)


def goes_on(framework: Any, *, settings: Settings, method: str, options: dict[str, Any]) -> dict[str, Any]:
    """Steps in one go against steps in a network built anew, which starts from state and weights half-way.

    The rate falls at the border, and dropout is on. Another seed and no state are told beside: they must
    give other weights.
    """
    network = networks.build("probe")
    optimizer = getattr(training, method)(**options)
    values = weights.probe(network, 0)
    first = framework.build(network, values, settings, training=True)
    first.prepare_training(optimizer)
    for step in range(STEPS):
        _seeded_step(first, network, step)
    middle = {path: array.copy() for path, array in first.weights().items()}
    state = {name: array.copy() for name, array in first.optimizer_state().items()}
    expected = _second_half(first, network)
    resumed = framework.build(network, middle, settings, training=True)
    resumed.prepare_training(optimizer)
    resumed.restore_optimizer(state)
    resumed.set_learning_rate(RATES[0])
    found = _second_half(resumed, network)
    resumed.load(middle)
    resumed.restore_optimizer(state)
    resumed.set_learning_rate(RATES[0])
    again = _second_half(resumed, network)
    other = framework.build(network, middle, settings, training=True)
    other.prepare_training(optimizer)
    forgetful = _second_half(other, network)
    return {
        "same": _same(expected, found),
        "same in place": _same(expected, again),
        "same without state": _same(expected, forgetful),
        "arrays": len(state),
    }


def draws(framework: Any, *, settings: Settings) -> dict[str, bool]:
    """Whether equal seeds give equal steps, and unlike ones unlike steps; and as many without any seed."""
    network = networks.build("probe")
    values = weights.probe(network, 0)
    built = framework.build(network, values, settings, training=True)

    def stepped(*seeds: int) -> dict[str, Any]:
        built.load(values)
        built.prepare_training(training.SGD(2**-10))
        for seed in seeds:
            built.seed(seed)
        _step(built, network, 0)
        return {path: array.copy() for path, array in built.weights().items()}

    first = stepped(1)
    return {
        "again": _same(first, stepped(1)),
        "other": _same(first, stepped(2)),
        "last": _same(first, stepped(2, 1)),
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


def _second_half(built: Any, network: Any) -> dict[str, Any]:
    built.set_learning_rate(RATES[1])
    for step in range(STEPS, 2 * STEPS):
        _seeded_step(built, network, step)
    return {path: array.copy() for path, array in built.weights().items()}


def _seeded_step(built: Any, network: Any, step: int) -> None:
    built.seed(100 + step)
    _step(built, network, step)


def _step(built: Any, network: Any, step: int) -> None:
    images = weights.probe_images(network, step, BATCH, scale=1.0)
    built.train_step(built.put(images, weights.probe_labels(network, step, BATCH)))


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(np.array_equal(one[path], other[path]) for path in one)


def everything(framework: Any, *, settings: Settings, methods: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """All of the above, in one process: starting it takes longer."""
    return {
        "heads": heads(framework, settings=settings),
        "left alone": heads_leave_training_alone(framework, settings=settings),
        "draws": draws(framework, settings=settings),
        "activations": losses_of_activations(framework, settings=settings),
        "goes on": {
            method: goes_on(framework, settings=settings, method=method, options=options)
            for method, options in methods.items()
        },
    }
