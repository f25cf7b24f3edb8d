"""PaddlePaddle's models behind ``stock_units.Model``."""

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import paddle
from paddle import nn
from stock_units import Array, Norm, Unit

AUXILIARY = ("_conv_o", "_fc_o1", "_fc_o2", "_out1", "_out2")


def versions() -> dict[str, str]:
    return {"paddle": paddle.__version__}


def batch_norm_step(batch: Array) -> tuple[float, float]:
    """Running mean and variance of a new batch norm after one training step on ``batch``."""
    norm = nn.BatchNorm2D(1)
    norm(paddle.to_tensor(batch.reshape(-1, 1, 1, 1)))
    return norm._mean.numpy().item(), norm._variance.numpy().item()


class Stock:
    """The stock model ``name`` in inference mode (``stock_units.Model``)."""

    def __init__(self, name: str) -> None:
        self._model = getattr(importlib.import_module("paddle.vision.models"), name)()
        self._model.eval()
        entries = self._model.state_dict().items()
        statistics = [t for key, t in entries if key.endswith(("._mean", "._variance"))]
        self.running = sum(int(tensor.size) for tensor in statistics)
        self.trainable = sum(int(tensor.size) for _, tensor in entries) - self.running
        self._parts: list[list[Any]] = []  # [name, convolution or dense layer, batch norm or None]
        for key, layer in self._model.named_sublayers():
            if isinstance(layer, nn.Conv2D | nn.Linear):
                self._parts.append([key, layer, None])
            elif isinstance(layer, nn.BatchNorm2D):
                self._parts[-1][2] = layer
        sizes = self._sizes()
        self.trunk = [size[2] for layer, size in sizes if not isinstance(layer, nn.Linear)]
        positions = {id(layer): int(np.prod(size[2:])) for layer, size in sizes}
        self.units = [_unit(*part, positions.get(id(part[1]), 0)) for part in self._parts]

    def _sizes(self) -> list[tuple[Any, list[int]]]:
        """Every convolution, dense layer and max pool that inference runs, with its output's size."""
        seen: list[tuple[Any, list[int]]] = []
        kinds = (nn.Conv2D, nn.Linear, nn.MaxPool2D)
        auxiliary = {id(layer) for key, layer in self._model.named_sublayers() if key.startswith(AUXILIARY)}
        hooks = [
            layer.register_forward_post_hook(lambda own, _, output: seen.append((own, list(output.shape))))
            for layer in self._model.sublayers()
            if isinstance(layer, kinds) and id(layer) not in auxiliary
        ]
        self.logits(np.zeros((1, 3, 224, 224), np.float32))
        for hook in hooks:
            hook.remove()
        return seen

    def load(self, units: Sequence[Unit]) -> None:
        for unit, (_, layer, norm) in zip(units, self._parts, strict=True):
            # A dense layer's weight is [in, out] here.
            layer.weight.set_value(unit.weight if unit.weight.ndim == 4 else unit.weight.T.copy())
            if unit.bias is not None:
                layer.bias.set_value(unit.bias)
            if unit.norm is not None:
                norm.weight.set_value(unit.norm.gamma)
                norm.bias.set_value(unit.norm.beta)
                norm._mean.set_value(unit.norm.mean)
                norm._variance.set_value(unit.norm.variance)

    def logits(self, images: Array) -> Array:
        with paddle.no_grad():
            outputs = self._model(paddle.to_tensor(images))
        main = outputs[0] if isinstance(outputs, tuple) else outputs  # GoogLeNet returns all three heads
        return np.asarray(main.numpy())


def _unit(name: str, layer: Any, norm: Any, positions: int) -> Unit:
    weight = layer.weight.numpy()
    return Unit(
        name,
        weight if weight.ndim == 4 else weight.T,
        None if layer.bias is None else layer.bias.numpy(),
        None if norm is None else _norm(norm),
        positions,
        auxiliary=name.startswith(AUXILIARY),
    )


def _norm(norm: Any) -> Norm:
    arrays = (norm.weight, norm.bias, norm._mean, norm._variance)
    return Norm(*(array.numpy() for array in arrays), norm._epsilon)
