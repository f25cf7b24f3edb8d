"""Keras on JAX: compiled by ``jax.jit``, on state that the engine holds as Keras' own trainer does."""

import contextlib
import functools
import os
from collections.abc import Callable
from importlib import metadata
from typing import Any

import jax
import keras

from implementations.network import Array, Settings

NVIDIA = {
    "cuda_plugin": ("jax-cuda12-plugin", "jax-cuda13-plugin"),
    "cuda": ("nvidia-cuda-runtime-cu12", "nvidia-cuda-runtime"),
    "cudnn": ("nvidia-cudnn-cu12", "nvidia-cudnn-cu13"),
}


def configure(settings: Settings) -> None:
    """The device; the thread count is PJRT_NPROC, read from the environment by XLA alone."""
    platform, _, number = settings.device.partition(":")
    jax.config.update("jax_default_device", jax.devices(platform)[int(number or 0)])


def set_precision(precision: str) -> None:
    """JAX computes in float32 unless 64 bits are switched on, before the arrays are made."""
    jax.config.update("jax_enable_x64", precision == "float64")
    # JAX's default takes TF32 where there is one.
    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if precision == "tf32" else "highest")


def versions() -> dict[str, str]:
    found = {"jax": jax.__version__, "jaxlib": metadata.version("jaxlib")}
    if cuda_devices():  # JAX computes with NVIDIA's packages, which it does not report itself
        for key, packages in NVIDIA.items():
            for package in packages:
                with contextlib.suppress(metadata.PackageNotFoundError):
                    found[key] = metadata.version(package)
    return found


def cuda_devices() -> list[str]:
    try:
        return [device.device_kind for device in jax.devices("cuda")]
    except RuntimeError:  # how JAX says that there is none
        return []


def capability(device: str) -> int:
    """The first number of a GPU's compute capability."""
    platform, _, number = device.partition(":")
    first, _, _ = str(jax.devices(platform)[int(number or 0)].compute_capability).partition(".")
    return int(first)


def place(array: Array, settings: Settings) -> Any:
    return jax.device_put(array)


def finished(compute: Callable[..., Any], *arguments: Any) -> Callable[[], None]:
    """``compute`` on ``arguments``, waited for."""
    compiled = jax.jit(compute)

    def run() -> None:
        jax.block_until_ready(compiled(*arguments))

    return run


def _soonest(model: keras.Model) -> dict[str, Any]:
    """Compiler options for what is proven and never timed, as far as this XLA knows them.

    Optimised, GoogLeNet's gradients take XLA three times as long. But unoptimised, those of a strided
    convolution between hidden layers take it hundreds of times as long: a ResNet's are optimised.
    """
    wanted: dict[str, Any] = {"xla_cpu_use_fusion_emitters": False}
    if not any(map(_is_strided_inside, model.layers)):
        wanted["xla_backend_optimization_level"] = 0
    return {name: value for name, value in wanted.items() if _is_known(name, value)}


def _is_strided_inside(layer: keras.Layer) -> bool:
    return isinstance(layer, keras.layers.Conv2D) and max(layer.strides) > 1 and layer.kernel.shape[-2] > 3


@functools.cache
def _is_known(option: str, value: Any) -> bool:
    try:
        jax.jit(lambda x: x, compiler_options={option: value})(0.0)
    except jax.errors.JaxRuntimeError:
        return False
    return True


def seed(number: int) -> None:
    """Nothing: dropout draws from the variable of its own layer."""


def fused(compute: Callable[..., Any]) -> Any:
    """``compute`` compiled."""
    return jax.jit(compute)


def inferring() -> contextlib.AbstractContextManager[Any]:
    return contextlib.nullcontext()  # what is compiled knows that nothing is differentiated


