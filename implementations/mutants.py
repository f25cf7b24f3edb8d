"""Single slips that the proof must catch: the proof of the proof.

A mutant hands a real adapter another case than the reference. It must be caught at the level that
should catch it, and the first differing layer must be the one that slipped. Most stand on the probe
network (small, ragged), some on GoogLeNet at 96×96. The table is documentation and test.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from implementations import bounds, networks, sameness, weights
from implementations.network import Framework, Settings
from implementations.sameness import PROBE_SEED, Case
from implementations.spec import AvgPool, Concat, Flatten, Layer, MaxPool

NETWORKS: dict[str, dict[str, Any]] = {
    "googlenet": {"name": "googlenet", "classes": 10, "input_size": (96, 96)},
    "probe": {"name": "probe"},
}


@dataclass(frozen=True)
class Mutant:
    """One slip: what it is, where it is made, which level must catch it, and what must differ first."""

    name: str
    slip: str
    network: str
    level: int
    first: str
    change: Callable[[Case], Case]


def _layer(path: str, **fields: Any) -> Callable[[Case], Case]:
    """The slip of building one layer with other fields."""
    return _replace(path, lambda layer: dataclasses.replace(layer, **fields))


def _replace(path: str, change: Callable[[Any], Layer]) -> Callable[[Case], Case]:
    def slipped(case: Case) -> Case:
        network = case.network.edited(lambda at, layer: change(layer) if at == path else layer)
        return dataclasses.replace(case, network=network)

    return slipped


def _swap_first_two(layer: Concat) -> Concat:
    first, second, *others = layer.branches
    return Concat(layer.name, (second, first, *others))


def _zero(parameter: str) -> Callable[[Case], Case]:
    def slipped(case: Case) -> Case:
        zeroed = {**case.weights, parameter: np.zeros_like(case.weights[parameter])}
        return dataclasses.replace(case, weights=zeroed)

    return slipped


def _channels_last_flatten(case: Case) -> Case:
    """Dense weights after the flatten in height, width, channel order."""
    network = case.network
    flatten = next(n for n in network.nodes if isinstance(n.layer, Flatten) and not n.auxiliary)
    channels, height, width = flatten.input_shapes[0]
    value = case.weights["fc.weight"]
    permuted = value.reshape(-1, channels, height, width).transpose(0, 2, 3, 1).reshape(value.shape)
    return dataclasses.replace(case, weights={**case.weights, "fc.weight": np.ascontiguousarray(permuted)})


def _next_label(case: Case) -> Case:
    return dataclasses.replace(case, labels=(case.labels + 1) % case.network.classes)


def _reversed_channels(case: Case) -> Case:
    return dataclasses.replace(case, images=np.ascontiguousarray(case.images[:, ::-1]))


def _average(layer: MaxPool) -> AvgPool:
    return AvgPool(layer.name, layer.kernel, layer.stride, layer.padding)


MUTANTS = (
    Mutant(
        "conv-padding",
        "7×7/2 convolution padded 2+3 (TensorFlow's same) instead of 3+3",
        "googlenet",
        1,
        "conv1",
        _layer("conv1", padding=(2, 3, 2, 3)),
    ),
    Mutant(
        "pool-padding",
        "max pool padded by 1 with floor instead of ceil without padding (same shapes)",
        "googlenet",
        1,
        "pool1",
        _layer("pool1", padding=1, ceil=False),
    ),
    Mutant(
        "lrn-alpha",
        "local response normalisation with alpha not divided by the window's size",
        "googlenet",
        1,
        "norm1",
        _layer("norm1", alpha=5e-4),
    ),
    Mutant(
        "swapped-branches",
        "first two branches of an inception module joined in the other order",
        "googlenet",
        1,
        "inception_4b",
        _replace("inception_4b", _swap_first_two),
    ),
    Mutant(
        "missing-relu",
        "5×5 reduction of an inception module without its rectifier",
        "googlenet",
        1,
        "inception_3a.5x5_reduce",
        _layer("inception_3a.5x5_reduce", activation=None),
    ),
    Mutant(
        "loss-weight",
        "auxiliary loss counted 0.31 instead of 0.3",
        "googlenet",
        2,
        "loss",
        _layer("auxiliary_4d", loss_weight=0.31),
    ),
    Mutant(
        "lrn-size", "normalisation over 5 channels instead of 3", "probe", 1, "norm", _layer("norm", size=5)
    ),
    Mutant("lrn-k", "normalisation with k 1 instead of 2", "probe", 1, "norm", _layer("norm", k=1.0)),
    Mutant(
        "padding-side",
        "one-sided padding on the other side",
        "probe",
        1,
        "conv1",
        _layer("conv1", padding=(2, 1, 3, 0)),
    ),
    Mutant(
        "pool-type",
        "average pool where a max pool belongs",
        "probe",
        1,
        "strided.c_pool",
        _replace("strided.c_pool", _average),
    ),
    Mutant(
        "padding-counted",
        "average pool that counts its padding",
        "probe",
        1,
        "uncounted",
        _layer("uncounted", count_padding=True),
    ),
    Mutant(
        "bias-absent",
        "convolution built without its bias",
        "probe",
        0,
        "conv1.bias",
        _layer("conv1", bias=None),
    ),
    Mutant("bias-zero", "bias built but left at zero", "probe", 1, "strided.b", _zero("strided.b.bias")),
    Mutant(
        "residual-relu",
        "sum of a residual block without its rectifier",
        "probe",
        1,
        "residual",
        _layer("residual", activation=None),
    ),
    Mutant(
        "flatten-order", "flatten in height, width, channel order", "probe", 1, "fc", _channels_last_flatten
    ),
    Mutant("channel-order", "images in BGR order", "probe", 1, "conv1", _reversed_channels),
    Mutant("label-shift", "labels off by one", "probe", 2, "loss", _next_label),
    Mutant(
        "head-weight-slightly-off",
        "auxiliary loss weight off by 1e-7: seen in float64 only",
        "probe",
        2,
        "loss",
        _layer("side", loss_weight=0.25 + 1e-7),
    ),
)


def prove_mutants(framework: Framework, *, settings: Settings, name: str) -> list[dict[str, Any]]:
    """Every mutant through this process's real adapter, a row each: a child's task."""
    known = bounds.known_differences(name)
    cases = {key: _case(key) for key in NETWORKS}
    rows = []
    for mutant in MUTANTS:
        findings = sameness.prove(framework, cases[mutant.network], settings, known=known, slip=mutant.change)
        rows.append(_row(mutant, findings))
    return rows


def _case(key: str) -> Case:
    network = networks.build(**NETWORKS[key])
    return Case.on_probe(network, weights.probe(network, PROBE_SEED))


def _row(mutant: Mutant, findings: list[sameness.Finding]) -> dict[str, Any]:
    """Expected and found; ``caught`` only if level and layer are the right ones."""
    failed = [finding for finding in findings if finding.breach]
    level = failed[0].level if failed else None
    breach = failed[0].breach if failed else None
    first = breach.path.removesuffix(".linear") if breach else None
    return {
        "name": mutant.name,
        "slip": mutant.slip,
        "network": mutant.network,
        "expected": [mutant.level, mutant.first],
        "found": [level, first],
        "difference": breach.difference if breach else None,
        "precisions": sorted({finding.precision for finding in failed}),
        "caught": (level, first) == (mutant.level, mutant.first),
    }
