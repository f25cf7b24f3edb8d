"""What only training shows: running statistics, dropout, and the values that a training starts from.

Part of level 3. Dropout is random in every framework its own way, so its masks are tested as draws:
their share, their scale, and that no draw repeats another.
"""

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from implementations import bounds, reference, sameness, weights
from implementations.bounds import NOTHING, Known
from implementations.network import Array, Framework, Settings, Weights
from implementations.sameness import PROBE_SEED, Breach, Case, Finding
from implementations.spec import INPUT, BatchNorm, Dense, Dropout, Flatten, Network
from implementations.training import SGD

DROPOUT_SHAPE = (4, 16, 16)
DROPOUT_IMAGES = 64  # 65,536 draws: a share that is off by 0.01 is 5 standard deviations away
DEVIATIONS = 5.0  # one honest run in 1.7 million is refused
SCALE_BOUND = 1e-6  # float32

Slip = Callable[[Case], Case] | None


def prove(
    framework: Framework,
    case: Case,
    settings: Settings,
    *,
    known: Known = NOTHING,
    slip: Slip = None,
) -> list[Finding]:
    """The findings that apply to ``case``, whose network still has its dropout.

    ``known`` holds the framework's ``bounds.known_differences``.
    """
    given = slip(case) if slip else case
    findings = [initial_values(framework, case, given, settings)]
    if has_statistics(case.network):
        precise = dataclasses.replace(settings, precision="float64")
        findings.append(running_statistics(framework, case, given, precise, known))
    if rates(case.network):
        findings.append(dropout(framework, case, given, settings))
    return findings


def has_statistics(network: Network) -> bool:
    return any(isinstance(n.layer, BatchNorm) and not n.layer.frozen for n in network.nodes)


def rates(network: Network) -> list[float]:
    """Dropout rates in the order of the layers, without repetition."""
    found = (node.layer.rate for node in network.nodes if isinstance(node.layer, Dropout))
    return list(dict.fromkeys(rate for rate in found if rate > 0))


# --- Initial values -----------------------------------------------------------------------


class Initial(Mapping[str, Array]):
    """Starting weights of a network, drawn when they are asked for: VGG16's are 553 MB."""

    def __init__(self, network: Network, seed: int) -> None:
        self._parameters = {parameter.path: parameter for parameter in network.parameters}
        self._seed = seed

    def __getitem__(self, path: str) -> Array:
        return weights.initial_value(self._parameters[path], self._seed)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)


def initial_values(framework: Framework, case: Case, given: Case, settings: Settings) -> Finding:
    """What a training starts from, as the framework holds it: bit for bit the initialisers' values."""
    start: Weights = Initial(given.network, PROBE_SEED)
    held = framework.build(given.network, start, settings, training=True).weights()
    pairs = (
        (p.path, held.get(p.path), weights.initial_value(p, PROBE_SEED)) for p in case.network.parameters
    )
    return sameness.compare(3, settings, "initial", pairs, lambda path: 0.0)


# --- Running statistics -------------------------------------------------------------------


def running_statistics(
    framework: Framework, case: Case, given: Case, settings: Settings, known: Known
) -> Finding:
    """Running mean and variance after one training step that changes no weight."""
    built = framework.build(given.network, given.weights, settings, training=True)
    shown = {**built.activations(given.images), INPUT: case.images}
    built.load(given.weights)  # a forward pass in training mode has moved the statistics
    built.prepare_training(SGD(learning_rate=0.0, momentum=0.0))
    built.train_step(built.put(given.images, given.labels))
    unbiased = framework.running_variance(settings.device) == "unbiased"
    expected = reference.running_statistics(case.network, case.weights, shown, unbiased=unbiased)
    held, bound = built.weights(), bounds.statistics(known)
    pairs = ((path, held.get(path), value) for path, value in expected.items())
    return sameness.compare(3, settings, "statistics", pairs, lambda path: bound)


# --- Dropout ------------------------------------------------------------------------------


def dropout(framework: Framework, case: Case, given: Case, settings: Settings) -> Finding:
    """Every rate of the network on a layer of its own; the first property that fails is the breach."""
    breach = None
    # A slip that takes the dropout away leaves a rate of 0.
    for rate, built_rate in itertools.zip_longest(rates(case.network), rates(given.network), fillvalue=0.0):
        breach = breach or _dropout_breach(framework, rate, built_rate, settings)
    return Finding(3, settings.precision, "dropout", len(rates(case.network)), 0.0, "", breach)


def _dropout_breach(
    framework: Framework, rate: float, built_rate: float, settings: Settings
) -> Breach | None:
    layers = (Flatten("flatten"), Dropout("dropout", built_rate), Dense("logits", 2))
    network = Network("dropout", DROPOUT_SHAPE, 2, layers)
    values = weights.probe(network, PROBE_SEED)
    images = 1 + weights.uniform(PROBE_SEED, (DROPOUT_IMAGES, *DROPOUT_SHAPE), 0.5)
    inputs = images.reshape(len(images), -1)
    training = framework.build(network, values, settings, training=True)
    draws = [training.activations(images)["dropout"] for _ in range(2)]
    inference = framework.build(network, values, settings, training=False)
    for property_, expected, got, passed in dropout_properties(
        rate, inputs, draws, inference.activations(images)["dropout"]
    ):
        if not passed:
            return Breach(f"dropout {rate:g}: {property_}", None, DEVIATIONS, expected, got)
    return None


def dropout_properties(
    rate: float, inputs: Array, draws: list[Array], inference: Array
) -> Iterator[tuple[str, str, str, bool]]:
    """(property, expected, got, whether it holds) of two draws on the same ``inputs`` (batch, features)."""
    kept = [draw != 0 for draw in draws]
    share = float(1 - np.mean(kept))
    yield _share("share dropped", rate, share, 2 * inputs.size)
    scale = float(np.mean((draws[0] / inputs)[kept[0]], dtype=np.float64)) if kept[0].any() else math.nan
    right = abs(scale * (1 - rate) - 1) < SCALE_BOUND
    yield "scale of what is kept", f"{1 / (1 - rate):.7g}", f"{scale:.7g}", right
    # Two independent masks agree where both keep or both drop.
    agreement = rate**2 + (1 - rate) ** 2
    pairs = {
        "agreement of two calls": (kept[0], kept[1]),
        "agreement of neighbouring images": (kept[0][1::2], kept[0][::2]),
        "agreement of neighbouring features": (kept[0][:, 1::2], kept[0][:, ::2]),
    }
    for name, (one, other) in pairs.items():
        yield _share(name, agreement, float(np.mean(one == other)), one.size)
    yield "identity at inference", "its input", "something else", bool(np.array_equal(inference, inputs))


def _share(name: str, expected: float, got: float, count: int) -> tuple[str, str, str, bool]:
    """A share of ``count`` draws, within ``DEVIATIONS`` of its binomial standard deviation."""
    deviation = math.sqrt(expected * (1 - expected) / count)
    return name, f"{expected:.4f}", f"{got:.4f}", abs(got - expected) <= DEVIATIONS * deviation
