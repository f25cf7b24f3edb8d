"""The vocabulary of the specification: layers as frozen data, and the arithmetic on them.

A network is a tuple of named layers; nothing about it is implied. Shapes, parameters and
multiply-adds follow by arithmetic. Standard library only: ``describe`` must start at once,
and no framework's opinion may leak in.

Shapes leave the batch out: ``(channels, height, width)`` or ``(features,)``. The file is long because it
is one vocabulary: initialisers, layers, losses, networks, in this order.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

Shape = tuple[int, ...]
Padding = int | tuple[int, int, int, int]
Activation = Literal["relu", "sigmoid", "tanh", "elu"] | None
INPUT = "input"


class ShapeError(ValueError):
    """A layer cannot take the shape that reaches it."""


# --- Initialisers -------------------------------------------------------------------------


@dataclass(frozen=True)
class Constant:
    """Every element is ``value``."""

    value: float = 0.0


@dataclass(frozen=True)
class GlorotUniform:
    """Uniform in ±sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, equation 16)."""


@dataclass(frozen=True)
class GlorotNormal:
    """Normal, not truncated, standard deviation sqrt(2 / (fan_in + fan_out)) (its variance)."""


@dataclass(frozen=True)
class HeNormal:
    """Normal, not truncated, standard deviation sqrt(2 / fan_in) (He et al. 2015, equation 10)."""


@dataclass(frozen=True)
class Normal:
    """Normal, not truncated, mean 0 and the given standard deviation."""

    std: float


Initializer = Constant | GlorotUniform | GlorotNormal | HeNormal | Normal


@dataclass(frozen=True)
class Parameter:
    """One array of a network: ``[out, in, height, width]``, ``[out, in]`` or ``[out]``."""

    path: str
    shape: Shape
    initializer: Initializer
    trainable: bool = True

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def fan_in(self) -> int:
        return math.prod(self.shape[1:])

    @property
    def fan_out(self) -> int:
        return self.shape[0] * math.prod(self.shape[2:])


# --- Layers -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layer:
    """What all layers share: a name, unique among its neighbours."""

    name: str

    def output_shape(self, *inputs: Shape) -> Shape:
        """The shape that comes out; ``ShapeError`` if ``inputs`` cannot be taken."""
        return inputs[0]

    def parameters(self, path: str, *inputs: Shape) -> tuple[Parameter, ...]:
        """The layer's arrays under ``path``."""
        return ()

    def multiply_adds(self, *inputs: Shape) -> int:
        """Multiply-adds of one image (1 multiply-add = 2 FLOP); bias and activation not counted."""
        return 0


@dataclass(frozen=True)
class Conv(Layer):
    """Square convolution (cross-correlation), bias, then the activation."""

    filters: int
    kernel: int
    stride: int = 1
    padding: Padding = 0
    activation: Activation = None
    weight: Initializer = GlorotUniform()
    bias: Initializer | None = Constant(0.0)
    frozen: bool = False

    def output_shape(self, *inputs: Shape) -> Shape:
        height, width = window_counts(inputs[0], self.kernel, self.stride, self.padding, ceil=False)
        return (self.filters, height, width)

    def parameters(self, path: str, *inputs: Shape) -> tuple[Parameter, ...]:
        return _weight_and_bias(self, path, (self.filters, inputs[0][0], self.kernel, self.kernel))

    def multiply_adds(self, *inputs: Shape) -> int:
        return math.prod(self.output_shape(*inputs)) * inputs[0][0] * self.kernel**2


@dataclass(frozen=True)
class Dense(Layer):
    """Fully connected layer on a flat input, bias, then the activation."""

    units: int
    activation: Activation = None
    weight: Initializer = GlorotUniform()
    bias: Initializer | None = Constant(0.0)
    frozen: bool = False

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(inputs[0]) != 1:
            raise ShapeError(f"{self.name} needs a flat input, not {inputs[0]}")
        return (self.units,)

    def parameters(self, path: str, *inputs: Shape) -> tuple[Parameter, ...]:
        return _weight_and_bias(self, path, (self.units, inputs[0][0]))

    def multiply_adds(self, *inputs: Shape) -> int:
        return self.units * inputs[0][0]


