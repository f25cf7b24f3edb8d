"""The specification as PyTorch modules.

``print(net)`` shows ordinary layers; ``state_dict()`` keys are the specification's paths, because
modules nest as the paths do. An activation is a module beside its layer
(``conv1``, ``conv1_relu``).
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from implementations import spec

ACTIVATIONS: dict[str, Callable[[], Any]] = {
    "relu": functools.partial(nn.ReLU, inplace=True),
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
}


def run(steps: Iterable[nn.Module], x: Tensor) -> Tensor:
    for step in steps:
        x = step(x)
    return x


class Concat(nn.Module):
    """Branches on one input, joined along the channels."""

    def __init__(self, layer: spec.Concat, builder: "Builder", path: str) -> None:
        super().__init__()
        self.branches = [builder.chain(self, branch, f"{path}.") for branch in layer.branches]

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([run(branch, x) for branch in self.branches], dim=1)


class Residual(nn.Module):
    """Branches on one input, added."""

    def __init__(self, layer: spec.Residual, builder: "Builder", path: str) -> None:
        super().__init__()
        self.branches = [builder.chain(self, branch, f"{path}.") for branch in layer.branches]

    def forward(self, x: Tensor) -> Tensor:
        first, *others = (run(branch, x) for branch in self.branches)
        return sum(others, start=first)


class Auxiliary(nn.Module):
    """A side head."""

    def __init__(self, layer: spec.Auxiliary, builder: "Builder", path: str) -> None:
        super().__init__()
        self.steps = builder.chain(self, layer.layers, f"{path}.")

    def forward(self, x: Tensor) -> Tensor:
        return run(self.steps, x)


class Trunk(nn.Module):
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


class FrozenBatchNorm(nn.BatchNorm2d):
    """Batch norm that uses its running statistics in training too."""

    def train(self, mode: bool = True) -> "FrozenBatchNorm":
        return super().train(False)


class Builder:
    """Makes modules from layers, and remembers which module gives which named activation."""

    def __init__(self, network: spec.Network) -> None:
        self.nodes = network.by_path
        self.taps: dict[str, nn.Module] = {}

    def chain(self, parent: nn.Module, layers: Iterable[spec.Layer], prefix: str) -> list[nn.Module]:
        """Register the layers' modules in ``parent``; return them in the order in which they run."""
        steps = []
        for layer in layers:
            for suffix, module in self.modules(layer, prefix + layer.name):
                parent.add_module(layer.name + suffix, module)
                steps.append(module)
        return steps

    def modules(self, layer: spec.Layer, path: str) -> list[tuple[str, nn.Module]]:
        """(name's suffix, module): padding where the layer cannot pad by itself, layer, activation."""
        made = [*self.explicit_padding(layer), ("", self.module(layer, path))]
        if getattr(layer, "frozen", False):
            made[-1][1].requires_grad_(False)
        self.taps[path] = made[-1][1]
        if activation := getattr(layer, "activation", None):
            made.append((f"_{activation}", ACTIVATIONS[activation]()))
            self.taps |= {f"{path}.linear": self.taps[path], path: made[-1][1]}
        return made

    def explicit_padding(self, layer: spec.Layer) -> list[tuple[str, nn.Module]]:
        padding = getattr(layer, "padding", 0)
        if isinstance(padding, int):
            return []
        top, bottom, left, right = padding
        value = float("-inf") if isinstance(layer, spec.MaxPool) else 0.0
        return [("_pad", nn.ConstantPad2d((left, right, top, bottom), value))]

    def module(self, layer: spec.Layer, path: str) -> nn.Module:
        padding = getattr(layer, "padding", 0)
        padding = padding if isinstance(padding, int) else 0  # else padded explicitly
        match layer:
            case spec.Conv(_, filters, kernel, stride):
                channels = self.nodes[path].input_shapes[0][0]
                return nn.Conv2d(channels, filters, kernel, stride, padding, bias=layer.bias is not None)
            case spec.Dense():
                (features,) = self.nodes[path].input_shapes[0]
                return nn.Linear(features, layer.units, bias=layer.bias is not None)
            case spec.BatchNorm():
                kind = FrozenBatchNorm if layer.frozen else nn.BatchNorm2d
                return kind(self.nodes[path].input_shapes[0][0], layer.eps, layer.momentum)
            case spec.MaxPool():
                return nn.MaxPool2d(layer.kernel, layer.stride, padding, ceil_mode=layer.ceil)
            case spec.AvgPool():
                return nn.AvgPool2d(
                    layer.kernel, layer.stride, padding, count_include_pad=layer.count_padding
                )
            case spec.GlobalAvgPool():
                return nn.AdaptiveAvgPool2d(1)
            case spec.AdaptiveAvgPool():
                return nn.AdaptiveAvgPool2d(layer.size)
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
        raise TypeError(f"PyTorch has no builder for {layer!r}")
