"""torchvision's models behind ``stock_units.Model``."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from stock_units import Array, Norm, Unit
from torch import nn


def _torchvision() -> Any:
    try:
        import torchvision
    except RuntimeError:
        # A wheel made for CUDA cannot load its C++ operators beside PyTorch's CPU build. The classification
        # models use none of them; the import only insists on two names.
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    return torchvision


def versions() -> dict[str, str]:
    return {"torchvision": _torchvision().__version__, "torch": torch.__version__}


def batch_norm_step(batch: Array) -> tuple[float, float]:
    """Running mean and variance of a new batch norm after one training step on ``batch``."""
    norm = nn.BatchNorm2d(1).train()
    norm(torch.from_numpy(batch.reshape(-1, 1, 1, 1)))
    return norm.running_mean.item(), norm.running_var.item()


class Stock:
    """The stock model ``name`` in inference mode (``stock_units.Model``)."""

    def __init__(self, name: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # GoogLeNet announces another initialisation
            self._model = getattr(_torchvision().models, name)(weights=None).eval()
        self.trainable = sum(parameter.numel() for parameter in self._model.parameters())
        self.running = sum(b.numel() for key, b in self._model.named_buffers() if "running" in key)
        self._parts: list[list[Any]] = []  # [name, convolution or dense layer, batch norm or None]
        for key, module in self._model.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                self._parts.append([key, module, None])
            elif isinstance(module, nn.BatchNorm2d):
                self._parts[-1][2] = module
        sizes = self._sizes()
        self.trunk = [size[2] for module, size in sizes if not isinstance(module, nn.Linear)]
        positions = {id(module): int(np.prod(size[2:])) for module, size in sizes}
        self.units = [_unit(*part, positions.get(id(part[1]), 0)) for part in self._parts]

    def _sizes(self) -> list[tuple[nn.Module, torch.Size]]:
        """Every convolution, dense layer and max pool that inference runs, with its output's size."""
        seen: list[tuple[nn.Module, torch.Size]] = []
        kinds = (nn.Conv2d, nn.Linear, nn.MaxPool2d)
        hooks = [
            module.register_forward_hook(lambda own, _, output: seen.append((own, output.shape)))
            for module in self._model.modules()
            if isinstance(module, kinds)
        ]
        self.logits(np.zeros((1, 3, 224, 224), np.float32))
        for hook in hooks:
            hook.remove()
        return seen

    def load(self, units: Sequence[Unit]) -> None:
        with torch.no_grad():
            for unit, (_, module, norm) in zip(units, self._parts, strict=True):
                _copy(module.weight, unit.weight)
                if unit.bias is not None:
                    _copy(module.bias, unit.bias)
                if unit.norm is not None:
                    _copy(norm.weight, unit.norm.gamma)
                    _copy(norm.bias, unit.norm.beta)
                    _copy(norm.running_mean, unit.norm.mean)
                    _copy(norm.running_var, unit.norm.variance)

    def logits(self, images: Array) -> Array:
        with torch.no_grad():
            return np.asarray(self._model(torch.from_numpy(images)))


def _unit(name: str, module: Any, norm: Any, positions: int) -> Unit:
    return Unit(
        name,
        module.weight.detach().numpy(),
        None if module.bias is None else module.bias.detach().numpy(),
        norm and _norm(norm),
        positions,
        auxiliary=name.startswith("aux"),
    )


def _norm(norm: Any) -> Norm:
    arrays = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    return Norm(*(array.detach().numpy() for array in arrays), norm.eps)


def _copy(tensor: torch.Tensor, values: Array | None) -> None:
    tensor.copy_(torch.from_numpy(np.ascontiguousarray(values)))
