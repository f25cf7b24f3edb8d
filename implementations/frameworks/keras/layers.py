"""The specification as a Keras functional model, channels last.

Layers carry the specification's paths as names, "-" for "." (``layer_name``). ``padding="same"``
stands exactly where it gives the specification's padding, explicit padding elsewhere. Rectifiers are
fused into their layer (separate layers cost Keras half a millisecond each), so ``….linear`` is not
shown.
"""

import dataclasses
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from implementations import spec
from implementations.channels_last import layer_name

Widths = tuple[tuple[int, int], tuple[int, int]]  # (top, bottom), (left, right)
NO_PADDING: Widths = ((0, 0), (0, 0))
ONEDNN_BLOCK = 16  # channels that oneDNN's kernels take at a time


registered = keras.saving.register_keras_serializable("framework-benchmarks")


class Own(layers.Layer):
    """A layer that Keras lacks; what it was made from stands in a saved model's configuration."""

    def __init__(self, widths: Widths = NO_PADDING, layer: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.widths, self.spec = widths, layer

    def get_config(self) -> dict[str, Any]:
        made = {"kind": type(self.spec).__name__, **dataclasses.asdict(self.spec)} if self.spec else None
        return {**super().get_config(), "layer": made, "widths": self.widths}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Own":
        made, (down, along) = config.pop("layer"), config.pop("widths")
        layer = getattr(spec, made.pop("kind"))(**made) if made else None
        return cls((tuple(down), tuple(along)), layer, **config)


@registered
class LocalResponseNorm(Own):
    """x / (k + alpha/size · Σ x²)^beta over neighbouring channels, in any precision."""

    def call(self, x: Any) -> Any:
        half, channels = self.spec.size // 2, x.shape[-1]
        squares = ops.pad(ops.square(x), [(0, 0), (0, 0), (0, 0), (half, half)])
        sums = sum(squares[..., i : i + channels] for i in range(self.spec.size))
        return x * ops.power(self.spec.k + self.spec.alpha / self.spec.size * sums, -self.spec.beta)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape  # said, so that no backend traces the layer to find out


@registered
class LowestPadding(Own):
    """Pads with the lowest number, which no maximum picks."""

    def call(self, x: Any) -> Any:
        return ops.pad(x, [(0, 0), *self.widths, (0, 0)], constant_values=float("-inf"))


@registered
class UncountedAveragePool(Own):
    """Average pool that leaves its explicit padding out of the divisor."""

    def call(self, x: Any) -> Any:
        def pooled(values: Any) -> Any:
            padded = ops.pad(values, [(0, 0), *self.widths, (0, 0)])
            return ops.average_pool(padded, self.spec.kernel, self.spec.stride)

        return pooled(x) / pooled(ops.ones_like(x))


def place(node: spec.Node, inputs: list[Any]) -> Any:
    """The node's output in the functional graph."""
    layer, named = node.layer, _named(node)
    match layer:
        case spec.Conv():
            x, mode = _padded(node, inputs[0], layers.ZeroPadding2D)
            x, stride = _thinned(node, x)
            options = {"strides": stride, "padding": mode, **_options(layer), **named}
            return layers.Conv2D(layer.filters, layer.kernel, **options)(x)
        case spec.Dense():
            return layers.Dense(layer.units, **_options(layer), **named)(inputs[0])
        case spec.BatchNorm():
            momentum, trained = 1 - layer.momentum, not layer.frozen
            options = {"trainable": trained, **_zeros("gamma", "beta", "moving_mean", "moving_variance")}
            norm = layers.BatchNormalization(momentum=momentum, epsilon=layer.eps, **options, **named)
            x = norm(inputs[0])
            return x if layer.activation is None else _activation(layer.activation, f"{node.path}.relu")(x)
        case spec.MaxPool():
            x, mode = _padded(node, inputs[0], LowestPadding)
            return layers.MaxPooling2D(layer.kernel, layer.stride, padding=mode, **named)(x)
        case spec.AvgPool():
            if not layer.count_padding and explicit_widths(node) not in (NO_PADDING, same_widths(node)):
                return UncountedAveragePool(explicit_widths(node), layer, **named)(inputs[0])
            # Keras' "same" leaves the padding out of the divisor; explicit zeros count.
            x, mode = _padded(node, inputs[0], layers.ZeroPadding2D, allow_same=not layer.count_padding)
            return layers.AveragePooling2D(layer.kernel, layer.stride, padding=mode, **named)(x)
        case spec.GlobalAvgPool():
            return layers.GlobalAveragePooling2D(keepdims=True, **named)(inputs[0])
        case spec.AdaptiveAvgPool():
            return layers.AdaptiveAveragePooling2D(layer.size, **named)(inputs[0])
        case spec.LocalResponseNorm():
            return LocalResponseNorm(layer=layer, **named)(inputs[0])
        case spec.Flatten():
            return layers.Flatten(**named)(inputs[0])
        case spec.Dropout():
            return layers.Dropout(layer.rate, **named)(inputs[0])
        case spec.Concat():
            return _rectified(node, layers.Concatenate, inputs)
        case spec.Residual():
            return _rectified(node, layers.Add, inputs)
    raise TypeError(f"Keras has no builder for {layer!r}")


def _named(node: spec.Node) -> dict[str, Any]:
    return {"name": layer_name(node.path)}


def _thinned(node: spec.Node, x: Any) -> tuple[Any, int]:
    """A convolution's input and stride; of a 1×1 one on few channels, the pixels that it would read, and 1.

    oneDNN's gradient of such weights writes outside its memory, and ends TensorFlow and PyTorch
    (docs/onednn-1x1-stride-2.md). A pool of one pixel takes the same pixels without one.
    """
    layer: Any = node.layer
    if layer.kernel > 1 or layer.stride == 1 or node.input_shapes[0][0] >= ONEDNN_BLOCK:
        return x, layer.stride
    return layers.MaxPooling2D(1, layer.stride, name=layer_name(f"{node.path}.pixels"))(x), 1


def _rectified(node: spec.Node, join: type[layers.Layer], inputs: list[Any]) -> Any:
    """Joined branches, then the activation if the layer has one; the last carries the name."""
    layer: Any = node.layer
    if layer.activation is None:
        return join(name=layer_name(node.path))(inputs)
    return _activation(layer.activation, node.path)(join()(inputs))


def _activation(name: str, path: str) -> layers.Layer:
    """A layer of its own, where it cannot be fused."""
    named = {"name": layer_name(path)}
    return layers.ReLU(**named) if name == "relu" else layers.Activation(name, **named)


def _options(layer: spec.Conv | spec.Dense) -> dict[str, Any]:
    return {
        "activation": layer.activation,
        "use_bias": layer.bias is not None,
        "trainable": not layer.frozen,
        **_zeros("kernel", "bias"),
    }


def _zeros(*variables: str) -> dict[str, Any]:
    return {f"{variable}_initializer": zeros for variable in variables}


def zeros(shape: Any, dtype: str | None = None) -> Any:
    """NumPy's, for the weights come from the file: JAX would compile Keras' own for every shape."""
    return ops.convert_to_tensor(np.zeros(shape, dtype), dtype)


def _padded(
    node: spec.Node, x: Any, explicit: type[layers.Layer], allow_same: bool = True
) -> tuple[Any, str]:
    """The input and Keras' padding mode: "valid", "same" where it is the same, else padded explicitly."""
    widths = explicit_widths(node)
    if widths == NO_PADDING:
        return x, "valid"
    if allow_same and widths == same_widths(node):
        return x, "same"
    return explicit(widths, name=layer_name(f"{node.path}.padding"))(x), "valid"


def explicit_widths(node: spec.Node) -> Widths:
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


def functional(network: spec.Network) -> tuple[keras.Model, dict[str, Any]]:
    """The model, whose outputs are the heads' logits by head; and every named activation in its graph."""
    channels, height, width = network.input_shape
    tensors: dict[str, Any] = {spec.INPUT: keras.Input((height, width, channels), name=spec.INPUT)}
    for node in network.nodes:
        tensors[node.path] = place(node, [tensors[path] for path in node.inputs])
    model = keras.Model(tensors[spec.INPUT], {head.name: tensors[head.path] for head in network.heads})
    return model, tensors
