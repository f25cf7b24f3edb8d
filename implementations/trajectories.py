"""Level 3: weights after ten training steps, against the reference in the form that the adapter declares.

Float64, on batches that change from step to step, with a learning rate that steps down half-way.
Where a known difference stands in the way, every step of the reference starts from the framework's own
weights (docs/decisions/0006): its own gradient and optimizer state, no growing apart.
Hyper-parameters are dyadic (sums of a few powers of two), because some frameworks keep theirs in
float32. A difference is max|a − b| / max|total update| within one parameter: measured against the
weights themselves, an update would be invisible.
"""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from implementations import bounds, networks, reference, sameness, updates, weights
from implementations.bounds import NOTHING, Known
from implementations.network import Array, Framework, Settings, Weights
from implementations.sameness import PROBE_SEED, Finding
from implementations.spec import INPUT, Network
from implementations.training import (
    SGD,
    Optimizer,
    SteppedRate,
)

Values = dict[str, Array]  # by path of a parameter

STEPS = 10
POOL = 3  # images beyond one batch, so that every step sees another batch
FEW = 3
COSTLY = 10**9  # multiply-adds an image: from here on, fewer steps, of one image each
RATE_STEP = 2**-3
NARROWER = 1 / 6  # biases against the probe weights': beside wide ones a first update would be rounding
BETA2, EPSILON = 1 - 2**-10, 2**-13  # dyadic, and large enough to be seen
# Beside weights of order 1 an update must be larger than their rounding: batch norm makes gradients small.
FASTER = SGD(learning_rate=2**-4, momentum=7 / 8)
SHARED = SGD(learning_rate=2**-8, momentum=7 / 8)  # all frameworks have the same form of it


@dataclass(frozen=True)
class Trial:
    """A short training: network, starting weights, a pool of images, optimizer, the rate of each step."""

    network: Network
    start: Weights
    images: Array
    labels: Array
    optimizer: Optimizer
    rates: tuple[float, ...]
    batch: int

    @classmethod
    def on_probe(
        cls, network: Network, optimizer: Optimizer, steps: int = STEPS, values: Weights | None = None
    ) -> "Trial":
        """A trial from the probe weights (``values``, where they are at hand), brought to unit scale.

        Dropout is off, and the rate is stepped half-way.
        """
        values = weights.probe(network, PROBE_SEED) if values is None else values
        batch = 1 if network.multiply_adds >= COSTLY else sameness.PROBE_BATCH
        return cls(
            network.without_dropout(),
            _at_unit_scale(network, values),
            weights.probe_images(network, PROBE_SEED, batch + POOL, scale=1.0),
            weights.probe_labels(network, PROBE_SEED, batch + POOL),
            optimizer,
            stepped(optimizer.learning_rate, steps),
            batch,
        )

    def batches(self) -> Iterator[tuple[float, Array, Array]]:
        """(learning rate, images, labels) of each step; the pool goes round."""
        for step, rate in enumerate(self.rates):
            chosen = (step + np.arange(self.batch)) % len(self.labels)
            yield rate, self.images[chosen], self.labels[chosen]


def _at_unit_scale(network: Network, values: Weights) -> dict[str, Array]:
    """Probe weights for images of unit scale: their heads not shrunk, their biases narrow."""
    scale, heads = weights.image_scale(network), {head.path for head in network.heads}
    start = {}
    for parameter in network.parameters:
        factor = scale if parameter.path.rpartition(".")[0] in heads else 1.0
        factor *= NARROWER / scale if parameter.path.endswith(".bias") else 1.0
        value = values[parameter.path]
        start[parameter.path] = value if factor == 1.0 else value * np.float32(factor)
    return start


