"""PyTorch behind the protocol of ``implementations.network``."""

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from implementations import spec
from implementations.frameworks.pytorch import layers, losses, optimizers
from implementations.network import Array, Settings, Weights, cuda_precisions
from implementations.training import Forms, Optimizer


def configure(settings: Settings) -> None:
    torch.set_num_threads(settings.threads)
    torch.set_num_interop_threads(1)
    torch.backends.cudnn.benchmark = settings.switches.autotune
    _allow_tf32(False)


def _allow_tf32(allowed: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def versions() -> dict[str, str]:
    found = {"torch": str(torch.__version__)}
    if onednn := re.search(r"(?:oneDNN|MKL-DNN) v([\d.]+)", torch.__config__.show()):
        found["onednn"] = onednn[1]
    if torch.version.cuda:
        found |= {"cuda": torch.version.cuda, "cudnn": str(torch.backends.cudnn.version())}
        if torch.cuda.is_available() and torch.distributed.is_nccl_available():
            found["nccl"] = ".".join(map(str, torch.cuda.nccl.version()))
    return found


def forms() -> Forms:
    return optimizers.FORMS


def cuda_devices() -> list[str]:
    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]


def precisions(device: str) -> tuple[str, ...]:
    if not device.startswith("cuda"):
        return ("bfloat16", "float16")
    return cuda_precisions(torch.cuda.get_device_capability(device)[0])


def running_variance(device: str) -> str:
    return "unbiased"


def product(side: int, precision: str, settings: Settings) -> Callable[[], None]:
    _allow_tf32(precision == "tf32")
    dtype = getattr(torch, precision) if precision in ("bfloat16", "float16") else torch.float32
    a, b = (torch.rand(side, side, device=settings.device).to(dtype) for _ in range(2))
    out = torch.empty(side, side, dtype=dtype, device=settings.device)
    return lambda: _finished(torch.mm(a, b, out=out))


