"""Level 3: weights after ten training steps, against the reference in the form that the adapter declares.

Float64, on batches that change from step to step, with a learning rate that steps down half-way.
Where a known difference stands in the way, every step of the reference starts from the framework's own
weights (docs/decisions/0006): its own gradient and optimizer state, no growing apart.
Hyper-parameters are dyadic (sums of a few powers of two), because some frameworks keep theirs in
float32. A difference is max|a − b| / max|total update| within one parameter: measured against the
weights themselves, an update would be invisible.
"""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from implementations import networks, reference, sameness, updates, weights
from implementations.network import Array, Framework, Settings, Weights
from implementations.sameness import PROBE_SEED, Finding
from implementations.spec import Network
from implementations.training import (
    SGD,
    Optimizer,
    SteppedRate,
)

STEPS = 10
POOL = 3  # images beyond one batch, so that every step sees another batch
COSTLY = 10**8  # multiply-adds an image: from here on, one image a step
RATE_STEP = 2**-3
NARROWER = 1 / 6  # biases against the probe weights': beside wide ones a first update would be rounding
BETA2, EPSILON = 1 - 2**-10, 2**-13  # dyadic, and large enough to be seen
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
        factor *= NARROWER / scale if len(parameter.shape) == 1 else 1.0
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


def by_reference(
    trial: Trial, form: str, latest: Mapping[str, Array] | None = None
) -> Iterator[dict[str, Array]]:
    """All parameters after each step, float64, by the reference and one form of the optimizer.

    Where ``latest`` is given, each step starts from what it then holds: a replay.
    """
    network = trial.network
    values = {p.path: np.asarray(trial.start[p.path], np.float64) for p in network.parameters}
    updater = updates.Updater(trial.optimizer, form, [p.path for p in network.parameters if p.trainable])
    for rate, images, labels in trial.batches():
        updater.rate = rate
        values |= latest or {}
        shown = reference.forward(network, values, images)
        updater.apply(values, reference.backward(network, values, shown, labels))
        yield dict(values)


def by_framework(framework: Framework, trial: Trial, settings: Settings) -> Iterator[dict[str, Array]]:
    """All parameters after each step, on the path that is timed; ``UserError`` for a decay not offered."""
    built = framework.build(trial.network, trial.start, settings, training=True)
    built.prepare_training(trial.optimizer)
    for rate, images, labels in trial.batches():
        built.set_learning_rate(rate)
        built.train_step(built.put(images, labels))
        yield built.weights()


def followed(
    trial: Trial,
    steps: Iterable[tuple[Mapping[str, Array], Mapping[str, Array]]],
    latest: dict[str, Array],
    settings: Settings,
    bound: float,
) -> Finding:
    """The finding about pairs of (expected, got) after each step: the first that differs, or the worst.

    The first step on which anything differs tells where the difference arises: later all differs.
    ``latest`` always holds what was got last.
    """
    worst = compared(trial, {}, {}, settings, bound)
    for number, (expected, got) in enumerate(steps, start=1):
        latest |= got
        finding = compared(trial, expected, got, settings, bound)
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


def prove(framework: Framework, trial: Trial, settings: Settings, *, known: Collection[str] = ()) -> Finding:
    """Level 3 of ``trial`` in ``framework``, in float64, in the form that its adapter declares.

    ``known`` holds the framework's ``sameness.known_differences``.
    """
    method = type(trial.optimizer)
    return prove_handed(framework, trial, trial, framework.forms()[method], settings, known)


def prove_handed(
    framework: Framework,
    trial: Trial,
    handed: Trial,
    form: str,
    settings: Settings,
    known: Collection[str],
) -> Finding:
    """The framework runs ``handed``, the reference ``trial``: unlike only where a slip is made."""
    exact = dataclasses.replace(settings, precision="float64")
    bound = sameness.training_bound(trial.network, type(trial.optimizer).__name__, known)
    latest: dict[str, Array] = {}
    # A known difference of 1e-8 flips a mask in some later step, and correct weights part by 1e-3.
    replayed = bound > sameness.BOUNDS[3, "float64"]
    theirs = by_framework(framework, handed, exact)
    ours = by_reference(trial, form, latest if replayed else None)
    return followed(trial, zip(ours, theirs, strict=True), latest, exact, bound)


def prove_network(
    framework: Framework,
    network: Network,
    values: Weights,
    settings: Settings,
    *,
    known: Collection[str] = (),
) -> Finding:
    """Level 3 as it stands in a certificate: SGD with momentum; one step for networks as large as VGG16.

    ``values`` are the network's probe weights.
    """
    steps = 1 if sameness.proof_batch(network) == 1 else STEPS
    return prove(framework, Trial.on_probe(network, SHARED, steps, values), settings, known=known)
