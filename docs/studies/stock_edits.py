"""The single differences between stock networks, as edits of layers and of weights."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from stock_units import Unit

from implementations.spec import Conv, Dropout, Layer, LocalResponseNorm, MaxPool

LayerEdit = Callable[[str, Layer], Layer]
UnitEdit = Callable[[str, Unit], Unit]


def same_layer(path: str, layer: Layer) -> Layer:
    return layer


def same_unit(path: str, unit: Unit) -> Unit:
    return unit


@dataclass(frozen=True)
class Variation:
    """One difference: edits of layers and of weights, by path."""

    name: str
    layer: LayerEdit = same_layer
    unit: UnitEdit = same_unit
    ours: bool = False


# --- Edits of layers ----------------------------------------------------------------------


def on_kind(kind: type[Layer], name: str, **changes: object) -> LayerEdit:
    """``changes`` to every layer of that kind called ``name`` (or to all with an empty name)."""

    def edit(path: str, layer: Layer) -> Layer:
        hit = isinstance(layer, kind) and name in ("", layer.name)
        return dataclasses.replace(layer, **changes) if hit else layer  # type: ignore[arg-type]

    return edit


def norms_on(path: str, layer: Layer) -> Layer:
    norm = LocalResponseNorm(layer.name, size=5, alpha=1e-4, beta=0.75, k=1.0)
    return norm if layer.name in ("norm1", "norm2") else layer


def norms_off(path: str, layer: Layer) -> Layer:
    # A dropout is the identity at inference: it keeps the place of the normalisation.
    return Dropout(layer.name, 0.0) if isinstance(layer, LocalResponseNorm) else layer


def strided_pools(ceil: bool) -> LayerEdit:
    def edit(path: str, layer: Layer) -> Layer:
        hit = isinstance(layer, MaxPool) and layer.stride == 2
        return dataclasses.replace(layer, ceil=ceil) if hit else layer

    return edit


def linear_before_the_join(path: str, layer: Layer) -> Layer:
    hit = isinstance(layer, Conv) and (path.startswith("conv") or path.endswith("_reduce"))
    return dataclasses.replace(layer, activation=None) if hit else layer


def moved_stride(source: str, goal: str) -> LayerEdit:
    """In every strided bottleneck, the stride on convolution ``goal`` and not on ``source``."""
    strided = {"block3_1", "block4_1", "block5_1"}
    steps = {source: 1, goal: 2}

    def edit(path: str, layer: Layer) -> Layer:
        block, _, name = path.partition(".")
        hit = block in strided and name in steps
        return dataclasses.replace(layer, stride=steps[name]) if hit else layer  # type: ignore[call-arg]

    return edit


# --- Edits of weights ---------------------------------------------------------------------


def without_norm(path: str, unit: Unit) -> Unit:
    return dataclasses.replace(unit, norm=None)


def without_conv_bias(path: str, unit: Unit) -> Unit:
    return dataclasses.replace(unit, bias=None) if unit.norm else unit


def epsilon(value: float) -> UnitEdit:
    def edit(path: str, unit: Unit) -> Unit:
        norm = unit.norm and dataclasses.replace(unit.norm, epsilon=value)
        return dataclasses.replace(unit, norm=norm)

    return edit


def times(factor: float, *paths: str) -> UnitEdit:
    def edit(path: str, unit: Unit) -> Unit:
        weight = unit.weight.astype(np.float64) * factor
        return dataclasses.replace(unit, weight=weight) if path in paths else unit

    return edit


def in_the_middle(path: str, unit: Unit) -> Unit:
    widths = ((0, 0), (0, 0), (1, 1), (1, 1))
    hit = path.endswith(".5x5")
    return dataclasses.replace(unit, weight=np.pad(unit.weight, widths)) if hit else unit


def bgr(first: str) -> UnitEdit:
    def edit(path: str, unit: Unit) -> Unit:
        return dataclasses.replace(unit, weight=unit.weight[:, ::-1]) if path == first else unit

    return edit


def rows_first(channels: int, side: int) -> UnitEdit:
    """The first dense layer read as if the flat order were height, width, channel."""

    def edit(path: str, unit: Unit) -> Unit:
        if path != "fc6":
            return unit
        mapped = unit.weight.reshape(-1, side, side, channels).transpose(0, 3, 1, 2)
        return dataclasses.replace(unit, weight=mapped.reshape(len(unit.weight), -1))

    return edit
