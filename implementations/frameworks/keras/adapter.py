"""Keras behind the protocol of ``implementations.network``.

The model is Keras' own on every backend; what Keras leaves to its backend (gradient tape,
compilation, synchronisation) is TensorFlow's, at the end of this file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from implementations import spec
from implementations.frameworks.keras import optimizers
from implementations.frameworks.keras.layers import functional
from implementations.frameworks.keras.layout import Layout
from implementations.network import Array, Settings, Weights
from implementations.training import Optimizer


def configure(settings: Settings) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(settings.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    # Policy "equal": float32 means float32.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    for device in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(device, True)


def versions() -> dict[str, str]:
    found = {"keras": keras.__version__, "tensorflow": tf.__version__}
    built = tf.sysconfig.get_build_info()
    return found | {
        key: str(built[f"{key}_version"]) for key in ("cuda", "cudnn") if f"{key}_version" in built
    }


def cuda_devices() -> list[str]:
    devices = tf.config.list_physical_devices("GPU")
    return [str(tf.config.experimental.get_device_details(d).get("device_name", d.name)) for d in devices]


def build(network: spec.Network, weights: Weights, settings: Settings, *, training: bool) -> "KerasNetwork":
    return KerasNetwork(network if training else network.inference(), weights, settings, training)


class Batch(NamedTuple):
    images: Any
    labels: Any


class KerasNetwork:
    """A built network; see ``implementations.network.Built``."""

    def __init__(self, network: spec.Network, weights: Weights, settings: Settings, training: bool) -> None:
        self.network, self.training = network, training
        self.device = f"/{settings.device.replace('cuda', 'GPU')}"
        self.precision = settings.precision
        keras.config.set_dtype_policy(settings.precision)
        with tf.device(self.device):
            self.model = functional(network)
        self.layout = Layout(network)
        self.variables = dict(self._variables())
        self.load(weights)
        self._infer = tf.function(lambda images: self.model(images, training=False)["main"])
        self._loss_and_gradients = tf.function(self._backward)

    def _variables(self) -> Any:
        for layer in self.model.layers:
            for variable in layer.weights:
                kind = "bias" if variable.name == "bias" else "weight"
                yield f"{layer.name}.{kind}", variable

    def parameters(self) -> dict[str, tuple[spec.Shape, bool]]:
        shapes = {path: value.shape for path, value in self.weights().items()}
        return {path: (shapes[path], v.trainable) for path, v in self.variables.items()}

    def load(self, weights: Weights) -> None:
        for path, variable in self.variables.items():
            layer, _, _ = path.rpartition(".")
            variable.assign(self.layout.to_keras(layer, weights[path]))

    def weights(self) -> dict[str, Array]:
        return {path: self._canonical(path, variable) for path, variable in self.variables.items()}

    def _canonical(self, path: str, value: Any) -> Array:
        layer, _, _ = path.rpartition(".")
        return self.layout.from_keras(layer, ops.convert_to_numpy(value))

    def outputs(self, images: Array) -> Array:
        return ops.convert_to_numpy(self.infer(self.put(images)))

    def activations(self, images: Array) -> dict[str, Array]:
        tensors = {node.path: self.model.get_layer(node.path).output for node in self.network.nodes}
        shown = keras.Model(self.model.input, tensors)
        values: Mapping[str, Any] = shown(self.put(images).images, training=self.training)
        return {path: self.layout.activation(path, np.asarray(v)) for path, v in values.items()}

    def gradients(self, images: Array, labels: Array) -> tuple[float, dict[str, Array]]:
        batch = self.put(images, labels)
        loss, gradients = self._loss_and_gradients(batch.images, batch.labels)
        named = zip(self.variables, gradients, strict=True)
        return float(loss), {path: self._canonical(path, g) for path, g in named if g is not None}

    def export(self, path: Path) -> None:
        from implementations.frameworks.keras import export  # the exporter is not needed to measure

        export.to_onnx(self.model, self.variables, self.weights(), self.network, path)

    def put(self, images: Array, labels: Array | None = None) -> Batch:
        with tf.device(self.device):
            on_device = tf.constant(images.transpose(0, 2, 3, 1), dtype=self.precision)
            return Batch(on_device, None if labels is None else tf.constant(labels))

    def infer(self, batch: Batch) -> Any:
        return self._infer(batch.images)

    def prepare_training(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizers.make(optimizer)
        self.optimizer.build(list(self.variables.values()))
        self._step = tf.function(self._update)

    def train_step(self, batch: Batch) -> Any:
        return self._step(batch.images, batch.labels)

    # --- What Keras leaves to its backend ---

    def _loss(self, images: Any, labels: Any) -> Any:
        logits = self.model(images, training=True)
        losses = [
            head.loss_weight
            * ops.mean(ops.sparse_categorical_crossentropy(labels, logits[head.name], from_logits=True))
            for head in self.network.heads
        ]
        return sum(losses)

    def _backward(self, images: Any, labels: Any) -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            loss = self._loss(images, labels)
        return loss, tape.gradient(loss, [v.value for v in self.variables.values()])

    def _update(self, images: Any, labels: Any) -> Any:
        loss, gradients = self._backward(images, labels)
        self.optimizer.apply(gradients, list(self.variables.values()))
        return loss

    def synchronize(self) -> None:
        if "GPU" in self.device:
            tf.test.experimental.sync_devices()

    def peak_device_bytes(self) -> int | None:
        if "GPU" not in self.device:
            return None
        return int(tf.config.experimental.get_memory_info(self.device.strip("/"))["peak"])