@dataclass(frozen=True)
class BatchNorm(Layer):
    """(x − mean) / sqrt(variance + eps) · weight + bias per channel, then the activation.

    In training by the batch's own mean and biased variance; at inference, and when frozen, by the
    running statistics, of which each training step replaces the share ``momentum`` (PyTorch's
    meaning; Keras and Paddle give 1 − this). Whether the running variance is the unbiased one is the
    framework's declared form.
    """

    eps: float
    momentum: float
    activation: Activation = None
    frozen: bool = False

    def parameters(self, path: str, *inputs: Shape) -> tuple[Parameter, ...]:
        shape, trained = inputs[0][:1], not self.frozen
        return (
            Parameter(f"{path}.weight", shape, Constant(1.0), trained),
            Parameter(f"{path}.bias", shape, Constant(0.0), trained),
            Parameter(f"{path}.running_mean", shape, Constant(0.0), trainable=False),
            Parameter(f"{path}.running_var", shape, Constant(1.0), trainable=False),
        )


@dataclass(frozen=True)
class MaxPool(Layer):
    """Maximum over square windows; padding and the ceil overflow never win."""

    kernel: int
    stride: int
    padding: Padding = 0
    ceil: bool = False

    def output_shape(self, *inputs: Shape) -> Shape:
        counts = window_counts(inputs[0], self.kernel, self.stride, self.padding, ceil=self.ceil)
        return (inputs[0][0], *counts)


@dataclass(frozen=True)
class AvgPool(Layer):
    """Mean over square windows; ``count_padding`` says whether padding counts in the divisor."""

    kernel: int
    stride: int
    padding: Padding = 0
    count_padding: bool = False

    def output_shape(self, *inputs: Shape) -> Shape:
        counts = window_counts(inputs[0], self.kernel, self.stride, self.padding, ceil=False)
        return (inputs[0][0], *counts)


@dataclass(frozen=True)
class GlobalAvgPool(Layer):
    """Mean over all positions; keeps (channels, 1, 1)."""

    def output_shape(self, *inputs: Shape) -> Shape:
        return (inputs[0][0], 1, 1)


@dataclass(frozen=True)
class AdaptiveAvgPool(Layer):
    """Mean over ``size`` × ``size`` windows that cover the input, as PyTorch and Paddle cut them.

    Window i of n over length l runs from floor(i · l / n) to ceil((i + 1) · l / n).
    """

    size: int

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(inputs[0]) != 3 or min(inputs[0][1:]) < self.size:
            raise ShapeError(f"{self.name} cannot cut {inputs[0]} into {self.size}×{self.size} windows")
        return (inputs[0][0], self.size, self.size)


@dataclass(frozen=True)
class LocalResponseNorm(Layer):
    """x / (k + alpha/size · Σ x²)^beta over ``size`` neighbouring channels (odd).

    ``alpha`` is divided by the window's size, as in Caffe, PyTorch and ONNX; TensorFlow's own
    operation does not divide and takes half the width.
    """

    size: int
    alpha: float
    beta: float
    k: float


@dataclass(frozen=True)
class Flatten(Layer):
    """To one axis, in channel, height, width order."""

    def output_shape(self, *inputs: Shape) -> Shape:
        return (math.prod(inputs[0]),)


@dataclass(frozen=True)
class Dropout(Layer):
    """In training, zeroes a share of ``rate`` and divides the rest by 1 − rate (inverted dropout)."""

    rate: float


@dataclass(frozen=True)
class Concat(Layer):
    """Branches on one input, joined along the channels in the order given, then the activation."""

    branches: tuple[tuple[Layer, ...], ...]
    activation: Activation = None

    def output_shape(self, *inputs: Shape) -> Shape:
        if len({shape[1:] for shape in inputs}) != 1:
            raise ShapeError(f"{self.name} joins branches of unlike sizes {inputs}")
        return (sum(shape[0] for shape in inputs), *inputs[0][1:])


