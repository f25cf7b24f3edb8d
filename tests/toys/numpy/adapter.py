"""A whole adapter, for networks of dense layers: the smallest that is proven, timed and reported.

Every name that ``implementations.network`` lists under ``Framework`` and ``Built`` is here. It computes
forward and backward passes itself; updates are the suite's own, where a framework would bring its
optimizers (and declare in ``forms`` how each of them updates).
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from implementations import spec, updates
from implementations.network import Array, Settings, Weights
from implementations.training import FORMS, Forms, Optimizer

# --- The framework ------------------------------------------------------------------------


def configure(settings: Settings) -> None:
    """Nothing to set: OMP_NUM_THREADS is there before NumPy is imported."""


def versions() -> dict[str, str]:
    return {"numpy": np.__version__}


def forms() -> Forms:
    return {method: next(iter(named)) for method, named in FORMS.items()}


def running_variance(device: str) -> str:
    return "biased"


def cuda_devices() -> list[str]:
    return []


def precisions(device: str) -> tuple[str, ...]:
    return ()


def product(side: int, precision: str, settings: Settings) -> Callable[[], None]:
    a, b, result = (np.ones((side, side), np.float32) for _ in range(3))

    def multiply() -> None:
        np.matmul(a, b, out=result)

    return multiply


def copy(size: int, settings: Settings) -> Callable[[], None]:
    source, target = np.ones(size // 4, np.float32), np.empty(size // 4, np.float32)
    return lambda: np.copyto(target, source)


def build(network: spec.Network, weights: Weights, settings: Settings, *, training: bool) -> "ToyNetwork":
    return ToyNetwork(network if training else network.inference(), weights, settings)


# --- A built network ----------------------------------------------------------------------


class Batch(NamedTuple):
    images: Array
    labels: Array | None


class ToyNetwork:
    def __init__(self, network: spec.Network, weights: Weights, settings: Settings) -> None:
        self.network, self.dtype = network, np.dtype(settings.storage)
        self.load(weights)

    def parameters(self) -> dict[str, tuple[spec.Shape, bool]]:
        return {p.path: (self.values[p.path].shape, p.trainable) for p in self.network.parameters}

    def load(self, weights: Weights) -> None:
        self.values = {p.path: np.array(weights[p.path], self.dtype) for p in self.network.parameters}

    def weights(self) -> dict[str, Array]:
        return dict(self.values)

    def outputs(self, images: Array) -> Array:
        return self.infer(self.put(images))

    def head_outputs(self, images: Array) -> dict[str, Array]:
        shown = self._forward(images)
        return {head.name: shown[head.path] for head in self.network.heads}

    def activations(self, images: Array) -> dict[str, Array]:
        return {path: value for path, value in self._forward(images).items() if path != spec.INPUT}

    def gradients(self, images: Array, labels: Array) -> tuple[float, dict[str, Array]]:
        loss, gradients, _ = self.traced(images, labels)
        return loss, gradients

    def traced(self, images: Array, labels: Array) -> tuple[float, dict[str, Array], dict[str, Array]]:
        shown = self._forward(images)
        (head,) = self.network.heads
        loss, wanted = _cross_entropy(shown[head.path], labels)
        gradients: dict[str, Array] = {}
        for node in reversed(self.network.nodes):
            wanted = self._backward(node, wanted, shown, gradients)
        return loss, gradients, {path: value for path, value in shown.items() if path != spec.INPUT}

    def export(self, path: Path) -> None:
        raise NotImplementedError("the adapter's row says that it does not export")

    def put(self, images: Array, labels: Array | None = None) -> Batch:
        return Batch(np.ascontiguousarray(images, self.dtype), labels)

    def keep(self, pixels: Array, table: Array) -> tuple[Array, Array]:
        return pixels.copy(), table

    def picked(self, kept: tuple[Array, Array], indices: Array, labels: Array | None = None) -> Batch:
        pixels, table = kept
        return self.put(table[np.arange(len(table))[:, None, None], pixels[indices]], labels)

    def inferring(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def infer(self, batch: Batch) -> Array:
        return self._forward(batch.images)[self.network.heads[0].path]

    def prepare_training(self, optimizer: Optimizer) -> None:
        trained = [p.path for p in self.network.parameters if p.trainable]
        self.updater = updates.Updater(optimizer, forms()[type(optimizer)], trained)

    def set_learning_rate(self, rate: float) -> None:
        self.updater.rate = rate

    def optimizer_state(self) -> dict[str, Array]:
        kept = self.updater.state
        arrays = {f"{path}/{name}": value for path, own in kept.items() for name, value in own.items()}
        return {"steps": np.array(self.updater.steps), **arrays}

    def restore_optimizer(self, state: Weights) -> None:
        self.updater.steps, self.updater.state = int(state["steps"]), {}
        for key in state.keys() - {"steps"}:
            path, _, name = key.partition("/")
            self.updater.state.setdefault(path, {})[name] = np.array(state[key])

    def seed(self, number: int) -> None:
        """Nothing is drawn: the toy has no dropout."""

    def train_step(self, batch: Batch) -> float:
        assert batch.labels is not None
        loss, gradients = self.gradients(batch.images, batch.labels)
        self.updater.apply(self.values, gradients)  # in float64
        self.load(self.values)
        return loss

    def switches(self) -> dict[str, str]:
        return {"computes_in": str(self.dtype)}

    def synchronize(self) -> None:
        """NumPy has finished when it returns."""

    def read(self, result: Any) -> Array:
        return np.asarray(result, np.float32)

    def peak_device_bytes(self) -> None:
        return None

    def _forward(self, images: Array) -> dict[str, Array]:
        shown = {spec.INPUT: np.asarray(images, self.dtype)}
        for node in self.network.nodes:
            x = shown[node.inputs[0]]
            match node.layer:
                case spec.Flatten():
                    x = x.reshape(len(x), -1)
                case spec.Dense() as layer:
                    x = x @ self.values[f"{node.path}.weight"].T + self.values[f"{node.path}.bias"]
                    x = np.maximum(x, 0) if layer.activation == "relu" else x
                case other:
                    raise TypeError(f"the toy has no builder for {other!r}")
            shown[node.path] = x
        return shown

    def _backward(
        self, node: spec.Node, wanted: Array, shown: dict[str, Array], gradients: dict[str, Array]
    ) -> Array:
        """The gradient by ``node``'s input, from that by its output."""
        x = shown[node.inputs[0]]
        if isinstance(node.layer, spec.Dense):
            wanted = wanted * (shown[node.path] > 0) if node.layer.activation == "relu" else wanted
            gradients[f"{node.path}.weight"] = wanted.T @ x
            gradients[f"{node.path}.bias"] = wanted.sum(axis=0)
            return wanted @ self.values[f"{node.path}.weight"]
        return wanted.reshape(x.shape)


def _cross_entropy(logits: Array, labels: Array) -> tuple[float, Array]:
    """Mean over the batch, and its gradient by the logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    odds = np.exp(shifted)
    share = odds / odds.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = float((np.log(odds.sum(axis=1)) - shifted[rows, labels]).mean())
    share[rows, labels] -= 1
    return loss, share / len(labels)
