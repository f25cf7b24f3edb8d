"""PyTorch behind the protocol of ``implementations.network``."""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from implementations import spec
from implementations.frameworks.pytorch import layers, optimizers
from implementations.network import Array, Settings, Weights
from implementations.training import Forms, Optimizer


def configure(settings: Settings) -> None:
    torch.set_num_threads(settings.threads)
    torch.set_num_interop_threads(1)
    # Policy "equal": float32 means float32, and no autotuning.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False


def versions() -> dict[str, str]:
    found = {"torch": str(torch.__version__)}
    if torch.version.cuda:
        found |= {"cuda": torch.version.cuda, "cudnn": str(torch.backends.cudnn.version())}
    return found


def forms() -> Forms:
    return optimizers.FORMS


def cuda_devices() -> list[str]:
    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]


def build(network: spec.Network, weights: Weights, settings: Settings, *, training: bool) -> "PyTorchNetwork":
    return PyTorchNetwork(network if training else network.inference(), weights, settings, training)


class Batch(NamedTuple):
    images: Tensor
    labels: Tensor | None


class PyTorchNetwork:
    """A built network; see ``implementations.network.Built``."""

    def __init__(self, network: spec.Network, weights: Weights, settings: Settings, training: bool) -> None:
        self.network, self.device = network, torch.device(settings.device)
        self.dtype = getattr(torch, settings.precision)
        builder = layers.Builder(network)
        with torch.device("meta"):  # no framework initialiser: the weights come from the file
            module = layers.Trunk(network.layers, builder)
        self.module = module.to_empty(device=self.device).to(self.dtype).train(training)
        self.taps = builder.taps
        self.load(weights)

    def parameters(self) -> dict[str, tuple[spec.Shape, bool]]:
        return {n: (tuple(p.shape), p.requires_grad) for n, p in self.module.named_parameters()}

    def load(self, weights: Weights) -> None:
        with torch.no_grad():
            for path, parameter in self.module.named_parameters():
                parameter.copy_(torch.from_numpy(weights[path]))

    def weights(self) -> dict[str, Array]:
        return {n: p.detach().cpu().numpy().copy() for n, p in self.module.named_parameters()}

    def outputs(self, images: Array) -> Array:
        training = self.module.training
        self.module.eval()
        try:
            return self.infer(self.put(images)).cpu().numpy()
        finally:
            self.module.train(training)

    def activations(self, images: Array) -> dict[str, Array]:
        seen: dict[str, Array] = {}

        def watch(path: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
            def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
                seen[path] = output.detach().cpu().numpy().copy()

            return module.register_forward_hook(keep)

        handles = [watch(path, module) for path, module in self.taps.items()]
        with torch.no_grad():
            self.module(self.put(images).images)
        for handle in handles:
            handle.remove()
        return seen

    def gradients(self, images: Array, labels: Array) -> tuple[float, dict[str, Array]]:
        self.module.zero_grad()
        loss = self._loss(self.put(images, labels))
        loss.backward()
        named = self.module.named_parameters()
        gradients = {n: p.grad.cpu().numpy() for n, p in named if p.grad is not None}
        return float(loss.detach()), gradients

    def export(self, path: Path) -> None:
        from implementations.frameworks.pytorch import export  # the exporter is not needed to measure

        export.to_onnx(self.module, self.network, path)

    def put(self, images: Array, labels: Array | None = None) -> Batch:
        on_device = torch.tensor(images, dtype=self.dtype, device=self.device)
        return Batch(on_device, None if labels is None else torch.tensor(labels, device=self.device))

    def infer(self, batch: Batch) -> Tensor:
        with torch.inference_mode():
            return self.module(batch.images)[0]

    def prepare_training(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizers.make(optimizer, self.module.named_parameters())

    def set_learning_rate(self, rate: float) -> None:
        optimizers.set_learning_rate(self.optimizer, rate)

    def train_step(self, batch: Batch) -> Tensor:
        self.optimizer.zero_grad()
        loss = self._loss(batch)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def _loss(self, batch: Batch) -> Tensor:
        logits = self.module(batch.images)
        heads = zip(self.network.heads, logits, strict=True)
        return sum(
            (head.loss_weight * functional.cross_entropy(x, batch.labels) for head, x in heads),
            start=torch.zeros((), dtype=self.dtype, device=self.device),
        )

    def synchronize(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def peak_device_bytes(self) -> int | None:
        return torch.cuda.max_memory_allocated(self.device) if self.device.type == "cuda" else None