@dataclass(frozen=True)
class Residual(Layer):
    """Sum of branches on one input (an empty branch is the identity), then the activation."""

    branches: tuple[tuple[Layer, ...], ...]
    activation: Activation = None

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(set(inputs)) != 1:
            raise ShapeError(f"{self.name} adds branches of unlike shapes {inputs}")
        return inputs[0]


@dataclass(frozen=True)
class Auxiliary(Layer):
    """A side head for training: its loss counts ``loss_weight``; inference drops it."""

    layers: tuple[Layer, ...]
    loss_weight: float


def _weight_and_bias(layer: Conv | Dense, path: str, shape: Shape) -> tuple[Parameter, ...]:
    weight = Parameter(f"{path}.weight", shape, layer.weight, not layer.frozen)
    if layer.bias is None:
        return (weight,)
    return weight, Parameter(f"{path}.bias", shape[:1], layer.bias, not layer.frozen)


def sides(padding: Padding) -> tuple[int, int, int, int]:
    """``padding`` as (top, bottom, left, right)."""
    return (padding,) * 4 if isinstance(padding, int) else padding


def window_counts(shape: Shape, kernel: int, stride: int, padding: Padding, *, ceil: bool) -> tuple[int, int]:
    """Windows along (height, width); with ``ceil`` a last, partial window counts if it starts inside."""
    if len(shape) != 3:
        raise ShapeError(f"a window needs (channels, height, width), not {shape}")
    top, bottom, left, right = sides(padding)
    return (
        _windows(shape[1], kernel, stride, top, bottom, ceil),
        _windows(shape[2], kernel, stride, left, right, ceil),
    )


