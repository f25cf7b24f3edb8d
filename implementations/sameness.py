"""Compares any adapter with the reference: counts, values, gradients.

Every adapter is compared with the reference alone (a star, not all pairs), so each can be proven in
an environment of its own. A difference is max|a − b| / max|reference| within one tensor; a tensor
whose reference is all zero must be zero.
"""

import dataclasses
import gc
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from implementations import bounds, reference, weights
from implementations.bounds import NOTHING, Bound, Known
from implementations.network import Array, Built, Framework, Settings, Weights
from implementations.spec import INPUT, Network

CHUNK = 1 << 17
PROBE_SEED = 0
TIMED = "float32"  # the precision whose timed path is proven as well
PROBE_BATCH = 2  # one image would hide a mean taken for a sum
UNIT_SCALE = 1.0  # of a reduced precision's images: squares of the other levels' 50 overflow float16
LARGE = 10 * 10**9  # multiply-adds an image: a proof on two would take minutes
MANY = 10**7  # parameters: 80 MB in float64
LEVELS = {0: "counts", 1: "values", 2: "gradients", 3: "training", 4: "export", 5: "precision"}


@dataclass(frozen=True)
class Breach:
    """Where two networks first differ, and by how much."""

    path: str  # of an activation or a parameter; "loss" for the loss
    difference: float | None  # None: not comparable (missing, or another shape)
    bound: float
    expected: str
    got: str


@dataclass(frozen=True)
class Finding:
    """One level's outcome in one precision and mode."""

    level: int
    precision: str
    mode: str  # "inference", "training" or "timed" (the path that is timed); level 3: the optimizer
    compared: int  # tensors
    largest: float
    where: str
    breach: Breach | None

    @property
    def passed(self) -> bool:
        return self.breach is None and self.compared > 0

    def as_data(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "passed": self.passed}


@dataclass(frozen=True)
class Case:
    """What one comparison is made on: the true network, its weights, images and labels."""

    network: Network
    weights: Weights
    images: Array
    labels: Array

    @classmethod
    def on_probe(cls, network: Network, values: Weights, count: int = PROBE_BATCH) -> "Case":
        """``count`` of the proof's images and labels for ``network``; dropout off."""
        labels = weights.probe_labels(network, PROBE_SEED, count)
        images = weights.probe_images(network, PROBE_SEED, count)
        return cls(network.without_dropout(), values, images, labels)


def proof_batch(network: Network) -> int:
    """Images that levels 0 to 2 are proven on: one for networks as large as VGG16 at 224×224, else two.

    The loss, whose mean over the batch one image cannot tell from a sum, is the adapter's and not
    the network's: every smaller network proves it on two.
    """
    return 1 if is_large(network) else PROBE_BATCH


def is_large(network: Network) -> bool:
    """Whether a proof takes a minute and gigabytes."""
    return network.multiply_adds >= LARGE


def give_up_models(network: Network) -> None:
    """Free models that nothing uses but they themselves, as Keras' do, before another one is built.

    Of a network with few parameters they may stay: looking for them takes 0.15 s in Keras' processes.
    """
    if sum(parameter.size for parameter in network.parameters) >= MANY:
        gc.collect()


# --- Comparing ----------------------------------------------------------------------------


def difference(got: Array, expected: Array) -> float:
    """max|got − expected| / max|expected|; infinite for NaN, or if only ``expected`` is all zero."""
    distance = scale = 0.0
    # In pieces that fit the cache: VGG16's fc6 has 103 million elements.
    mine, theirs = got.reshape(-1), expected.reshape(-1)
    for start in range(0, theirs.size, CHUNK):
        piece = theirs[start : start + CHUNK]
        apart = np.abs(np.subtract(mine[start : start + CHUNK], piece, dtype=np.float64))
        distance = max(distance, np.inf if np.isnan(largest := apart.max()) else float(largest))
        scale = max(scale, float(np.abs(piece).max()))
    if distance == 0.0:
        return 0.0
    return distance / scale if scale > 0 and math.isfinite(distance) else math.inf


