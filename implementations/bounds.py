"""How far apart is still the same: the bound of every level, precision and parameter.

A bound is max|a − b| / max|reference| within one tensor. It is wider only where a framework keeps a
constant in float32 inside float64, as ``known_differences.txt`` lists with the reason.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from implementations.network import Settings, plain
from implementations.spec import Concat, Dense, Network

KNOWN_DIFFERENCES = Path(__file__).with_name("known_differences.txt")
PLACES = ("backward", "forward", "update")

# By (level, precision), from the figures of prototypes: float64 agreed to 6e-15, float32 values to
# 5e-6, float32 gradients on the adapter's own activations to 7e-6, exports to 3e-6.
BOUNDS = {
    (1, "float64"): 1e-12,
    (1, "float32"): 1e-5,
    (2, "float64"): 1e-12,
    (2, "float32"): 3e-5,
    (3, "float64"): 1e-12,
    (4, "float32"): 1e-5,
}
KNOWN_FLOAT32_CONSTANT = 1e-6  # in float64
DENSE_FLOAT32 = 2e-5  # long sums: VGG16's fc6 adds 25,088 products
CUDA_FLOAT32 = 1e-4  # TF32 off

# Machine epsilon: the distance from 1 to the next number. TF32 has float16's ten bits of fraction.
UNITS = {"tf32": 2.0**-10, "bfloat16": 2.0**-7, "float16": 2.0**-10}
UNITS_APART = 8  # at most, of the largest logit
GRADIENT_UNITS_APART = 32  # of the largest in its tensor: biases sum many; 17 were seen, a wrong sign is 256
UNITS_NEAR = 1 / 64  # at least: what is nearer was computed in float32 and not in what was asked for

Bound = Callable[[str], float]
Known = Mapping[str, str]  # layer type or optimizer → where its float32 constant enters, one of PLACES
NOTHING: Known = {}


def values(network: Network, settings: Settings, known: Known = NOTHING, *, replayed: bool = False) -> Bound:
    """Level 1, by path: wider for dense layers in float32, and in float64 from a known layer on.

    ``replayed``: every layer was compared on the adapter's own inputs, so a known one touches no other.
    """
    if _is_cuda_float32(settings):
        return lambda path: CUDA_FLOAT32
    base = BOUNDS[1, settings.precision]
    if settings.precision == "float32":
        dense = _dense(network)
        return lambda path: DENSE_FLOAT32 if path.removesuffix(".linear") in dense else base
    forward = _entering(known, "forward")
    touched = _of_type(network, forward) if replayed else paths_from(network, forward)
    return lambda path: KNOWN_FLOAT32_CONSTANT if path.removesuffix(".linear") in touched else base


def gradients(network: Network, settings: Settings, known: Known = NOTHING) -> Bound:
    """Level 2, by parameter: wider in float64 before a known layer, and in one known forward."""
    if _is_cuda_float32(settings):
        return lambda path: CUDA_FLOAT32
    if settings.precision in UNITS:
        return lambda path: GRADIENT_UNITS_APART * UNITS[settings.precision]
    base = BOUNDS[2, settings.precision]
    if settings.precision == "float32":
        return lambda path: base
    affected = paths_before(network, known) | _of_type(network, _entering(known, "forward"))
    return lambda path: KNOWN_FLOAT32_CONSTANT if path.rpartition(".")[0] in affected else base


def exported(settings: Settings) -> float:
    """Level 4: the main logits of an exported file."""
    return CUDA_FLOAT32 if _is_cuda_float32(settings) else BOUNDS[4, settings.precision]


def training(network: Network, optimizer: str, known: Known = NOTHING) -> float:
    """Level 3, float64: wider if ``known`` names a layer type of the network, or the optimizer.

    For every parameter: what one step makes of such a layer's gradient, the next spreads everywhere.
    """
    present = {type(node.layer).__name__ for node in network.nodes} | {optimizer}
    return KNOWN_FLOAT32_CONSTANT if present.intersection(known) else BOUNDS[3, "float64"]


def reduced(precision: str) -> tuple[float, float]:
    """Level 5: how near and how far the logits of a reduced precision may be."""
    return UNITS_NEAR * UNITS[precision], UNITS_APART * UNITS[precision]


def statistics(known: Known = NOTHING) -> float:
    """Level 3, float64, of batch norm's running statistics."""
    return KNOWN_FLOAT32_CONSTANT if "BatchNorm" in known else BOUNDS[3, "float64"]


def known_differences(framework: str) -> Known:
    """Layer types and optimizers in which ``framework`` keeps a float32 constant inside float64."""
    lines = KNOWN_DIFFERENCES.read_text(encoding="utf-8").splitlines()
    rows = (line.split() for line in lines if line and not line.startswith("#"))
    return {kind: place for name, kind, place in rows if name == plain(framework)}


def paths_before(network: Network, layers: Collection[str]) -> set[str]:
    """Paths whose gradient passes through a layer of one of the types named in ``layers``."""
    before: set[str] = set()
    for node in reversed(network.nodes):
        if type(node.layer).__name__ in layers or node.path in before:
            before.update(node.inputs)
    return before


def paths_from(network: Network, layers: Collection[str]) -> set[str]:
    """Paths at or after a layer of one of the types named in ``layers``."""
    after: set[str] = set()
    for node in network.nodes:
        if type(node.layer).__name__ in layers or after.intersection(node.inputs):
            after.add(node.path)
    return after


def _dense(network: Network) -> set[str]:
    """Paths of dense layers, and of what joins their outputs: the same numbers once more."""
    found: set[str] = set()
    for node in network.nodes:
        is_joined = isinstance(node.layer, Concat) and not found.isdisjoint(node.inputs)
        if isinstance(node.layer, Dense) or is_joined:
            found.add(node.path)
    return found


def _of_type(network: Network, layers: Collection[str]) -> set[str]:
    return {node.path for node in network.nodes if type(node.layer).__name__ in layers}


def _entering(known: Known, place: str) -> set[str]:
    return {kind for kind, where in known.items() if where == place}


def _is_cuda_float32(settings: Settings) -> bool:
    return settings.device.startswith("cuda") and settings.precision == "float32"
