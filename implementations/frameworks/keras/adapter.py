"""Keras behind the protocol of ``implementations.network``: the same file on every backend.

What Keras leaves to its backend (threads, device, compilation, gradients, synchronisation) is in
``backends``, under the same names in each file.
"""

import dataclasses
import functools
import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from implementations import spec
from implementations.channels_last import ChannelsLast, layer_name
from implementations.frameworks.keras import losses, optimizers
from implementations.frameworks.keras.layers import functional
from implementations.frameworks.keras.precision import compute_in
from implementations.network import Array, Settings, Weights, cuda_precisions
from implementations.policies import Switches
from implementations.training import Forms, Optimizer

KINDS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}

backend: Any = importlib.import_module(f"implementations.frameworks.keras.backends.{keras.backend.backend()}")
configure, cuda_devices = backend.configure, backend.cuda_devices


def versions() -> dict[str, str]:
    return {"keras": keras.__version__, **backend.versions()}


def forms() -> Forms:
    return optimizers.FORMS


def precisions(device: str) -> tuple[str, ...]:
    if not device.startswith("cuda"):
        return ("bfloat16", "float16")
    return cuda_precisions(backend.capability(device))


def running_variance(device: str) -> str:
    return "biased"  # Keras' own arithmetic on every backend


def product(side: int, precision: str, settings: Settings) -> Callable[[], None]:
    backend.set_precision(precision)
    dtype = precision if precision in ("bfloat16", "float16") else "float32"
    ones = np.ones((side, side), np.float32)
    a, b = (ops.cast(backend.place(ones, settings), dtype) for _ in range(2))
    return backend.finished(ops.matmul, a, b)