def compare(
    level: int,
    settings: Settings,
    mode: str,
    pairs: Iterable[tuple[str, Array | None, Array]],
    bound_of: Callable[[str], float],
) -> Finding:
    """The finding over (path, got, expected) in network order; the first breach is kept."""
    compared, largest, where, breach = 0, 0.0, "", None
    for path, got, expected in pairs:
        compared += 1
        if got is None or got.shape != expected.shape:
            found = Breach(path, None, bound_of(path), _shown(expected), _shown(got))
            breach = breach or found
            continue
        distance = difference(got, expected)
        if distance >= largest:
            largest, where = distance, path
        if not distance <= bound_of(path) and breach is None:
            breach = _breach(path, got, expected, distance, bound_of(path))
    return Finding(level, settings.precision, mode, compared, largest, where, breach)


def _breach(path: str, got: Array, expected: Array, distance: float, bound: float) -> Breach:
    """The breach with both values at the worst place."""
    distances = np.abs(np.asarray(got, np.float64) - expected)
    worst = np.argmax(np.where(np.isnan(distances), np.inf, distances))
    place = tuple(int(i) for i in np.unravel_index(worst, expected.shape))
    return Breach(
        path, distance, bound, f"{float(expected[place]):.9g} at {place}", f"{float(got[place]):.9g}"
    )


def _shown(array: Array | None) -> str:
    return "absent" if array is None else f"shape {array.shape}"


# --- The levels ---------------------------------------------------------------------------


def counts(case: Case, built: Built, activations: Mapping[str, Array], settings: Settings) -> Finding:
    """Level 0: every parameter's path, shape and trainable flag, no other; multiply-adds; the precision."""
    expected = {p.path: _declared(p.shape, p.trainable) for p in case.network.parameters}
    got = {path: _declared(*declared) for path, declared in built.parameters().items()}
    expected |= {_work(n.path): str(n.multiply_adds) for n in case.network.nodes if n.multiply_adds}
    got |= {_work(path): str(count) for path, count in multiply_adds(built, activations).items()}
    expected["precision"] = settings.precision
    got["precision"] = ", ".join(sorted({array.dtype.name for array in activations.values()}))
    return equal(0, settings, "training", expected, got)


def equal(
    level: int, settings: Settings, mode: str, expected: Mapping[str, str], got: Mapping[str, str]
) -> Finding:
    """The finding over facts that must be equal, none missing and none more; the first breach is kept."""
    breach = None
    for path in [*expected, *(path for path in got if path not in expected)]:
        if expected.get(path) != got.get(path):
            breach = Breach(path, None, 0.0, expected.get(path, "absent"), got.get(path, "absent"))
            break
    return Finding(level, settings.precision, mode, len(expected), 0.0, "", breach)


def _declared(shape: tuple[int, ...], trainable: bool) -> str:
    return f"shape {tuple(shape)}, {'trainable' if trainable else 'frozen'}"


def _work(path: str) -> str:
    return f"{path}.multiply_adds"


def multiply_adds(built: Built, activations: Mapping[str, Array]) -> dict[str, int]:
    """Multiply-adds of one image by layer, from the framework's own arrays and not from the specification."""
    found = {}
    for path, (shape, _) in built.parameters().items():
        layer, _, kind = path.rpartition(".")
        if kind == "weight" and len(shape) > 1 and layer in activations:
            found[layer] = math.prod(shape) * math.prod(activations[layer].shape[2:])
    return found


def values(
    case: Case,
    expected: Mapping[str, Array],
    got: Mapping[str, Array],
    settings: Settings,
    mode: str,
    bound: Bound,
) -> Finding:
    """Level 1: every named activation; ``….linear`` only where the framework shows it."""
    auxiliary = {node.path for node in case.network.nodes if node.auxiliary}

    def is_compared(path: str) -> bool:
        absent = mode == "inference" and path.removesuffix(".linear") in auxiliary
        return path != INPUT and not absent and (path in got or not path.endswith(".linear"))

    pairs = [(path, got.get(path), array) for path, array in expected.items() if is_compared(path)]
    return compare(1, settings, mode, pairs, bound)


