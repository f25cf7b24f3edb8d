"""Keras on PyTorch: eager."""

import contextlib
from collections.abc import Callable
from typing import Any

import keras
import torch

from implementations.network import Array, Settings


def configure(settings: Settings) -> None:
    """Threads and switches; the device is Keras' own variable KERAS_TORCH_DEVICE, read at import."""
    torch.set_num_threads(settings.threads)
    torch.set_num_interop_threads(1)
    torch.backends.cudnn.benchmark = settings.switches.autotune


def set_precision(precision: str) -> None:
    """TF32 is PyTorch's own switch, on for cuDNN by default; Keras sets the rest."""
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


def versions() -> dict[str, str]:
    found = {"torch": str(torch.__version__)}
    if torch.version.cuda:
        found |= {"cuda": torch.version.cuda, "cudnn": str(torch.backends.cudnn.version())}
    return found


def cuda_devices() -> list[str]:
    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]


def capability(device: str) -> int:
    """The first number of a GPU's compute capability."""
    return torch.cuda.get_device_capability(device)[0]


def place(array: Array, settings: Settings) -> Any:
    return torch.tensor(array, device=settings.device)


def finished(compute: Callable[..., Any], *arguments: Any) -> Callable[[], None]:
    """``compute`` on ``arguments``, waited for."""

    def run() -> None:
        if compute(*arguments).is_cuda:
            torch.cuda.synchronize()

    return run


def seed(number: int) -> None:
    """Keras' dropout of an unseeded layer is PyTorch's own here, and draws from its global generator."""
    torch.manual_seed(number)


def fused(compute: Callable[..., Any]) -> Any:
    """``compute`` as it is, operation by operation."""
    return compute


def inferring() -> contextlib.AbstractContextManager[Any]:
    return torch.no_grad()  # as in Keras' own predict


class Engine:
    """Runs one Keras model; ``loss`` is (logits by head, labels) → scalar."""

    def __init__(self, model: keras.Model, loss: Callable[[Any, Any], Any], settings: Settings) -> None:
        self.model, self.loss, self.device = model, loss, torch.device(settings.device)

    def sync_from_model(self) -> None:
        """Nothing to take over: PyTorch computes on the model's own variables."""

    def sync_to_model(self) -> None:
        """Nothing to give back, for the same reason."""

    def put(self, array: Array) -> Any:
        return torch.tensor(array, device=self.device)

    def infer(self, images: Any) -> Any:
        return self.model(images, training=False)["main"]

    def heads(self, images: Any) -> Any:
        return self.model(images, training=False)

    def activations(self, images: Any, training: bool) -> Any:
        with torch.no_grad():
            return self.model(images, training=training)

    def gradients(self, images: Any, labels: Any) -> tuple[Any, list[Any]]:
        loss, gradients, _ = self.traced(images, labels)
        return loss, gradients

    def traced(self, images: Any, labels: Any) -> tuple[Any, list[Any], Any]:
        self.model.zero_grad()
        outputs = self.model(images, training=True)
        loss = self.loss(outputs, labels)
        loss.backward()
        return loss.detach(), [v.value.grad for v in self.model.trainable_variables], outputs

    def prepare_training(self, optimizer: keras.optimizers.Optimizer) -> None:
        self.optimizer = optimizer

    def train_step(self, images: Any, labels: Any) -> Any:
        loss, gradients = self.gradients(images, labels)
        with torch.no_grad():
            self.optimizer.apply(gradients, self.model.trainable_variables)
        return loss

    def switches(self) -> dict[str, str]:
        return {
            "threads": str(torch.get_num_threads()),
            "interop_threads": str(torch.get_num_interop_threads()),
            "onednn": str(torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled),
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