class Engine:
    """Runs one Keras model; ``loss`` is (logits by head, labels) → scalar."""

    def __init__(self, model: keras.Model, loss: Callable[[Any, Any], Any], settings: Settings) -> None:
        self.model, self.loss, self.device = model, loss, settings.device
        self.optimizer: keras.optimizers.Optimizer | None = None
        self.pending: list[Any] = []  # computed, perhaps, but not waited for
        on_cpu = settings.device == "cpu"  # for a GPU XLA offers no code that is less optimised
        untimed = functools.partial(jax.jit, compiler_options=_soonest(model) if on_cpu else {})
        self._jit = untimed if settings.precision == "float64" else jax.jit
        self._infer = self._jit(self._forward)
        self._heads = self._jit(self._all_heads)
        self._gradients = self._jit(jax.value_and_grad(self._training_loss, has_aux=True))
        self._activations = untimed(model.stateless_call, static_argnames="training")
        self._traced = untimed(jax.value_and_grad(self._loss_and_outputs, has_aux=True))

    def sync_from_model(self) -> None:
        """Take over the model's and the optimizer's variables."""
        self.trainable = [v.value for v in self.model.trainable_variables]
        self.frozen = [v.value for v in self.model.non_trainable_variables]
        self.slots = [v.value for v in self.optimizer.variables] if self.optimizer else []

    def sync_to_model(self) -> None:
        """Give the model's and the optimizer's variables the values that training left here."""
        pairs = [
            *zip(self.model.trainable_variables, self.trainable, strict=True),
            *zip(self.model.non_trainable_variables, self.frozen, strict=True),
            *zip(self.optimizer.variables if self.optimizer else [], self.slots, strict=True),
        ]
        for variable, value in pairs:
            variable.assign(value)

    def put(self, array: Array) -> Any:
        placed = jax.device_put(array)
        self.pending.append(placed)
        return placed

    def infer(self, images: Any) -> Any:
        logits = self._infer(self.trainable, self.frozen, images)
        self.pending.append(logits)
        return logits

    def heads(self, images: Any) -> Any:
        return self._heads(self.trainable, self.frozen, images)

    def activations(self, images: Any, training: bool) -> Any:
        outputs, frozen = self._activations(*self._state(), images, training=training)
        # Seeds of dropout and running statistics go on, as on the other backends.
        for variable, value in zip(self.model.non_trainable_variables, frozen, strict=True):
            variable.assign(value)
        return outputs

    def gradients(self, images: Any, labels: Any) -> tuple[Any, list[Any]]:
        (loss, _), gradients = self._gradients(self.trainable, self.frozen, images, labels)
        return loss, gradients

    def traced(self, images: Any, labels: Any) -> tuple[Any, list[Any], Any]:
        (loss, (_, outputs)), gradients = self._traced(*self._state(), images, labels)
        return loss, gradients, outputs

    def _state(self) -> tuple[list[Any], list[Any]]:
        """The model's own values: they are not held here, for a large network's are gigabytes."""
        model = self.model
        return [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]

    def prepare_training(self, optimizer: keras.optimizers.Optimizer) -> None:
        self.optimizer = optimizer
        self.sync_from_model()
        # The old state is given up at each step, as in Keras' own trainer.
        self._step = self._jit(self._update, donate_argnums=(0, 1, 2))

    def train_step(self, images: Any, labels: Any) -> Any:
        loss, self.trainable, self.frozen, self.slots = self._step(
            self.trainable, self.frozen, self.slots, images, labels
        )
        self.pending = [loss]  # a step needs all steps before it
        return loss

    def _forward(self, trainable: list[Any], frozen: list[Any], images: Any) -> Any:
        return self._all_heads(trainable, frozen, images)["main"]

    def _all_heads(self, trainable: list[Any], frozen: list[Any], images: Any) -> Any:
        return self.model.stateless_call(trainable, frozen, images, training=False)[0]

    def _training_loss(
        self, trainable: list[Any], frozen: list[Any], images: Any, labels: Any
    ) -> tuple[Any, list[Any]]:
        loss, (frozen, _) = self._loss_and_outputs(trainable, frozen, images, labels)
        return loss, frozen

    def _loss_and_outputs(
        self, trainable: list[Any], frozen: list[Any], images: Any, labels: Any
    ) -> tuple[Any, tuple[list[Any], Any]]:
        outputs, frozen = self.model.stateless_call(trainable, frozen, images, training=True)
        return self.loss(outputs, labels), (frozen, outputs)

    def _update(
        self, trainable: list[Any], frozen: list[Any], slots: list[Any], images: Any, labels: Any
    ) -> tuple[Any, ...]:
        backward = jax.value_and_grad(self._training_loss, has_aux=True)
        (loss, frozen), gradients = backward(trainable, frozen, images, labels)
        assert self.optimizer is not None
        trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
        return loss, trainable, frozen, slots

    def switches(self) -> dict[str, str]:
        on_cuda = self.device.startswith("cuda")  # JAX reports none of it: XLA reads the variable
        preallocated = {"preallocated": os.environ.get("XLA_PYTHON_CLIENT_PREALLOCATE", "true")}
        return {
            "threads": os.environ.get("PJRT_NPROC", "all"),
            "compiled": str(not jax.config.jax_disable_jit),
            "matmul_precision": str(jax.config.jax_default_matmul_precision),
            "x64": str(jax.config.jax_enable_x64),
            "device": str(jax.config.jax_default_device),
            **(preallocated if on_cuda else {}),
        }

    def synchronize(self) -> None:
        """Also on the CPU: JAX returns before it has computed."""
        jax.block_until_ready(self.pending)
        self.pending.clear()

    def peak_device_bytes(self) -> int | None:
        if not self.device.startswith("cuda"):
            return None
        return int(jax.config.jax_default_device.memory_stats()["peak_bytes_in_use"])
