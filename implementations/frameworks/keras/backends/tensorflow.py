"""Keras on TensorFlow: compiled by ``tf.function``."""

import contextlib
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from implementations.network import Array, Settings


def configure(settings: Settings) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(settings.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    platform, _, number = settings.device.partition(":")
    every = tf.config.list_physical_devices("GPU")
    chosen = [every[int(number or 0)]] if platform == "cuda" else []
    tf.config.set_visible_devices(chosen, "GPU")  # what is not seen is not computed on
    for device in chosen:
        tf.config.experimental.set_memory_growth(device, True)


def set_precision(precision: str) -> None:
    """TF32 is TensorFlow's own switch, on by default; Keras sets the rest."""
    tf.config.experimental.enable_tensor_float_32_execution(precision == "tf32")


def versions() -> dict[str, str]:
    built = tf.sysconfig.get_build_info()
    named = {key: f"{key}_version" for key in ("cuda", "cudnn")}
    found = {key: str(built[name]) for key, name in named.items() if name in built}
    return {"tensorflow": tf.__version__, **found}


def cuda_devices() -> list[str]:
    devices = tf.config.list_physical_devices("GPU")
    return [str(tf.config.experimental.get_device_details(d).get("device_name", d.name)) for d in devices]


def capability(device: str) -> int:
    """The first number of a GPU's compute capability; 0 where TensorFlow does not know it."""
    (chosen,) = tf.config.get_visible_devices("GPU")
    first, _ = tf.config.experimental.get_device_details(chosen).get("compute_capability", (0, 0))
    return int(first)


def place(array: Array, settings: Settings) -> Any:
    return tf.constant(array)


def finished(compute: Callable[..., Any], *arguments: Any) -> Callable[[], None]:
    """``compute`` on ``arguments``, waited for."""

    def run() -> None:
        compute(*arguments)
        if tf.config.list_logical_devices("GPU"):
            tf.test.experimental.sync_devices()

    return run


def seed(number: int) -> None:
    """Nothing: dropout draws from the variable of its own layer."""


def fused(compute: Callable[..., Any]) -> Any:
    """``compute`` compiled by XLA: TensorFlow itself need not have a kernel that gathers bytes on a GPU."""
    return tf.function(compute, jit_compile=True)


def inferring() -> contextlib.AbstractContextManager[Any]:
    return contextlib.nullcontext()  # what is compiled knows that nothing is differentiated


class Engine:
    """Runs one Keras model; ``loss`` is (logits by head, labels) → scalar."""

    def __init__(self, model: keras.Model, loss: Callable[[Any, Any], Any], settings: Settings) -> None:
        self.model, self.loss, self.device = model, loss, settings.device
        self.compile = True if settings.switches.compile else None  # by XLA; None: TensorFlow's own choice
        self.infer = self._function(lambda images: model(images, training=False)["main"])
        self.heads = self._function(lambda images: model(images, training=False))
        self.gradients = self._function(self._backward)

    def sync_from_model(self) -> None:
        """Nothing to take over: TensorFlow computes on the model's own variables."""

    def sync_to_model(self) -> None:
        """Nothing to give back, for the same reason."""

    def put(self, array: Array) -> Any:
        return tf.constant(array)

    def activations(self, images: Any, training: bool) -> Any:
        return self.model(images, training=training)

    def prepare_training(self, optimizer: keras.optimizers.Optimizer) -> None:
        self.optimizer = optimizer
        self.train_step = self._function(self._update)

    def traces(self) -> list[Any]:
        """What TensorFlow has traced of the timed functions so far."""
        functions = [self.infer, self.gradients, getattr(self, "train_step", None)]
        return [trace for f in functions if f is not None for trace in f._list_all_concrete_functions()]

    def _function(self, compute: Callable[..., Any]) -> Any:
        return tf.function(compute, jit_compile=self.compile)

    def _backward(self, images: Any, labels: Any) -> tuple[Any, list[Any]]:
        loss, gradients, _ = self.traced(images, labels)
        return loss, gradients

    def traced(self, images: Any, labels: Any) -> tuple[Any, list[Any], Any]:
        with tf.GradientTape() as tape:
            outputs = self.model(images, training=True)
            loss = self.loss(outputs, labels)
        return loss, tape.gradient(loss, [v.value for v in self.model.trainable_variables]), outputs

    def _update(self, images: Any, labels: Any) -> Any:
        loss, gradients = self._backward(images, labels)
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return loss

    def switches(self) -> dict[str, str]:
        seen = tf.config.get_visible_devices("GPU")
        growing = str(all(map(tf.config.experimental.get_memory_growth, seen)))
        return {
            "threads": str(tf.config.threading.get_intra_op_parallelism_threads()),
            "interop_threads": str(tf.config.threading.get_inter_op_parallelism_threads()),
            "compiled_by_xla": str(any(map(_is_xla, self.traces()))),
            "tf32": str(tf.config.experimental.tensor_float_32_execution_enabled()),
            **({"memory_growth": growing} if seen else {}),
        }

    def synchronize(self) -> None:
        if self.device.startswith("cuda"):
            tf.test.experimental.sync_devices()

    def peak_device_bytes(self) -> int | None:
        if not self.device.startswith("cuda"):
            return None
        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])  # the only visible one


def _is_xla(trace: Any) -> bool:
    return bool(trace.function_def.attr["_XlaMustCompile"].b)