def _windows(size: int, kernel: int, stride: int, before: int, after: int, ceil: bool) -> int:
    room = size + before + after - kernel
    if room < 0:
        raise ShapeError(f"a window of {kernel} does not fit into {size} with padding {before}+{after}")
    count = (math.ceil(room / stride) if ceil else room // stride) + 1
    starts_outside = (count - 1) * stride >= size + before
    return count - 1 if ceil and starts_outside else count


# --- Networks -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Loss:
    """On logits, over the batch: cross-entropy of softmax over classes or of one sigmoid unit, or squared.

    "squared" is the mean over the classes of the squared differences between softmax's probabilities and
    the label's row. Softmax takes integer labels (batch,) or rows of probabilities (batch, classes), a
    one-hot row meaning its integer: ``labels`` says which of them are fed. A base without a head has no
    loss ("none").
    """

    kind: Literal["softmax", "sigmoid", "squared", "none"] = "softmax"
    reduction: Literal["mean", "sum"] = "mean"
    labels: Literal["classes", "one_hot"] = "classes"


@dataclass(frozen=True)
class Node:
    """One layer placed in its network: where its inputs come from, and what follows by arithmetic."""

    path: str
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    auxiliary: bool

    @cached_property
    def output_shape(self) -> Shape:
        return self.layer.output_shape(*self.input_shapes)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.layer.parameters(self.path, *self.input_shapes)

    @cached_property
    def multiply_adds(self) -> int:
        return self.layer.multiply_adds(*self.input_shapes)


@dataclass(frozen=True)
class Head:
    """An output that has a loss: its name, the path of its logits, its weight in the total loss."""

    name: str
    path: str
    loss_weight: float


@dataclass(frozen=True)
class Network:
    """A network: named layers on inputs of ``input_shape``; the last layer gives ``classes`` logits.

    Without a loss it is a base: its last layer gives features, and ``classes`` is 0.
    """

    name: str
    input_shape: Shape
    classes: int
    layers: tuple[Layer, ...]
    source: str = field(default="", compare=False)
    loss: Loss = Loss()

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All layers in an order in which they can be computed; raises ``ShapeError``."""
        placed: list[Node] = []
        _place_chain(self.layers, (INPUT, self.input_shape), "", False, placed)
        return tuple(placed)

    @cached_property
    def by_path(self) -> dict[str, Node]:
        return {node.path: node for node in self.nodes}

    @cached_property
    def heads(self) -> tuple[Head, ...]:
        """The main head first, then the auxiliary heads in the order of the layers."""
        main = next(node.path for node in reversed(self.nodes) if not node.auxiliary)
        auxiliaries = (layer for layer in self.layers if isinstance(layer, Auxiliary))
        return (
            Head("main", main, 1.0),
            *(Head(a.name, f"{a.name}.{a.layers[-1].name}", a.loss_weight) for a in auxiliaries),
        )

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(parameter for node in self.nodes for parameter in node.parameters)

    @property
    def has_batch_norm(self) -> bool:
        return any(isinstance(node.layer, BatchNorm) for node in self.nodes)

    @property
    def multiply_adds(self) -> int:
        """Of one image's forward pass, auxiliary heads included."""
        return sum(node.multiply_adds for node in self.nodes)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the network's data: equal digests mean the same network."""
        text = json.dumps(_as_data(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def inference(self) -> "Network":
        """The same network as it is used after training: without auxiliary heads."""
        kept = tuple(layer for layer in self.layers if not isinstance(layer, Auxiliary))
        return dataclasses.replace(self, layers=kept)

    def edited(self, change: Callable[[str, Layer], Layer]) -> "Network":
        """The network with ``change(path, layer)`` in place of every layer, innermost first."""
        return dataclasses.replace(self, layers=_edit_chain(self.layers, "", change))

    def without_dropout(self) -> "Network":
        """The network that proofs run on: every dropout rate 0, so that training is deterministic."""
        return self.edited(
            lambda _, layer: dataclasses.replace(layer, rate=0.0) if isinstance(layer, Dropout) else layer
        )


def _place_chain(
    layers: tuple[Layer, ...],
    source: tuple[str, Shape],
    prefix: str,
    auxiliary: bool,
    placed: list[Node],
) -> tuple[str, Shape]:
    """Append the nodes of ``layers`` after ``source`` to ``placed``; return the chain's end."""
    for layer in layers:
        path = prefix + layer.name
        if isinstance(layer, Auxiliary):
            _place_chain(layer.layers, source, f"{path}.", True, placed)
            continue
        branches = layer.branches if isinstance(layer, Concat | Residual) else ((),)
        ends = [_place_chain(branch, source, f"{path}.", auxiliary, placed) for branch in branches]
        node = Node(path, layer, tuple(end[0] for end in ends), tuple(end[1] for end in ends), auxiliary)
        placed.append(node)
        source = (path, node.output_shape)
    return source


def _edit_chain(
    layers: tuple[Layer, ...], prefix: str, change: Callable[[str, Layer], Layer]
) -> tuple[Layer, ...]:
    return tuple(_edit_layer(layer, prefix + layer.name, change) for layer in layers)


def _edit_layer(layer: Layer, path: str, change: Callable[[str, Layer], Layer]) -> Layer:
    if isinstance(layer, Concat | Residual):
        branches = tuple(_edit_chain(branch, f"{path}.", change) for branch in layer.branches)
        layer = dataclasses.replace(layer, branches=branches)
    elif isinstance(layer, Auxiliary):
        layer = dataclasses.replace(layer, layers=_edit_chain(layer.layers, f"{path}.", change))
    return change(path, layer)


def _as_data(value: Any) -> Any:
    """``value`` as plain JSON data, class names included; documentation (``source``) left out.

    Fields at their default are left out too, so that the vocabulary can grow without new digests.
    """
    if dataclasses.is_dataclass(value):
        fields = [item for item in dataclasses.fields(value) if item.name != "source"]
        content = {item.name: getattr(value, item.name) for item in fields}
        changed = {
            item.name: _as_data(content[item.name]) for item in fields if content[item.name] != item.default
        }
        return {"type": type(value).__name__, **changed}
    return [_as_data(item) for item in value] if isinstance(value, tuple) else value


def trainable_sizes(parameters: Iterator[Parameter] | tuple[Parameter, ...]) -> tuple[int, int]:
    """(trainable, frozen) numbers of elements."""
    trainable = frozen = 0
    for parameter in parameters:
        if parameter.trainable:
            trainable += parameter.size
        else:
            frozen += parameter.size
    return trainable, frozen
