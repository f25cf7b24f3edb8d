"""Single slips that the proof must catch: the proof of the proof.

A mutant hands a real adapter another case than the reference. It must be caught at the level that
should catch it, and the first differing layer must be the one that slipped. Most stand on the probe
networks (small, ragged), some on GoogLeNet and ResNet-50 at reduced size. The table is documentation
and test; slips of the optimizer are in ``training_mutants``. The file is long because the table is.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from implementations import bounds, networks, sameness, training_mode, weights
from implementations.network import Array, Framework, Settings
from implementations.sameness import PROBE_SEED, Case, Finding
from implementations.spec import AvgPool, Concat, Constant, Flatten, HeNormal, Layer, Loss, MaxPool

NETWORKS: dict[str, dict[str, Any]] = {
    "googlenet": {"name": "googlenet", "classes": 10, "input_size": (96, 96)},
    "probe": {"name": "probe"},
    "probe-bn": {"name": "probe-bn"},
    "resnet50": {"name": "resnet50", "classes": 10, "input_size": (64, 64)},
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


def _reshaped(path: str, **fields: Any) -> Callable[[Case], Case]:
    """The same where it changes a parameter's shape: with weights that fit."""
    slip = _layer(path, **fields)

    def slipped(case: Case) -> Case:
        changed = slip(case)
        return dataclasses.replace(changed, weights=weights.probe(changed.network, PROBE_SEED))

    return slipped


def _replace(path: str, change: Callable[[Any], Layer]) -> Callable[[Case], Case]:
    def slipped(case: Case) -> Case:
        network = case.network.edited(lambda at, layer: change(layer) if at == path else layer)
        return dataclasses.replace(case, network=network)

    return slipped


def _swap_first_two(layer: Concat) -> Concat:
    first, second, *others = layer.branches
    return Concat(layer.name, (second, first, *others))


def _weights(parameter: str, change: Callable[[Array], Array]) -> Callable[[Case], Case]:
    def slipped(case: Case) -> Case:
        changed = {**case.weights, parameter: np.ascontiguousarray(change(case.weights[parameter]))}
        return dataclasses.replace(case, weights=changed)

    return slipped


def _zero(parameter: str) -> Callable[[Case], Case]:
    return _weights(parameter, np.zeros_like)


def _with_network(case: Case, **fields: Any) -> Case:
    return dataclasses.replace(case, network=dataclasses.replace(case.network, **fields))


def _auxiliary_one_later(case: Case) -> Case:
    layers = list(case.network.layers)
    place = next(i for i, layer in enumerate(layers) if layer.name == "auxiliary_4a")
    layers[place], layers[place + 1] = layers[place + 1], layers[place]
    return _with_network(case, layers=tuple(layers))


def _relu_before_sum(case: Case) -> Case:
    return _layer("residual.b", activation="relu")(_layer("residual", activation=None)(case))


def _relu_before_norm(case: Case) -> Case:
    return _layer("conv2", activation="relu")(_layer("conv2_bn", activation=None)(case))


def _stride_in_the_first(case: Case) -> Case:
    return _layer("stage3_1.conv1", stride=2)(_layer("stage3_1.conv2", stride=1)(case))


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
    Mutant(
        "lrn-beta",
        "normalisation with beta 0.5 instead of 0.75",
        "googlenet",
        1,
        "norm2",
        _layer("norm2", beta=0.5),
    ),
    Mutant(
        "head-place",
        "first auxiliary head after the next module (same shapes)",
        "googlenet",
        1,
        "auxiliary_4a.pool",
        _auxiliary_one_later,
    ),
    Mutant(
        "global-pool-type",
        "largest instead of mean value of each channel",
        "googlenet",
        1,
        "pool5",
        _replace("pool5", lambda layer: MaxPool(layer.name, 3, 1)),
    ),
    Mutant(
        "five-by-five",
        "3×3 where the paper has 5×5",
        "googlenet",
        0,
        "inception_4c.5x5.weight",
        _reshaped("inception_4c.5x5", kernel=3, padding=1),
    ),
    Mutant(
        "initial-bias",
        "convolution whose biases start from 0 instead of 0.2",
        "googlenet",
        3,
        "conv2_reduce.bias",
        _layer("conv2_reduce", bias=Constant(0.0)),
    ),
    Mutant(
        "initialiser",
        "He's normal instead of Glorot's uniform initial weights",
        "probe",
        3,
        "fc.weight",
        _layer("fc", weight=HeNormal()),
    ),
    Mutant(
        "dropout-rate",
        "share kept taken for the share dropped",
        "googlenet",
        3,
        "dropout 0.4: share dropped",
        _layer("dropout", rate=0.6),
    ),
    Mutant(
        "dropout-absent",
        "no dropout before the logits",
        "probe",
        3,
        "dropout 0.5: share dropped",
        _layer("dropout", rate=0.0),
    ),
    Mutant(
        "ceil",
        "ceil-mode pool that floors",
        "googlenet",
        0,
        "conv2_reduce.multiply_adds",
        _layer("pool1", ceil=False),
    ),
    Mutant(
        "flipped-kernel",
        "convolution instead of cross-correlation",
        "probe",
        1,
        "conv1",
        _weights("conv1.weight", lambda value: value[:, :, ::-1, ::-1]),
    ),
    Mutant(
        "swapped-kernel-axes",
        "kernel's height and width swapped",
        "probe",
        1,
        "conv1",
        _weights("conv1.weight", lambda value: value.transpose(0, 1, 3, 2)),
    ),
    Mutant(
        "identity-absent",
        "residual block without its identity",
        "probe",
        1,
        "residual",
        _replace("residual", lambda layer: dataclasses.replace(layer, branches=layer.branches[:1])),
    ),
    Mutant(
        "relu-before-sum",
        "rectifier before the residual sum instead of after it",
        "probe",
        1,
        "residual.b",
        _relu_before_sum,
    ),
    Mutant(
        "image-scale",
        "images divided by 256 instead of 255",
        "probe",
        1,
        "conv1",
        lambda case: dataclasses.replace(case, images=case.images * np.float32(255 / 256)),
    ),
    Mutant(
        "loss-sum",
        "loss summed over the batch instead of its mean",
        "probe",
        2,
        "loss",
        lambda case: _with_network(case, loss=Loss(reduction="sum")),
    ),
    Mutant(
        "bn-eps",
        "batch norm with eps 1e-5 instead of 1e-3",
        "probe-bn",
        1,
        "conv2_bn",
        _layer("conv2_bn", eps=1e-5),
    ),
    Mutant(
        "bn-momentum",
        "share of the old statistics taken for that of the new",
        "probe-bn",
        3,
        "conv2_bn.running_mean",
        _layer("conv2_bn", momentum=0.875),
    ),
    Mutant(
        "bn-mean",
        "running mean left at 0",
        "probe-bn",
        1,
        "conv2_bn",
        _zero("conv2_bn.running_mean"),
    ),
    Mutant(
        "bn-after-relu",
        "rectifier before batch norm instead of after it",
        "probe-bn",
        1,
        "conv2",
        _relu_before_norm,
    ),
    Mutant(
        "bn-frozen",
        "batch norm left frozen",
        "probe-bn",
        0,
        "conv2_bn.weight",
        _layer("conv2_bn", frozen=True),
    ),
    Mutant(
        "trained-base",
        "frozen convolution trained",
        "probe-bn",
        0,
        "conv1.weight",
        _layer("conv1", frozen=False),
    ),
    Mutant(
        "sigmoid-labels",
        "labels 0 and 1 exchanged",
        "probe-bn",
        2,
        "loss",
        lambda case: dataclasses.replace(case, labels=1 - case.labels),
    ),
    Mutant(
        "block-stride",
        "stride in the 1×1 instead of the 3×3 convolution (ResNet v1 for v1.5)",
        "resnet50",
        0,
        "stage3_1.conv1.multiply_adds",
        _stride_in_the_first,
    ),
)

