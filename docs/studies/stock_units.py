"""What a stock model is made of: convolutions and dense layers in order, each with what follows it.

Arrays are in the specification's layout (``[out, in, height, width]``, ``[out, in]`` in channel, height,
width order). Values are seeded, because pretrained weights would be a download.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from implementations import weights
from implementations.spec import Network

Array = NDArray[Any]


@dataclass(frozen=True)
class Norm:
    """Batch normalisation as inference sees it; ``gamma`` is None where the layer has no scale."""

    gamma: Array | None
    beta: Array
    mean: Array
    variance: Array
    epsilon: float


@dataclass(frozen=True)
class Unit:
    """One convolution or dense layer; ``positions`` are its output's height × width."""

    name: str
    weight: Array
    bias: Array | None = None
    norm: Norm | None = None
    positions: int = 1
    auxiliary: bool = False

    @property
    def trainable(self) -> int:
        gamma_beta = () if self.norm is None else (self.norm.gamma, self.norm.beta)
        return sum(array.size for array in (self.weight, self.bias, *gamma_beta) if array is not None)

    @property
    def running(self) -> int:
        return 0 if self.norm is None else self.norm.mean.size + self.norm.variance.size

    @property
    def multiply_adds(self) -> int:
        return self.weight.size * self.positions


class Model(Protocol):
    """A stock model in inference mode, behind the few verbs that the study needs."""

    units: list[Unit]
    trainable: int  # the framework's own count, auxiliary heads included
    running: int
    trunk: list[int]  # heights of the maps that convolutions and max pools give, in order

    def load(self, units: Sequence[Unit]) -> None:
        """Set every parameter and running statistic."""

    def logits(self, images: Array) -> Array:
        """Main logits (batch, classes) of ``images`` (batch, channels, height, width)."""


def drawn(units: Sequence[Unit], gain: float) -> list[Unit]:
    """``units`` with seeded values: kernels of variance ``gain`` / fan-in, nothing else at its default."""
    return [_drawn(unit, 16 * index, gain) for index, unit in enumerate(units)]


def _drawn(unit: Unit, key: int, gain: float) -> Unit:
    fan_in = math.prod(unit.weight.shape[1:])
    count = unit.weight.shape[:1]
    norm = None
    if unit.norm is not None:
        norm = Norm(
            gamma=None if unit.norm.gamma is None else 1 + weights.uniform(key + 2, count, 0.25),
            beta=weights.uniform(key + 3, count, 0.3),
            mean=weights.uniform(key + 4, count, 0.3),
            variance=1 + weights.uniform(key + 5, count, 0.5),
            epsilon=unit.norm.epsilon,
        )
    return dataclasses.replace(
        unit,
        weight=weights.uniform(key, unit.weight.shape, math.sqrt(3 * gain / fan_in)),
        bias=None if unit.bias is None else weights.uniform(key + 1, count, 0.3),
        norm=norm,
    )


def folded(unit: Unit) -> tuple[Array, Array]:
    """Kernel and bias in float64 that do what the unit does: at inference batch norm is affine."""
    weight = unit.weight.astype(np.float64)
    bias = np.zeros(len(weight)) if unit.bias is None else unit.bias.astype(np.float64)
    if unit.norm is None:
        return weight, bias
    scale = 1 / np.sqrt(unit.norm.variance.astype(np.float64) + unit.norm.epsilon)
    if unit.norm.gamma is not None:
        scale = scale * unit.norm.gamma
    over_filters = scale.reshape(-1, *[1] * (weight.ndim - 1))
    return weight * over_filters, (bias - unit.norm.mean) * scale + unit.norm.beta


def placed(network: Network, units: dict[str, Unit]) -> dict[str, Array]:
    """The weights of ``network`` by path, from the units by the path of their layer."""
    arrays = {}
    for path, unit in units.items():
        arrays[f"{path}.weight"], arrays[f"{path}.bias"] = folded(unit)
    expected = {parameter.path: parameter.shape for parameter in network.parameters}
    found = {path: array.shape for path, array in arrays.items()}
    unlike = [path for path in expected.keys() | found.keys() if expected.get(path) != found.get(path)]
    if unlike:
        raise ValueError(f"{network.name}: the stock model differs in {sorted(unlike)[:3]}")
    return arrays
