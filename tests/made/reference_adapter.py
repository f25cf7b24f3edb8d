"""An adapter made of the reference itself: a framework for tests where none is installed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from implementations import reference, spec, updates
from implementations.network import Array, Settings, Weights
from implementations.training import FORMS, Forms, Optimizer

RANDOM = np.random.default_rng(0)


class ReferenceNetwork:
    """Computes in float64 and hands out the precision asked for."""

    def __init__(self, network: spec.Network, weights: Weights, settings: Settings, training: bool) -> None:
        self.network, self.training = network if training else network.inference(), training
        self.values: dict[str, Any] = {
            p.path: np.asarray(weights[p.path], np.float64) for p in self.network.parameters
        }
        self.dtype = np.dtype(settings.storage)
        self.rounded = np.dtype(np.float16) if settings.precision == "float16" else self.dtype

    def parameters(self) -> dict[str, tuple[spec.Shape, bool]]:
        return {p.path: (p.shape, p.trainable) for p in self.network.parameters}

    def outputs(self, images: Array) -> Array:
        """float16 rounds the logits alone; bfloat16 is claimed, and computed in float32."""
        logits = self._forward(images)[self.network.heads[0].path]
        return logits.astype(self.rounded).astype(self.dtype)

    def activations(self, images: Array) -> dict[str, Array]:
        shown = {path: value for path, value in self._forward(images).items() if path != spec.INPUT}
        for node in self.network.nodes if self.training else ():
            if isinstance(node.layer, spec.Dropout):
                kept = RANDOM.random(shown[node.path].shape) >= node.layer.rate
                shown[node.path] = shown[node.path] * kept / np.asarray(1 - node.layer.rate, self.dtype)
        return shown

    def gradients(self, images: Array, labels: Array) -> tuple[float, dict[str, Array]]:
        shown = self._forward(images)
        gradients = reference.backward(self.network, self.values, shown, labels)
        return reference.loss(self.network, shown, labels), gradients

    def traced(self, images: Array, labels: Array) -> tuple[float, dict[str, Array], dict[str, Array]]:
        return *self.gradients(images, labels), self.activations(images)

    def load(self, weights: Weights) -> None:
        self.values = {path: np.asarray(weights[path], np.float64) for path in self.values}

    def weights(self) -> dict[str, Array]:
        return dict(self.values)

    def put(self, images: Array, labels: Array | None = None) -> tuple[Array, Any]:
        return images, labels

    def prepare_training(self, optimizer: Optimizer) -> None:
        trained = [p.path for p in self.network.parameters if p.trainable]
        self.updater = updates.Updater(optimizer, forms()[type(optimizer)], trained)

    def set_learning_rate(self, rate: float) -> None:
        self.updater.rate = rate

    def train_step(self, batch: tuple[Array, Any]) -> float:
        loss, gradients = self.gradients(*batch)
        shown = reference.forward(self.network, self.values, batch[0], training=True)
        statistics = reference.running_statistics(self.network, self.values, shown, unbiased=False)
        self.updater.apply(self.values, gradients)
        self.values.update(statistics)
        return loss

    def _forward(self, images: Array) -> Mapping[str, Any]:
        shown = reference.forward(self.network, self.values, images, training=self.training)
        return {path: value.astype(self.dtype) for path, value in shown.items()}


def forms() -> Forms:
    """The first form of each method."""
    return {method: next(iter(named)) for method, named in FORMS.items()}


class ReferenceFramework:
    """What an adapter's module offers."""

    def forms(self) -> Forms:
        return forms()

    def configure(self, settings: Settings) -> None:
        pass

    def versions(self) -> dict[str, str]:
        return {"reference": "1"}

    def precisions(self, device: str) -> tuple[str, ...]:
        return ("bfloat16", "float16")

    def running_variance(self, device: str) -> str:
        return "biased"

    def cuda_devices(self) -> list[str]:
        return []

    def build(self, network: spec.Network, weights: Any, settings: Settings, *, training: bool) -> Any:
        assert not isinstance(weights, Path)
        return ReferenceNetwork(network, weights, settings, training)