def copy(size: int, settings: Settings) -> Callable[[], None]:
    source = backend.place(np.ones(size // 4, np.float32), settings)
    return backend.finished(ops.negative, source)  # TensorFlow hands out the same memory for a copy


def build(network: spec.Network, weights: Weights, settings: Settings, *, training: bool) -> "KerasNetwork":
    return KerasNetwork(network if training else network.inference(), weights, settings, training)


class Batch(NamedTuple):
    images: Any
    labels: Any


class Resident(NamedTuple):
    pixels: Any  # (n, height, width, channels) uint8
    table: Any  # (channels, 256)


def numbers(pixels: Any, table: Any, indices: Any) -> Any:
    """(b, height, width, channels) of the images ``indices``, each pixel's number looked up in the table."""
    channels, values = table.shape
    chosen = ops.cast(ops.take(pixels, indices, axis=0), "int32")
    places = chosen + ops.arange(0, channels * values, values, dtype="int32")
    return ops.take(ops.reshape(table, [-1]), places)


class KerasNetwork:
    """A built network; see ``implementations.network.Built``. The last one built sets the precision."""

    def __init__(self, network: spec.Network, weights: Weights, settings: Settings, training: bool) -> None:
        self.network, self.training = network, training
        self.dtype, self.settings = settings.storage, settings
        compute_in(settings)
        backend.set_precision(settings.precision)
        self.model, tensors = functional(network)
        self.named = {node.path: tensors[node.path] for node in network.nodes}
        drops = (layer for layer in self.model.layers if isinstance(layer, keras.layers.Dropout))
        self.generators = [layer.seed_generator for layer in drops if layer.rate > 0]
        self.layout = ChannelsLast(network)
        self.variables = dict(self._variables())
        self._numbers = backend.fused(numbers)
        self.engine = backend.Engine(self.model, self._loss, settings)
        self._assign(weights)

    def _variables(self) -> Any:
        paths = {layer_name(node.path): node.path for node in self.network.nodes}
        for layer in self.model.layers:
            for variable in layer.weights:
                yield f"{paths.get(layer.name, layer.name)}.{KINDS[variable.name]}", variable

    def parameters(self) -> dict[str, tuple[spec.Shape, bool]]:
        return {path: (ChannelsLast.shape(v.shape), v.trainable) for path, v in self.variables.items()}

    def load(self, weights: Weights) -> None:
        self.engine.sync_to_model()
        self._assign(weights)

    def _assign(self, weights: Weights) -> None:
        for path, variable in self.variables.items():
            layer, _, _ = path.rpartition(".")
            # Cast by NumPy: JAX would compile a cast for every shape.
            variable.assign(self.layout.to_keras(layer, weights[path]).astype(self.dtype))
        self.engine.sync_from_model()

    def weights(self) -> dict[str, Array]:
        self.engine.sync_to_model()
        return {path: self._canonical(path, variable) for path, variable in self.variables.items()}

    def _canonical(self, path: str, value: Any) -> Array:
        layer, _, _ = path.rpartition(".")
        return self.layout.from_keras(layer, ops.convert_to_numpy(value))

    def outputs(self, images: Array) -> Array:
        with self.inferring():
            found = ops.convert_to_numpy(self.infer(self.put(images))).astype(self.dtype)
        self.engine.synchronize()  # until then JAX's engine keeps what it was given
        return self.layout.activation(self.network.heads[0].path, found)

    def head_outputs(self, images: Array) -> dict[str, Array]:
        with self.inferring():
            found = self.engine.heads(self.put(images).images)
        values = {head: ops.convert_to_numpy(logits).astype(self.dtype) for head, logits in found.items()}
        self.engine.synchronize()
        return {
            head.name: self.layout.activation(head.path, values[head.name]) for head in self.network.heads
        }

    def activations(self, images: Array) -> dict[str, Array]:
        self.engine.sync_to_model()
        values = self._shown.activations(self.put(images).images, self.training)
        self.engine.sync_from_model()
        return self._canonical_activations(values)

    @functools.cached_property
    def _shown(self) -> Any:
        """Runs the same layers as a model of all named activations; never timed."""
        uncompiled = dataclasses.replace(self.settings, switches=Switches())
        return backend.Engine(keras.Model(self.model.input, self.named), self._loss_of_named, uncompiled)

    def _canonical_activations(self, values: Mapping[str, Any]) -> dict[str, Array]:
        return {path: self.layout.activation(path, ops.convert_to_numpy(v)) for path, v in values.items()}

    def gradients(self, images: Array, labels: Array) -> tuple[float, dict[str, Array]]:
        loss, gradients = self.engine.gradients(*self.put(images, labels))
        return float(loss), self._by_path(self.model, gradients)

    def traced(self, images: Array, labels: Array) -> tuple[float, dict[str, Array], dict[str, Array]]:
        self.engine.sync_to_model()
        loss, gradients, values = self._shown.traced(*self.put(images, labels))
        return float(loss), self._by_path(self._shown.model, gradients), self._canonical_activations(values)

    def _by_path(self, model: keras.Model, gradients: list[Any]) -> dict[str, Array]:
        paths = {id(variable): path for path, variable in self.variables.items()}
        trained = [paths[id(variable)] for variable in model.trainable_variables]
        named = zip(trained, gradients, strict=True)
        return {path: self._canonical(path, g) for path, g in named if g is not None}

    def export(self, path: Path) -> None:
        from implementations.frameworks.keras import export  # the exporter is not needed to measure

        export.to_onnx(self.model, self.variables, self.weights(), self.network, path)

    def put(self, images: Array, labels: Array | None = None) -> Batch:
        channels_last = np.array(images.transpose(0, 2, 3, 1), dtype=self.dtype, order="C")
        return self._batch(self.engine.put(channels_last), labels)

    def keep(self, pixels: Array, table: Array) -> Resident:
        channels_last = np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
        return Resident(self.engine.put(channels_last), self.engine.put(table.astype(self.dtype)))

    def picked(self, kept: Resident, indices: Array, labels: Array | None = None) -> Batch:
        return self._batch(self._numbers(kept.pixels, kept.table, indices.astype(np.int32)), labels)

    def _batch(self, on_device: Any, labels: Array | None) -> Batch:
        if labels is not None and labels.dtype.kind == "f":
            labels = labels.astype(self.dtype)
        return Batch(on_device, None if labels is None else self.engine.put(labels))

    def inferring(self) -> AbstractContextManager[Any]:
        return backend.inferring()

    def infer(self, batch: Batch) -> Any:
        return self.engine.infer(batch.images)

    def prepare_training(self, optimizer: Optimizer) -> None:
        self.engine.sync_to_model()
        self.engine.prepare_training(optimizers.make(optimizer, self.variables))

    def set_learning_rate(self, rate: float) -> None:
        self.engine.sync_to_model()
        optimizers.set_learning_rate(self.engine.optimizer, rate)
        self.engine.sync_from_model()

    def optimizer_state(self) -> dict[str, Array]:
        self.engine.sync_to_model()
        kept = self.engine.optimizer.variables
        return {f"{number}.{v.path}": ops.convert_to_numpy(v).copy() for number, v in enumerate(kept)}

    def restore_optimizer(self, state: Weights) -> None:
        self.engine.sync_to_model()
        arrays = {int(key.partition(".")[0]): array for key, array in state.items()}
        for number, variable in enumerate(self.engine.optimizer.variables):
            variable.assign(arrays[number])
        self.engine.sync_from_model()

    def seed(self, number: int) -> None:
        backend.seed(number)
        if not self.generators:
            return
        self.engine.sync_to_model()
        for place, generator in enumerate(self.generators):
            generator.state.assign(np.array([number, place], np.uint32))
        self.engine.sync_from_model()

    def train_step(self, batch: Batch) -> Any:
        return self.engine.train_step(batch.images, batch.labels)

    def _loss(self, logits: Mapping[str, Any], labels: Any) -> Any:
        """Weighted sum over the heads."""
        heads = ((head.loss_weight, logits[head.name]) for head in self.network.heads)
        loss = self.network.loss
        return sum(weight * losses.of_head(loss, ops.cast(x, self.dtype), labels) for weight, x in heads)

    def _loss_of_named(self, values: Mapping[str, Any], labels: Any) -> Any:
        return self._loss({head.name: values[head.path] for head in self.network.heads}, labels)

    def read(self, result: Any) -> Array:
        return ops.convert_to_numpy(result).astype(np.float32)

    def switches(self) -> dict[str, str]:
        policies = {layer.dtype_policy.compute_dtype for layer in self.model.layers}
        return {
            "computes_in": ", ".join(sorted(policies)),
            "image_data_format": keras.config.image_data_format(),
            **self.engine.switches(),
        }

    def synchronize(self) -> None:
        self.engine.synchronize()

    def peak_device_bytes(self) -> int | None:
        return self.engine.peak_device_bytes()