def stepped(rate: float, steps: int, factor: float = RATE_STEP) -> tuple[float, ...]:
    """``rate`` for the first half of the steps, times ``factor`` for the rest."""
    schedule = SteppedRate(rate, factor, every=(steps + 1) // 2, unit="step")
    return tuple(schedule.rate(step) for step in range(steps))


def small_network() -> Network:
    """The MLP on 8x8 images: what optimizers alone are proven on."""
    return networks.build("mlp", input_size=(8, 8))


# --- Running ------------------------------------------------------------------------------


@dataclass
class Own:
    """What the framework itself had before a step: a replay goes on from here."""

    weights: dict[str, Array] = field(default_factory=dict)
    gradients: dict[str, Array] = field(default_factory=dict)  # with batch norm only
    activations: dict[str, Array] = field(default_factory=dict)


def by_reference(
    trial: Trial, form: str, own: Own | None = None, *, unbiased: bool = False
) -> Iterator[dict[str, Array]]:
    """All parameters after each step, float64, by the reference and one form of the optimizer.

    Where ``own`` is given, each step starts from what it then holds: a replay. ``unbiased``: of batch
    norm's running variance.
    """
    network = trial.network
    values = {p.path: np.asarray(trial.start[p.path], np.float64) for p in network.parameters}
    updater = updates.Updater(trial.optimizer, form, [p.path for p in network.parameters if p.trainable])
    for rate, images, labels in trial.batches():
        updater.rate = rate
        values |= own.weights if own else {}
        if own and own.gradients:
            shown, gradients = {**own.activations, INPUT: images}, own.gradients
        else:
            shown = reference.forward(network, values, images, training=True)
            gradients = reference.backward(network, values, shown, labels)
        statistics = reference.running_statistics(network, values, shown, unbiased=unbiased)
        updater.apply(values, gradients)
        values.update(statistics)
        del shown, gradients  # not held while the weights are compared: gigabytes, in a large network
        yield dict(values)


def by_framework(
    framework: Framework, trial: Trial, settings: Settings, own: Own | None = None
) -> Iterator[dict[str, Array]]:
    """All parameters after each step, on the path that is timed; ``UserError`` for a decay not offered.

    With batch norm, ``own`` is handed the gradients that each step is about to use.
    """
    built = framework.build(trial.network, trial.start, settings, training=True)
    built.prepare_training(trial.optimizer)
    for rate, images, labels in trial.batches():
        built.set_learning_rate(rate)
        if own and trial.network.has_batch_norm:
            before = built.weights()
            _, own.gradients, own.activations = built.traced(images, labels)
            built.load(before)  # a pass in training mode has moved the running statistics
        built.train_step(built.put(images, labels))
        yield built.weights()


def followed(
    trial: Trial,
    steps: Iterable[tuple[Values, Values]],
    own: Own | None,
    settings: Settings,
    bound: float,
) -> Finding:
    """The finding about pairs of (expected, got) after each step: the first that differs, or the worst.

    The first step on which anything differs tells where the difference arises: later all differs.
    ``own`` is given the weights that were got last; nothing else is held while a step is taken.
    """
    worst, numbers = compared(trial, {}, {}, settings, bound), itertools.count(1)
    for expected, got in steps:
        number = next(numbers)
        if own:
            own.weights = got
        finding = compared(trial, expected, got, settings, bound)
        del expected, got
        if finding.breach:
            told = f"an update of {finding.breach.expected} after step {number}"
            breach = dataclasses.replace(finding.breach, expected=told)
            return dataclasses.replace(finding, breach=breach)
        worst = max(worst, finding, key=lambda one: (one.compared, one.largest))
    return worst


def compared(
    trial: Trial, expected: Mapping[str, Array], got: Mapping[str, Array], settings: Settings, bound: float
) -> Finding:
    """The finding about total updates so far, parameter by parameter in network order."""

    def pairs() -> Iterator[tuple[str, Array | None, Array]]:
        for path, after in expected.items():
            start = trial.start[path]  # float32, so exact in float64
            yield path, got[path] - start if path in got else None, after - start

    name = type(trial.optimizer).__name__
    return sameness.compare(3, settings, name, pairs(), lambda path: bound)


def prove(framework: Framework, trial: Trial, settings: Settings, *, known: Known = NOTHING) -> Finding:
    """Level 3 of ``trial`` in ``framework``, in float64, in the form that its adapter declares.

    ``known`` holds the framework's ``bounds.known_differences``.
    """
    method = type(trial.optimizer)
    return prove_handed(framework, trial, trial, framework.forms()[method], settings, known)


def prove_handed(
    framework: Framework,
    trial: Trial,
    handed: Trial,
    form: str,
    settings: Settings,
    known: Known,
) -> Finding:
    """The framework runs ``handed``, the reference ``trial``: unlike only where a slip is made."""
    exact = dataclasses.replace(settings, precision="float64")
    bound = bounds.training(trial.network, type(trial.optimizer).__name__, known)
    # A known difference of 1e-8 flips a mask in some later step, and correct weights part by 1e-3. Batch
    # norm over a few values magnifies rounding: there the gradients, proven at level 2, are borrowed too.
    replayed = bound > bounds.BOUNDS[3, "float64"] or trial.network.has_batch_norm
    own = Own() if replayed else None
    unbiased = framework.running_variance(settings.device) == "unbiased"
    theirs = by_framework(framework, handed, exact, own)
    ours = by_reference(trial, form, own, unbiased=unbiased)
    return followed(trial, in_step(ours, theirs), own, exact, bound)


def in_step(ours: Iterator[Values], theirs: Iterator[Values]) -> Iterator[tuple[Values, Values]]:
    """Pairs (expected, got) after each step; theirs steps first, and ours must have as many.

    Unlike zip, it holds no pair while the next is made: of a large network they are gigabytes.
    """
    for got in theirs:
        yield next(ours), got
        del got
    if next(ours, None) is not None:
        raise ValueError("the reference takes more steps")


def prove_network(
    framework: Framework,
    network: Network,
    values: Weights,
    settings: Settings,
    *,
    known: Known = NOTHING,
) -> Finding:
    """Level 3 as it stands in a certificate: SGD with momentum; fewer steps for costly networks.

    ``values`` are the network's probe weights. Three steps are the fewest in which a stepped rate meets
    a velocity; every network takes all ten at reduced size (``check --reduced``).
    """
    few = 1 if sameness.is_large(network) else FEW
    steps = few if network.multiply_adds >= COSTLY else STEPS
    optimizer = FASTER if network.has_batch_norm else SHARED
    return prove(framework, Trial.on_probe(network, optimizer, steps, values), settings, known=known)
