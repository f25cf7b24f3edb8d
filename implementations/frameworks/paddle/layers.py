"""The specification as PaddlePaddle layers, in dynamic mode.

Sublayers nest as the specification's paths do, so ``state_dict()`` keys are the paths. An activation
is a sublayer beside its layer (``conv1``, ``conv1_relu``).
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import paddle
from paddle import Tensor, nn

from implementations import spec

ACTIVATIONS: dict[str, Callable[[], Any]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
}


def run(steps: Iterable[nn.Layer], x: Tensor) -> Tensor:
    for step in steps:
        x = step(x)
    return x


class Concat(nn.Layer):
    """Branches on one input, joined along the channels."""

    def __init__(self, layer: spec.Concat, builder: "Builder", path: str) -> None:
        super().__init__()
        self.branches = [builder.chain(self, branch, f"{path}.") for branch in layer.branches]

    def forward(self, x: Tensor) -> Tensor:
        return paddle.concat([run(branch, x) for branch in self.branches], axis=1)


class Residual(nn.Layer):
    """Branches on one input, added."""

    def __init__(self, layer: spec.Residual, builder: "Builder", path: str) -> None:
        super().__init__()
        self.branches = [builder.chain(self, branch, f"{path}.") for branch in layer.branches]

    def forward(self, x: Tensor) -> Tensor:
        # Not add_n, which takes twice as long as add (docs/witnesses.md).
        return functools.reduce(paddle.add, [run(branch, x) for branch in self.branches])


class Auxiliary(nn.Layer):
    """A side head."""

    def __init__(self, layer: spec.Auxiliary, builder: "Builder", path: str) -> None:
        super().__init__()
        self.steps = builder.chain(self, layer.layers, f"{path}.")

    def forward(self, x: Tensor) -> Tensor:
        return run(self.steps, x)


class Trunk(nn.Layer):
    """The whole network: logits of the main head and, in training, of the auxiliary heads."""

    def __init__(self, layers: Iterable[spec.Layer], builder: "Builder") -> None:
        super().__init__()
        self.steps = builder.chain(self, layers, "")

    def forward(self, x: Tensor) -> list[Tensor]:
        return self.heads(x, auxiliary=self.training)

    def heads(self, x: Tensor, *, auxiliary: bool) -> list[Tensor]:
        heads = []
        for step in self.steps:
            if not isinstance(step, Auxiliary):
                x = step(x)
            elif auxiliary:
                heads.append(step(x))
        return [x, *heads]


class Builder:
    """Makes Paddle layers, and remembers which one gives which named activation."""

    def __init__(self, network: spec.Network) -> None:
        self.nodes = network.by_path
        self.taps: dict[str, nn.Layer] = {}

    def chain(self, parent: nn.Layer, layers: Iterable[spec.Layer], prefix: str) -> list[nn.Layer]:
        """Register the layers in ``parent``; return them in the order in which they run."""
        steps = []
        for layer in layers:
            for suffix, made in self.layers(layer, prefix + layer.name):
                parent.add_sublayer(layer.name + suffix, made)
                steps.append(made)
        return steps

    def layers(self, layer: spec.Layer, path: str) -> list[tuple[str, nn.Layer]]:
        """(name's suffix, layer): padding where the layer cannot pad by itself, layer, activation."""
        made = [*self.explicit_padding(layer), ("", self.layer(layer, path))]
        if getattr(layer, "frozen", False):
            for parameter in made[-1][1].parameters():
                parameter.stop_gradient = True
        self.taps[path] = made[-1][1]
        if activation := getattr(layer, "activation", None):
            made.append((f"_{activation}", ACTIVATIONS[activation]()))
            self.taps |= {f"{path}.linear": self.taps[path], path: made[-1][1]}
        return made

    def explicit_padding(self, layer: spec.Layer) -> list[tuple[str, nn.Layer]]:
        padding = getattr(layer, "padding", 0)
        if isinstance(padding, int) or isinstance(layer, spec.Conv):
            return []
        top, bottom, left, right = padding
        value = float("-inf") if isinstance(layer, spec.MaxPool) else 0.0
        return [("_pad", nn.Pad2D([left, right, top, bottom], value=value))]

    def layer(self, layer: spec.Layer, path: str) -> nn.Layer:
        padding = getattr(layer, "padding", 0)
        padding = padding if isinstance(padding, int) else 0  # else padded explicitly
        match layer:
            case spec.Conv():
                channels = self.nodes[path].input_shapes[0][0]
                sides = layer.padding if isinstance(layer.padding, int) else list(layer.padding)
                return nn.Conv2D(
                    channels, layer.filters, layer.kernel, layer.stride, sides, **_attributes(layer)
                )
            case spec.Dense():
                (features,) = self.nodes[path].input_shapes[0]
                return nn.Linear(features, layer.units, **_attributes(layer))
            case spec.BatchNorm():
                channels = self.nodes[path].input_shapes[0][0]
                statistics = True if layer.frozen else None  # None: as train() and eval() say
                return nn.BatchNorm2D(channels, 1 - layer.momentum, layer.eps, use_global_stats=statistics)
            case spec.MaxPool():
                return nn.MaxPool2D(layer.kernel, layer.stride, padding, ceil_mode=layer.ceil)
            case spec.AvgPool():
                exclusive = not layer.count_padding
                return nn.AvgPool2D(layer.kernel, layer.stride, padding, exclusive=exclusive)
            case spec.GlobalAvgPool():
                return nn.AdaptiveAvgPool2D(1)
            case spec.AdaptiveAvgPool():
                return nn.AdaptiveAvgPool2D(layer.size)
            case spec.LocalResponseNorm():
                return nn.LocalResponseNorm(layer.size, layer.alpha, layer.beta, layer.k)
            case spec.Flatten():
                return nn.Flatten()
            case spec.Dropout():
                return nn.Dropout(layer.rate)
            case spec.Concat():
                return Concat(layer, self, path)
            case spec.Residual():
                return Residual(layer, self, path)
            case spec.Auxiliary():
                return Auxiliary(layer, self, path)
        raise TypeError(f"Paddle has no builder for {layer!r}")


def _attributes(layer: spec.Conv | spec.Dense) -> dict[str, Any]:
    """No framework initialiser: the weights come from the file."""
    zeros = paddle.ParamAttr(initializer=nn.initializer.Constant(0.0))
    return {"weight_attr": zeros, "bias_attr": zeros if layer.bias is not None else False}
