"""An adapter made of the reference itself: a framework for tests where none is installed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from implementations import reference, spec
from implementations.network import Array, Settings, Weights


class ReferenceNetwork:
    """Computes in float64 and hands out the precision asked for."""

    def __init__(self, network: spec.Network, weights: Weights, settings: Settings, training: bool) -> None:
        self.network = network if training else network.inference()
        self.values = {p.path: np.asarray(weights[p.path]) for p in self.network.parameters}
        self.dtype = np.dtype(settings.precision)

    def parameters(self) -> dict[str, tuple[spec.Shape, bool]]:
        return {p.path: (p.shape, p.trainable) for p in self.network.parameters}

    def outputs(self, images: Array) -> Array:
        return self._forward(images)[self.network.heads[0].path]

    def activations(self, images: Array) -> dict[str, Array]:
        return {path: value for path, value in self._forward(images).items() if path != spec.INPUT}

    def gradients(self, images: Array, labels: Array) -> tuple[float, dict[str, Array]]:
        shown = self._forward(images)
        gradients = reference.backward(self.network, self.values, shown, labels)
        return reference.loss(self.network, shown, labels), gradients

    def _forward(self, images: Array) -> Mapping[str, Any]:
        shown = reference.forward(self.network, self.values, images)
        return {path: value.astype(self.dtype) for path, value in shown.items()}


class ReferenceFramework:
    """What an adapter's module offers."""

    def configure(self, settings: Settings) -> None:
        pass

    def versions(self) -> dict[str, str]:
        return {"reference": "1"}

    def cuda_devices(self) -> list[str]:
        return []

    def build(self, network: spec.Network, weights: Any, settings: Settings, *, training: bool) -> Any:
        assert not isinstance(weights, Path)
        return ReferenceNetwork(network, weights, settings, training)
