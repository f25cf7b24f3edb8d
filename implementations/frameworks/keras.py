"""The specification as a Keras functional model, channels last.

Layers carry the specification's paths as names. ``padding="same"`` stands exactly where it gives
the specification's padding, explicit padding elsewhere. Rectifiers are fused into their layer
(separate layers cost Keras half a millisecond each), so ``….linear`` is not shown.

The model is Keras' own on every backend; what Keras leaves to its backend (gradient tape,
compilation, synchronisation) is TensorFlow's, at the end of this file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from implementations import spec
from implementations.network import Array, Settings, Weights
from implementations.training import SGD, Optimizer

OPSET = 18
NO_PADDING = ((0, 0), (0, 0))


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


# --- Layers -------------------------------------------------------------------------------


class LocalResponseNorm(layers.Layer):
    """x / (k + alpha/size · Σ x²)^beta over neighbouring channels, in any precision."""

    def __init__(self, layer: spec.LocalResponseNorm, **options: Any) -> None:
        super().__init__(**options)
        self.spec = layer

    def call(self, x: Any) -> Any:
        half, channels = self.spec.size // 2, x.shape[-1]
        squares = ops.pad(ops.square(x), [(0, 0), (0, 0), (0, 0), (half, half)])
        sums = sum(squares[..., i : i + channels] for i in range(self.spec.size))
        return x * ops.power(self.spec.k + self.spec.alpha / self.spec.size * sums, -self.spec.beta)


class LowestPadding(layers.Layer):
    """Pads with the lowest number, which no maximum picks."""

    def __init__(self, widths: tuple[tuple[int, int], tuple[int, int]], **options: Any) -> None:
        super().__init__(**options)
        self.widths = widths

    def call(self, x: Any) -> Any:
        return ops.pad(x, [(0, 0), *self.widths, (0, 0)], constant_values=float("-inf"))


class UncountedAveragePool(layers.Layer):
    """Average pool that leaves its explicit padding out of the divisor."""

    def __init__(
        self, layer: spec.AvgPool, widths: tuple[tuple[int, int], tuple[int, int]], **options: Any
    ) -> None:
        super().__init__(**options)
        self.spec, self.widths = layer, widths

    def call(self, x: Any) -> Any:
        def pooled(values: Any) -> Any:
            padded = ops.pad(values, [(0, 0), *self.widths, (0, 0)])
            return ops.average_pool(padded, self.spec.kernel, self.spec.stride)

        return pooled(x) / pooled(ops.ones_like(x))


def place(node: spec.Node, inputs: list[Any]) -> Any:
    """The node's output in the functional graph."""
    layer, named = node.layer, {"name": node.path}
    match layer:
        case spec.Conv():
            x, mode = _padded(node, inputs[0], layers.ZeroPadding2D)
            options = {"strides": layer.stride, "padding": mode, **_options(layer), **named}
            return layers.Conv2D(layer.filters, layer.kernel, **options)(x)
        case spec.Dense():
            return layers.Dense(layer.units, **_options(layer), **named)(inputs[0])
        case spec.MaxPool():
            x, mode = _padded(node, inputs[0], LowestPadding)
            return layers.MaxPooling2D(layer.kernel, layer.stride, padding=mode, **named)(x)
        case spec.AvgPool():
            if not layer.count_padding and explicit_widths(node) not in (NO_PADDING, same_widths(node)):
                return UncountedAveragePool(layer, explicit_widths(node), **named)(inputs[0])
            # Keras' "same" leaves the padding out of the divisor; explicit zeros count.
            x, mode = _padded(node, inputs[0], layers.ZeroPadding2D, allow_same=not layer.count_padding)
            return layers.AveragePooling2D(layer.kernel, layer.stride, padding=mode, **named)(x)
        case spec.GlobalAvgPool():
            return layers.GlobalAveragePooling2D(keepdims=True, **named)(inputs[0])
        case spec.LocalResponseNorm():
            return LocalResponseNorm(layer, **named)(inputs[0])
        case spec.Flatten():
            return layers.Flatten(**named)(inputs[0])
        case spec.Dropout():
            return layers.Dropout(layer.rate, **named)(inputs[0])
        case spec.Concat():
            return layers.Concatenate(**named)(inputs)
        case spec.Residual():
            if layer.activation is None:
                return layers.Add(**named)(inputs)
            return layers.ReLU(**named)(layers.Add()(inputs))
    raise TypeError(f"Keras has no builder for {layer!r}")


def _options(layer: spec.Conv | spec.Dense) -> dict[str, Any]:
    """No framework initialiser: the weights come from the file."""
    return {
        "activation": layer.activation,
        "use_bias": layer.bias is not None,
        "kernel_initializer": "zeros",
    }


