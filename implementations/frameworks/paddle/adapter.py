"""PaddlePaddle behind the protocol of ``implementations.network``, in dynamic mode.

Paddle keeps dense weights as ``[in, out]``; they are transposed at this border.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import paddle
from paddle import Tensor, nn
from paddle.base import core

from implementations import spec
from implementations.frameworks.paddle import engine, layers, losses, optimizers
from implementations.network import Array, Settings, Weights, cuda_precisions
from implementations.training import Forms, Optimizer

# What some versions read beside the switches.
TF32_FLAGS = ("FLAGS_cublas_allow_tf32", "FLAGS_cudnn_allow_tf32")
REPORTED = ("FLAGS_cudnn_exhaustive_search", "FLAGS_allocator_strategy", *TF32_FLAGS)
STATISTICS = {"_mean": "running_mean", "_variance": "running_var"}


def configure(settings: Settings) -> None:
    # Threads: OMP_NUM_THREADS, which the launcher sets before Paddle is imported.
    paddle.set_device(settings.device.replace("cuda", "gpu"))
    if settings.device.startswith("cuda"):
        paddle.set_flags({"FLAGS_cudnn_exhaustive_search": settings.switches.autotune})
        _allow_tf32(False)


def _allow_tf32(allowed: bool) -> None:
    """By the switches that Paddle's own tests use, and by the flags of the versions that read those."""
    core.set_cublas_switch(allowed)
    core.set_cudnn_switch(allowed)
    paddle.set_flags(dict.fromkeys(_known(TF32_FLAGS), allowed))


def _known(flags: Iterable[str]) -> list[str]:
    """Those of ``flags`` that this version of Paddle has: it raises for the others."""
    return [flag for flag in flags if core.globals().is_public(flag)]


def versions() -> dict[str, str]:
    found = {"paddle": paddle.__version__}
    if paddle.is_compiled_with_cuda():
        found |= {"cuda": str(paddle.version.cuda()), "cudnn": str(paddle.version.cudnn())}
    return found


def forms() -> Forms:
    return optimizers.FORMS


def cuda_devices() -> list[str]:
    if not paddle.is_compiled_with_cuda():
        return []
    return [paddle.device.cuda.get_device_name(i) for i in range(paddle.device.cuda.device_count())]


def precisions(device: str) -> tuple[str, ...]:
    if not device.startswith("cuda"):
        return ()  # autocast changes nothing on the CPU
    return cuda_precisions(paddle.device.cuda.get_device_capability()[0])


def running_variance(device: str) -> str:
    """On a GPU images go to cuDNN's batch norm, which collects the sample's variance."""
    return "unbiased" if device.startswith("cuda") else "biased"


def product(side: int, precision: str, settings: Settings) -> Callable[[], None]:
    if settings.device.startswith("cuda"):
        _allow_tf32(precision == "tf32")
    dtype = precision if precision in ("bfloat16", "float16") else "float32"
    a, b = (paddle.rand([side, side], dtype="float32").astype(dtype) for _ in range(2))
    return lambda: _finished(paddle.matmul(a, b))


