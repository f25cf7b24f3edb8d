"""The specification as PyTorch modules.

``print(net)`` shows ordinary layers; ``state_dict()`` keys are the specification's paths, because
modules nest as the paths do. A rectifier is a module beside its layer (``conv1``, ``conv1_relu``).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from implementations import spec
from implementations.network import Array, Settings, Weights
from implementations.training import SGD, Optimizer

OPSET = 18


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


def cuda_devices() -> list[str]:
    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]


def build(network: spec.Network, weights: Weights, settings: Settings, *, training: bool) -> "PyTorchNetwork":
    return PyTorchNetwork(network if training else network.inference(), weights, settings, training)


# --- Modules ------------------------------------------------------------------------------


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
        heads = []
        for step in self.steps:
            if not isinstance(step, Auxiliary):
                x = step(x)
            elif self.training:
                heads.append(step(x))
        return [x, *heads]


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
        """(name's suffix, module): padding where the layer cannot pad by itself, layer, rectifier."""
        made = [*self.explicit_padding(layer), ("", self.module(layer, path))]
        self.taps[path] = made[-1][1]
        if getattr(layer, "activation", None) == "relu":
            made.append(("_relu", nn.ReLU(inplace=True)))
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
            case spec.MaxPool():
                return nn.MaxPool2d(layer.kernel, layer.stride, padding, ceil_mode=layer.ceil)
            case spec.AvgPool():
                return nn.AvgPool2d(
                    layer.kernel, layer.stride, padding, count_include_pad=layer.count_padding
                )
            case spec.GlobalAvgPool():
                return nn.AdaptiveAvgPool2d(1)
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


# --- The protocol -------------------------------------------------------------------------


class Batch(NamedTuple):
    images: Tensor
    labels: Tensor | None


class PyTorchNetwork:
    """A built network; see ``implementations.network.Built``."""

    def __init__(self, network: spec.Network, weights: Weights, settings: Settings, training: bool) -> None:
        self.network, self.device = network, torch.device(settings.device)
        self.dtype = getattr(torch, settings.precision)
        builder = Builder(network)
        with torch.device("meta"):  # no framework initialiser: the weights come from the file
            module = Trunk(network.layers, builder)
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
        example = torch.zeros((2, *self.network.input_shape), dtype=self.dtype)
        torch.onnx.export(
            self.module,
            (example,),
            path,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes={"x": {0: "batch"}},
            external_data=False,
            dynamo=True,
            verbose=False,
        )

    def put(self, images: Array, labels: Array | None = None) -> Batch:
        on_device = torch.tensor(images, dtype=self.dtype, device=self.device)
        return Batch(on_device, None if labels is None else torch.tensor(labels, device=self.device))

    def infer(self, batch: Batch) -> Tensor:
        with torch.inference_mode():
            return self.module(batch.images)[0]

    def prepare_training(self, optimizer: Optimizer) -> None:
        parameters = self.module.parameters()
        if isinstance(optimizer, SGD):
            self.optimizer: torch.optim.Optimizer = torch.optim.SGD(
                parameters, optimizer.learning_rate, momentum=optimizer.momentum
            )
        else:
            betas = (optimizer.beta1, optimizer.beta2)
            self.optimizer = torch.optim.Adam(
                parameters, optimizer.learning_rate, betas=betas, eps=optimizer.epsilon
            )

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