# Slips that change nothing: they must pass, or the proof would refuse what is the same.
HARMLESS = (
    Mutant(
        "doubled-relu",
        "rectifier after the concatenation of rectified branches as well",
        "googlenet",
        -1,
        "",
        _layer("inception_3a", activation="relu"),
    ),
    Mutant(
        "ceil-at-stride-1",
        "ceil mode on a pool of stride 1",
        "googlenet",
        -1,
        "",
        _layer("inception_3a.pool", ceil=True),
    ),
    Mutant(
        "four-sides",
        "one padding written as four",
        "googlenet",
        -1,
        "",
        _layer("conv2", padding=(1, 1, 1, 1)),
    ),
)


def prove_mutants(framework: Framework, *, settings: Settings, name: str) -> list[dict[str, Any]]:
    """Every mutant through this process's real adapter, a row each: a child's task."""
    known = bounds.known_differences(name)
    cases = {key: _case(key) for key in NETWORKS}
    return [
        _row(mutant, _first_failure(framework, cases[mutant.network], settings, known, mutant.change))
        for mutant in (*MUTANTS, *HARMLESS)
    ]


def _first_failure(
    framework: Framework, case: Case, settings: Settings, known: bounds.Known, slip: Callable[[Case], Case]
) -> Finding | None:
    """The first finding that does not pass, as a certificate would come to it; later ones are not made.

    First in float64 alone: it sees all that float32 does, and a slip is caught once.
    """
    bare = dataclasses.replace(case, network=case.network.without_dropout())
    makers: tuple[Callable[[], list[Finding]], ...] = (
        lambda: sameness.prove(
            framework, bare, settings, precisions=("float64",), known=known, slip=_bare(slip)
        ),
        lambda: training_mode.prove(framework, case, settings, known=known, slip=slip),
        lambda: sameness.prove(
            framework, bare, settings, precisions=("float32",), known=known, slip=_bare(slip)
        ),
    )
    return next((found for make in makers for found in make() if not found.passed), None)


def _bare(slip: Callable[[Case], Case]) -> Callable[[Case], Case]:
    """The slip on a case without dropout; one that brings dropout in again is kept from it."""

    def slipped(case: Case) -> Case:
        changed = slip(case)
        return dataclasses.replace(changed, network=changed.network.without_dropout())

    return slipped


def _case(key: str) -> Case:
    """The case of one of ``NETWORKS``, dropout and all."""
    network = networks.build(**NETWORKS[key])
    case = Case.on_probe(network, weights.probe(network, PROBE_SEED))
    return dataclasses.replace(case, network=network)


def _row(mutant: Mutant, failed: Finding | None) -> dict[str, Any]:
    """Expected and found; ``caught`` only if level and layer are the right ones (harmless: nothing)."""
    breach = failed.breach if failed else None
    expected = [mutant.level, mutant.first] if mutant not in HARMLESS else [None, None]
    found = [failed.level if failed else None, breach.path.removesuffix(".linear") if breach else None]
    return {
        "name": mutant.name,
        "slip": mutant.slip,
        "network": mutant.network,
        "expected": expected,
        "found": found,
        "difference": breach.difference if breach else None,
        "precision": failed.precision if failed else None,
        "caught": found == expected,
    }