def _padded(
    node: spec.Node, x: Any, explicit: type[layers.Layer], allow_same: bool = True
) -> tuple[Any, str]:
    """The input and Keras' padding mode: "valid", "same" where it is the same, else padded explicitly."""
    widths = explicit_widths(node)
    if widths == NO_PADDING:
        return x, "valid"
    if allow_same and widths == same_widths(node):
        return x, "same"
    return explicit(widths, name=f"{node.path}.padding")(x), "valid"


def explicit_widths(node: spec.Node) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)) with what a last partial window needs (Keras has no ceil mode)."""
    layer: Any = node.layer
    top, bottom, left, right = spec.sides(layer.padding)
    (_, height, width), (_, rows, columns) = node.input_shapes[0], node.output_shape
    down = (rows - 1) * layer.stride + layer.kernel - (height + top + bottom)
    along = (columns - 1) * layer.stride + layer.kernel - (width + left + right)
    return (top, bottom + max(0, down)), (left, right + max(0, along))


def same_widths(node: spec.Node) -> tuple[tuple[int, int], ...]:
    """What ``padding="same"`` pads: as little as gives ceil(size / stride), the odd one at the end."""
    layer: Any = node.layer
    widths = []
    for size in node.input_shapes[0][1:]:
        total = max(0, (-(-size // layer.stride) - 1) * layer.stride + layer.kernel - size)
        widths.append((total // 2, total - total // 2))
    return tuple(widths)


def functional(network: spec.Network) -> keras.Model:
    """The model; its outputs are the heads' logits by head."""
    channels, height, width = network.input_shape
    tensors: dict[str, Any] = {spec.INPUT: keras.Input((height, width, channels), name=spec.INPUT)}
    for node in network.nodes:
        tensors[node.path] = place(node, [tensors[path] for path in node.inputs])
    return keras.Model(tensors[spec.INPUT], {head.name: tensors[head.path] for head in network.heads})


# --- Layouts ------------------------------------------------------------------------------


class Layout:
    """Converts between Keras' channels-last arrays and the specification's."""

    def __init__(self, network: spec.Network) -> None:
        # (channels, height, width) before the flatten that a dense layer or an activation comes from
        self.flattened: dict[str, spec.Shape] = {}
        for node in network.nodes:
            if isinstance(node.layer, spec.Flatten):
                self.flattened[node.path] = node.input_shapes[0]
            elif isinstance(node.layer, spec.Dropout) and node.inputs[0] in self.flattened:
                self.flattened[node.path] = self.flattened[node.inputs[0]]
        self.before = {node.path: node.inputs[0] for node in network.nodes}

    def to_keras(self, layer: str, value: Array) -> Array:
        """A parameter of ``layer`` from the specification's layout."""
        if value.ndim == 4:
            return value.transpose(2, 3, 1, 0)
        if value.ndim == 2 and (shape := self.flattened.get(self.before[layer])):
            return value.reshape(-1, *shape).transpose(2, 3, 1, 0).reshape(-1, len(value))
        return value.T

    def from_keras(self, layer: str, value: Array) -> Array:
        """A parameter or gradient of ``layer`` in the specification's layout."""
        if value.ndim == 4:
            return value.transpose(3, 2, 0, 1)
        if value.ndim == 2 and (shape := self.flattened.get(self.before[layer])):
            channels, height, width = shape
            whole = value.reshape(height, width, channels, -1)
            return whole.transpose(3, 2, 0, 1).reshape(value.shape[1], -1)
        return value.T

    def activation(self, path: str, value: Array) -> Array:
        if value.ndim == 4:
            return value.transpose(0, 3, 1, 2)
        if shape := self.flattened.get(path):
            channels, height, width = shape
            whole = value.reshape(-1, height, width, channels)
            return whole.transpose(0, 3, 1, 2).reshape(len(value), -1)
        return value


# --- The protocol -------------------------------------------------------------------------


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
        main = keras.Model(self.model.input, self.model.output["main"])
        main(self.put(np.zeros((1, *self.network.input_shape))).images)  # Keras exports called models only
        main.export(path, format="onnx", opset_version=OPSET, verbose=False)

    def put(self, images: Array, labels: Array | None = None) -> Batch:
        with tf.device(self.device):
            on_device = tf.constant(images.transpose(0, 2, 3, 1), dtype=self.precision)
            return Batch(on_device, None if labels is None else tf.constant(labels))

    def infer(self, batch: Batch) -> Any:
        return self._infer(batch.images)

    def prepare_training(self, optimizer: Optimizer) -> None:
        if isinstance(optimizer, SGD):
            self.optimizer = keras.optimizers.SGD(optimizer.learning_rate, optimizer.momentum)
        else:
            self.optimizer = keras.optimizers.Adam(
                optimizer.learning_rate, optimizer.beta1, optimizer.beta2, optimizer.epsilon
            )
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