def copy(size: int, settings: Settings) -> Callable[[], None]:
    source = torch.ones(size // 4, device=settings.device)
    target = torch.empty_like(source)
    return lambda: _finished(target.copy_(source))


def _finished(result: Tensor) -> None:
    if result.is_cuda:
        torch.cuda.synchronize(result.device)


def build(network: spec.Network, weights: Weights, settings: Settings, *, training: bool) -> "PyTorchNetwork":
    return PyTorchNetwork(network if training else network.inference(), weights, settings, training)


def _compiled(module: nn.Module, graphs: bool) -> nn.Module:
    """``module`` compiled, and refused where PyTorch would quietly run it uncompiled.

    It counts the versions of one function's code over all networks of a process, which share theirs, and
    gives up at eight. ``graphs``: as CUDA graphs, which copy each step's images to one place, and overwrite
    what the last step returned.
    """
    torch.compiler.reset()
    _counters().clear()
    dynamo = torch._dynamo.config
    for name in ("fail_on_recompile_limit_hit", "fail_on_cache_limit_hit"):  # the older name, to PyTorch 2.5
        if hasattr(dynamo, name):
            setattr(dynamo, name, True)
            break
    return torch.compile(module, mode="reduce-overhead" if graphs else "default")


def _counters() -> Any:
    """Where PyTorch's compiler tells among other things that it left CUDA graphs out."""
    from torch._dynamo.utils import counters  # takes a second to import, which only who compiles should wait

    return counters


class Batch(NamedTuple):
    images: Tensor
    labels: Tensor | None


class Resident(NamedTuple):
    pixels: Tensor  # (n, channels, height, width) uint8
    table: Tensor  # (channels, 256)


class PyTorchNetwork:
    """A built network; see ``implementations.network.Built``. The last one built sets TF32."""

    def __init__(self, network: spec.Network, weights: Weights, settings: Settings, training: bool) -> None:
        self.network, self.device = network, torch.device(settings.device)
        self.dtype = getattr(torch, settings.storage)
        _allow_tf32(settings.precision == "tf32")
        self.precision: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
        if settings.mixed:
            self.precision = torch.autocast(self.device.type, getattr(torch, settings.mixed))
        builder = layers.Builder(network)
        with torch.device("meta"):  # no framework initialiser: the weights come from the file
            module = layers.Trunk(network.layers, builder)
        self.module = module.to_empty(device=self.device).to(self.dtype).train(training)
        self.taps = builder.taps
        self.layout = torch.channels_last if settings.switches.channels_last else torch.contiguous_format
        self.module = self.module.to(memory_format=self.layout)
        self.graphs = settings.switches.graphs
        self.timed = _compiled(self.module, self.graphs) if settings.switches.compile else self.module
        self.load(weights)

    def parameters(self) -> dict[str, tuple[spec.Shape, bool]]:
        return {path: (tuple(array.shape), array.requires_grad) for path, array in self._arrays()}

    def load(self, weights: Weights) -> None:
        with torch.no_grad():
            for path, array in self._arrays():
                array.copy_(torch.from_numpy(weights[path]))

    def weights(self) -> dict[str, Array]:
        return {path: array.detach().cpu().numpy().copy() for path, array in self._arrays()}

    def _arrays(self) -> Iterator[tuple[str, Tensor]]:
        """Parameters and running statistics; PyTorch's own count of batches is none of the network's."""
        yield from self.module.named_parameters()
        yield from ((n, b) for n, b in self.module.named_buffers() if b.is_floating_point())

    def outputs(self, images: Array) -> Array:
        if not self.module.training:
            with self.inferring():
                return self._read(self.infer(self.put(images)))
        return self._evaluated(images, auxiliary=False)[0]

    def head_outputs(self, images: Array) -> dict[str, Array]:
        outputs = self._evaluated(images, auxiliary=True)
        return {head.name: output for head, output in zip(self.network.heads, outputs, strict=True)}

    def _evaluated(self, images: Array, *, auxiliary: bool) -> list[Array]:
        """Heads in inference mode, not compiled: what is timed here is training."""
        training = self.module.training
        self.module.eval()
        try:
            with self.inferring():
                heads = self.module.heads(self.put(images).images, auxiliary=auxiliary)
                return [self._read(head) for head in heads]
        finally:
            self.module.train(training)

    def _read(self, logits: Tensor) -> Array:
        return logits.to(self.dtype).cpu().numpy()

    def activations(self, images: Array) -> dict[str, Array]:
        with torch.no_grad(), self._watched() as seen:
            self.module(self.put(images).images)
        return seen

    def gradients(self, images: Array, labels: Array) -> tuple[float, dict[str, Array]]:
        return self._gradients(self.timed, images, labels)

    def _gradients(self, module: nn.Module, images: Array, labels: Array) -> tuple[float, dict[str, Array]]:
        self.module.zero_grad()
        loss = self._loss(module, self.put(images, labels))
        loss.backward()
        named = self.module.named_parameters()
        gradients = {n: p.grad.cpu().numpy() for n, p in named if p.grad is not None}
        return float(loss.detach()), gradients

    def traced(self, images: Array, labels: Array) -> tuple[float, dict[str, Array], dict[str, Array]]:
        with self._watched() as seen:
            loss, gradients = self._gradients(self.module, images, labels)
        return loss, gradients, seen

    @contextlib.contextmanager
    def _watched(self) -> Iterator[dict[str, Array]]:
        """Every named activation of the forward passes within, by path."""
        seen: dict[str, Array] = {}

        def watch(path: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
            def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
                seen[path] = output.detach().to(self.dtype).cpu().numpy().copy()

            return module.register_forward_hook(keep)

        handles = [watch(path, module) for path, module in self.taps.items()]
        try:
            yield seen
        finally:
            for handle in handles:
                handle.remove()

    def export(self, path: Path) -> None:
        from implementations.frameworks.pytorch import export  # the exporter is not needed to measure

        export.to_onnx(self.module, self.network, path)

    def put(self, images: Array, labels: Array | None = None) -> Batch:
        return self._batch(torch.tensor(images, dtype=self.dtype, device=self.device), labels)

    def keep(self, pixels: Array, table: Array) -> Resident:
        values = torch.tensor(table, dtype=self.dtype, device=self.device)
        return Resident(torch.tensor(pixels, device=self.device), values)

    def picked(self, kept: Resident, indices: Array, labels: Array | None = None) -> Batch:
        chosen = kept.pixels[torch.tensor(indices, device=self.device)].long()
        channels = torch.arange(len(kept.table), device=self.device)[:, None, None]
        return self._batch(kept.table[channels, chosen], labels)

    def _batch(self, on_device: Tensor, labels: Array | None) -> Batch:
        if on_device.ndim == 4:
            on_device = on_device.contiguous(memory_format=self.layout)
        if labels is None:
            return Batch(on_device, None)
        dtype = self.dtype if labels.dtype.kind == "f" else torch.int64
        return Batch(on_device, torch.tensor(labels, dtype=dtype, device=self.device))

    @contextlib.contextmanager
    def inferring(self) -> Iterator[None]:
        with torch.inference_mode(), self.precision:
            yield

    def infer(self, batch: Batch) -> Tensor:
        return self.timed(batch.images)[0]

    def prepare_training(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizers.make(optimizer, self.module.named_parameters())

    def set_learning_rate(self, rate: float) -> None:
        optimizers.set_learning_rate(self.optimizer, rate)

    def optimizer_state(self) -> dict[str, Array]:
        return optimizers.state(self.optimizer)

    def restore_optimizer(self, state: Weights) -> None:
        optimizers.restore(self.optimizer, state)

    def seed(self, number: int) -> None:
        torch.manual_seed(number)

    def train_step(self, batch: Batch) -> Tensor:
        self.optimizer.zero_grad()
        loss = self._loss(self.timed, batch)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def _loss(self, module: nn.Module, batch: Batch) -> Tensor:
        with self.precision:
            heads = zip(self.network.heads, module(batch.images), strict=True)
        loss = self.network.loss
        return sum(
            (h.loss_weight * losses.of_head(loss, x.to(self.dtype), batch.labels) for h, x in heads),
            start=torch.zeros((), dtype=self.dtype, device=self.device),
        )

    def read(self, result: Tensor) -> Array:
        return result.float().cpu().numpy()

    def switches(self) -> dict[str, str]:
        maps = [p for p in self.module.parameters() if p.ndim == 4 and p.shape[1] > 1 and p.shape[2] > 1]
        with self.precision:
            mixed = torch.is_autocast_enabled(self.device.type)
            computed = torch.get_autocast_dtype(self.device.type) if mixed else self.dtype
        return {
            "threads": str(torch.get_num_threads()),
            "interop_threads": str(torch.get_num_interop_threads()),
            "onednn": str(torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled),
            "compiled": str(hasattr(self.timed, "_orig_mod")),
            "cuda_graphs": str(self.graphs and not _counters()["inductor"]["cudagraph_skips"]),
            "channels_last": str(
                bool(maps) and all(p.is_contiguous(memory_format=torch.channels_last) for p in maps)
            ),
            "computes_in": str(computed).removeprefix("torch."),
            "cudnn_benchmark": str(torch.backends.cudnn.benchmark),
            "tf32_matmul": str(torch.backends.cuda.matmul.allow_tf32),
            "tf32_cudnn": str(torch.backends.cudnn.allow_tf32),
            **({"allocator": torch.cuda.get_allocator_backend()} if self.device.type == "cuda" else {}),
        }

    def synchronize(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def peak_device_bytes(self) -> int | None:
        return torch.cuda.max_memory_allocated(self.device) if self.device.type == "cuda" else None