def copy(size: int, settings: Settings) -> Callable[[], None]:
    source = paddle.ones([size // 4], dtype="float32")
    return lambda: _finished(source.clone())


def _finished(result: Tensor) -> None:
    if result.place.is_gpu_place():
        paddle.device.synchronize()


def build(network: spec.Network, weights: Weights, settings: Settings, *, training: bool) -> "PaddleNetwork":
    return PaddleNetwork(network if training else network.inference(), weights, settings, training)


class Batch(NamedTuple):
    images: Tensor
    labels: Tensor | None


class Resident(NamedTuple):
    pixels: Tensor  # (n, channels, height, width) uint8
    table: Tensor  # (channels, 256)


class PaddleNetwork:
    """A built network; see ``implementations.network.Built``."""

    def __init__(self, network: spec.Network, weights: Weights, settings: Settings, training: bool) -> None:
        self.network, self.device, self.dtype = network, settings.device, settings.storage
        self.mixed = settings.mixed
        paddle.set_default_dtype(self.dtype)
        if self.device.startswith("cuda"):
            _allow_tf32(settings.precision == "tf32")
        builder = layers.Builder(network)
        self.module = layers.Trunk(network.layers, builder)
        self._set_training(training)
        self.taps = builder.taps
        self.engine: engine.Engine | None = None
        self.settings, self.in_engine = settings, settings.switches.engine and not training
        self.load(weights)

    def _set_training(self, training: bool) -> None:
        self.module.train() if training else self.module.eval()

    def parameters(self) -> dict[str, tuple[spec.Shape, bool]]:
        return {path: (_shape(array), not array.stop_gradient) for path, array in self._arrays()}

    def load(self, weights: Weights) -> None:
        for path, array in self._arrays():
            value = weights[path].astype(self.dtype, copy=False)
            array.set_value(value.T if value.ndim == 2 else value)
        if self.in_engine and self.dtype == "float32":
            self.engine = engine.Engine(self.module, self.network, self.settings)

    def weights(self) -> dict[str, Array]:
        return {path: _canonical(array).copy() for path, array in self._arrays()}

    def _arrays(self) -> Iterator[tuple[str, Tensor]]:
        """Parameters and running statistics, by the specification's paths."""
        for name, array in self.module.state_dict().items():
            layer, _, kind = name.rpartition(".")
            yield f"{layer}.{STATISTICS.get(kind, kind)}", array

    def outputs(self, images: Array) -> Array:
        if not self.module.training:
            with self.inferring():
                return self.infer(self.put(images)).astype(self.dtype).numpy()
        return self._evaluated(images, auxiliary=False)[0]

    def head_outputs(self, images: Array) -> dict[str, Array]:
        outputs = self._evaluated(images, auxiliary=True)
        return {head.name: output for head, output in zip(self.network.heads, outputs, strict=True)}

    def _evaluated(self, images: Array, *, auxiliary: bool) -> list[Array]:
        """Heads in inference mode."""
        training = self.module.training
        self._set_training(False)
        try:
            with self.inferring(), self._precision():
                heads = self.module.heads(self.put(images).images, auxiliary=auxiliary)
                return [np.asarray(head.astype(self.dtype).numpy()) for head in heads]
        finally:
            self._set_training(training)

    def activations(self, images: Array) -> dict[str, Array]:
        with paddle.no_grad(), self._watched() as seen:
            self.module(self.put(images).images)
        return seen

    def gradients(self, images: Array, labels: Array) -> tuple[float, dict[str, Array]]:
        self.module.clear_gradients()
        loss = self._loss(self.put(images, labels))
        loss.backward()
        named = self.module.named_parameters()
        gradients = {n: _canonical(p.grad).copy() for n, p in named if p.grad is not None}
        self.module.clear_gradients()
        return float(loss), gradients

    def traced(self, images: Array, labels: Array) -> tuple[float, dict[str, Array], dict[str, Array]]:
        with self._watched() as seen:
            loss, gradients = self.gradients(images, labels)
        return loss, gradients, seen

    @contextlib.contextmanager
    def _watched(self) -> Iterator[dict[str, Array]]:
        """Every named activation of the forward passes within, by path."""
        seen: dict[str, Array] = {}

        def watch(path: str, layer: nn.Layer) -> Any:
            def keep(layer: nn.Layer, inputs: tuple[Tensor, ...], output: Tensor) -> None:
                seen[path] = output.astype(self.dtype).numpy().copy()

            return layer.register_forward_post_hook(keep)

        handles = [watch(path, layer) for path, layer in self.taps.items()]
        try:
            yield seen
        finally:
            for handle in handles:
                handle.remove()

    def export(self, path: Path) -> None:
        from implementations.frameworks.paddle import export  # the exporter is not needed to measure

        export.to_onnx(self.module, dict(self._arrays()), self.network, path)

    def put(self, images: Array, labels: Array | None = None) -> Batch:
        return self._batch(paddle.to_tensor(images, dtype=self.dtype), labels)

    def keep(self, pixels: Array, table: Array) -> Resident:
        return Resident(paddle.to_tensor(pixels), paddle.to_tensor(table, dtype=self.dtype))

    def picked(self, kept: Resident, indices: Array, labels: Array | None = None) -> Batch:
        channels, values = kept.table.shape
        chosen = paddle.gather(kept.pixels, paddle.to_tensor(indices)).astype("int64")
        places = chosen + paddle.arange(0, channels * values, values).reshape([channels, 1, 1])
        found = paddle.gather(kept.table.flatten(), places.flatten()).reshape(chosen.shape)
        return self._batch(found, labels)

    def _batch(self, on_device: Tensor, labels: Array | None) -> Batch:
        if labels is None:
            return Batch(on_device, None)
        dtype = self.dtype if labels.dtype.kind == "f" else "int64"
        return Batch(on_device, paddle.to_tensor(labels, dtype=dtype))

    def inferring(self) -> contextlib.AbstractContextManager[Any]:
        return paddle.no_grad()

    def infer(self, batch: Batch) -> Tensor:
        if self.engine is not None:
            return self.engine.run(batch.images)
        return self._forward(batch.images)[0]

    def _forward(self, images: Tensor) -> Sequence[Tensor]:
        if self.mixed is None:
            return self.module(images)
        with self._precision():
            return self.module(images)

    def _precision(self) -> contextlib.AbstractContextManager[Any]:
        return paddle.amp.auto_cast(dtype=self.mixed) if self.mixed else contextlib.nullcontext()

    def prepare_training(self, optimizer: Optimizer) -> None:
        self.asked = optimizer
        self.optimizer = optimizers.make(optimizer, self.module.named_parameters())

    def set_learning_rate(self, rate: float) -> None:
        optimizers.set_learning_rate(self.optimizer, rate)

    def optimizer_state(self) -> dict[str, Array]:
        return optimizers.state(self.optimizer, dict(self.module.named_parameters()))

    def restore_optimizer(self, state: Weights) -> None:
        rate = self.optimizer.get_lr()
        self.prepare_training(self.asked)  # an accumulator cannot be taken away from one that has it
        self.set_learning_rate(rate)
        optimizers.restore(self.optimizer, state, dict(self.module.named_parameters()))

    def seed(self, number: int) -> None:
        paddle.seed(number)

    def train_step(self, batch: Batch) -> Tensor:
        loss = self._loss(batch)
        loss.backward()
        self.optimizer.step()
        self.optimizer.clear_grad()
        return loss.detach()

    def _loss(self, batch: Batch) -> Tensor:
        heads = zip(self.network.heads, self._forward(batch.images), strict=True)
        loss = self.network.loss
        return paddle.add_n(
            [h.loss_weight * losses.of_head(loss, x.astype(self.dtype), batch.labels) for h, x in heads]
        )

    def read(self, result: Tensor) -> Array:
        return np.asarray(result.astype("float32").numpy())

    def switches(self) -> dict[str, str]:
        flags = _reported() if self.device.startswith("cuda") else {}
        return {
            "threads": os.environ["OMP_NUM_THREADS"],
            "computes_in": self.mixed or self.dtype,
            **{name: str(value) for name, value in flags.items()},
            **(self.engine.switches() if self.engine else {}),
        }

    def synchronize(self) -> None:
        if self.device.startswith("cuda"):
            paddle.device.synchronize()

    def peak_device_bytes(self) -> int | None:
        return paddle.device.cuda.max_memory_allocated() if self.device.startswith("cuda") else None


def _reported() -> dict[str, Any]:
    tf32 = {"tf32_cublas": core.get_cublas_switch(), "tf32_cudnn": core.get_cudnn_switch()}
    return {**tf32, **paddle.get_flags(_known(REPORTED))}


def _shape(parameter: Tensor) -> spec.Shape:
    """A parameter's shape in the specification's layout, without a copy of its values."""
    return tuple(reversed(parameter.shape)) if parameter.ndim == 2 else tuple(parameter.shape)


def _canonical(parameter: Tensor) -> Array:
    """A parameter or gradient in the specification's layout."""
    value = np.asarray(parameter.numpy())
    return value.T if value.ndim == 2 else value