def gradients(
    case: Case,
    activations: Mapping[str, Array],
    got: tuple[float, Mapping[str, Array]],
    settings: Settings,
    known: Known = NOTHING,
) -> Finding:
    """Level 2: the loss and every parameter's gradient, replayed on the adapter's own activations.

    In backward order: the first that differs is where the difference arises. A frozen parameter has
    no gradient.
    """
    shown = {**activations, INPUT: case.images}
    expected = reference.backward(case.network, case.weights, shown, case.labels)
    expected_loss = reference.loss(case.network, shown, case.labels)
    loss, arrays = got
    pairs: list[tuple[str, Array | None, Array]] = [("loss", np.array(loss), np.array(expected_loss))]
    trained = [p.path for p in reversed(case.network.parameters) if p.trainable]
    pairs += [(path, arrays.get(path), expected[path]) for path in trained]
    found = compare(2, settings, "training", pairs, bounds.gradients(case.network, settings, known))
    surplus = [path for path in arrays if path not in expected]
    if found.breach is None and surplus:
        breach = Breach(surplus[0], None, 0.0, "frozen: no gradient", _shown(arrays[surplus[0]]))
        return dataclasses.replace(found, breach=breach)
    return found


def prove(
    framework: Framework,
    case: Case,
    settings: Settings,
    *,
    precisions: Iterable[str] = ("float64", "float32"),
    known: Known = NOTHING,
    slip: Callable[[Case], Case] | None = None,
) -> list[Finding]:
    """Levels 0, 1 and 2 of one framework's ``case``, in each precision.

    ``known`` holds the framework's ``known_differences``. ``slip`` hands the framework another case
    than the reference: that is how mutants are made. Networks without batch norm are proven in inference
    mode in float32 alone: with dropout off, nothing tells it from training mode.
    """
    given = slip(case) if slip else case
    expected = expected_values(case)
    findings: list[Finding] = []
    for precision in precisions:
        give_up_models(case.network)
        chosen = dataclasses.replace(settings, precision=precision)
        findings += _prove_training(framework, case, given, expected["training"], chosen, known)
        if precision == TIMED or case.network.has_batch_norm:
            findings += _prove_inference(framework, case, given, expected["inference"], chosen, known)
    return sorted(findings, key=lambda finding: finding.level)


def expected_values(case: Case) -> dict[str, dict[str, Array]]:
    """The reference's activations by mode; both are one where no batch norm tells them apart."""
    training = reference.forward(case.network, case.weights, case.images, training=True)
    if not case.network.has_batch_norm:
        return {"training": training, "inference": training}
    inference = reference.forward(case.network, case.weights, case.images)
    return {"training": training, "inference": inference}


def _prove_training(
    framework: Framework,
    case: Case,
    given: Case,
    expected: Mapping[str, Array],
    settings: Settings,
    known: Known,
) -> Iterator[Finding]:
    trains = case.network.loss.kind != "none"
    replayed = case.network.has_batch_norm
    # One pass for both, where two would drift apart a thousandfold, or where no path is timed anyway.
    # A compiled pass shows no activations, and in float32 a rectifier may fall on its other side there;
    # so it may in another pass on a GPU, whose library is free to choose another algorithm.
    unsteady = settings.switches.compile or settings.device.startswith("cuda")
    at_once = trains and (replayed or settings.precision != TIMED or unsteady)
    built = framework.build(given.network, given.weights, settings, training=True)
    if at_once:
        loss, arrays, activations = built.traced(given.images, given.labels)
    else:
        activations = built.activations(given.images)
    yield counts(case, built, activations, settings)
    if replayed:  # layer by layer, on the adapter's own activations
        expected = {**expected, **reference.replay(case.network, case.weights, activations, case.images)}
    bound = bounds.values(case.network, settings, known, replayed=replayed)
    found = values(case, expected, activations, settings, "training", bound)
    yield found
    if not found.passed or not trains:  # a replay needs activations that are proven
        return
    if not at_once:
        loss, arrays = built.gradients(given.images, given.labels)
    yield gradients(case, activations, (loss, arrays), settings, known)
    if settings.switches.compile and settings.precision != TIMED:  # what was traced was not compiled
        timed = built.gradients(given.images, given.labels)
        yield dataclasses.replace(gradients(case, activations, timed, settings, known), mode="timed")


def _prove_inference(
    framework: Framework,
    case: Case,
    given: Case,
    expected: Mapping[str, Array],
    settings: Settings,
    known: Known,
) -> Iterator[Finding]:
    built = framework.build(given.network, given.weights, settings, training=False)
    bound = bounds.values(case.network, settings, known)
    yield values(case, expected, built.activations(given.images), settings, "inference", bound)
    if settings.precision == TIMED:
        head = case.network.heads[0].path
        yield compare(1, settings, "timed", [(head, built.outputs(given.images), expected[head])], bound)
