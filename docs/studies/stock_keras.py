"""Keras' applications (TensorFlow backend) behind ``stock_units.Model``."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from stock_units import Array, Norm, Unit


def versions() -> dict[str, str]:
    return {"keras": keras.__version__, "tensorflow": tf.__version__}


def batch_norm_step(batch: Array) -> tuple[float, float]:
    """Running mean and variance of a new batch norm after one training step on ``batch``."""
    norm = layers.BatchNormalization()
    norm(batch.reshape(-1, 1, 1, 1), training=True)
    return norm.get_weights()[2].item(), norm.get_weights()[3].item()


class Stock:
    """The stock model ``name`` in inference mode, logits without softmax (``stock_units.Model``)."""

    def __init__(self, name: str) -> None:
        self._model = getattr(keras.applications, name)(weights=None, classifier_activation=None)
        self.trainable = sum(int(np.prod(v.shape)) for v in self._model.trainable_variables)
        self.running = sum(int(np.prod(v.shape)) for v in self._model.non_trainable_variables)
        # By name, shortcuts last in their block: the order of layers is one of drawing, not of blocks.
        kernels = [one for one in self._model.layers if isinstance(one, layers.Conv2D | layers.Dense)]
        if name.startswith("ResNet"):
            kernels.sort(key=lambda one: one.name.replace("_0_conv", "_9_conv"))
        self._kernels = kernels
        windows = (one for one in self._model.layers if isinstance(one, layers.Conv2D | layers.MaxPooling2D))
        self.trunk = [one.output.shape[1] for one in windows]
        self._flat = next(
            (one.input.shape[1:] for one in self._model.layers if isinstance(one, layers.Flatten)), None
        )
        self.units = [self._unit(one) for one in kernels]

    def _unit(self, layer: Any) -> Unit:
        values = layer.get_weights()
        norm = self._norm_of(layer)
        return Unit(
            layer.name,
            self._ours(layer, values[0]),
            values[1] if layer.use_bias else None,
            None if norm is None else Norm(*norm.get_weights(), norm.epsilon),
            int(np.prod(layer.output.shape[1:-1])),
        )

    def _norm_of(self, layer: Any) -> Any:
        name = layer.name.replace("_conv", "_bn")
        names = {one.name for one in self._model.layers if isinstance(one, layers.BatchNormalization)}
        return self._model.get_layer(name) if name in names else None

    def _is_flat(self, layer: Any) -> bool:
        return self._flat is not None and layer.input.shape[-1] == np.prod(self._flat)

    def _ours(self, layer: Any, kernel: Array) -> Array:
        """[height, width, in, out] and [in, out] to the specification's layout."""
        if kernel.ndim == 4:
            return kernel.transpose(3, 2, 0, 1)
        if not self._is_flat(layer):
            return kernel.T
        height, width, channels = self._flat
        return kernel.reshape(height, width, channels, -1).transpose(3, 2, 0, 1).reshape(kernel.shape[1], -1)

    def _theirs(self, layer: Any, weight: Array) -> Array:
        if weight.ndim == 4:
            return weight.transpose(2, 3, 1, 0)
        if not self._is_flat(layer):
            return weight.T
        height, width, channels = self._flat
        return weight.reshape(-1, channels, height, width).transpose(2, 3, 1, 0).reshape(-1, len(weight))

    def load(self, units: Sequence[Unit]) -> None:
        for unit, layer in zip(units, self._kernels, strict=True):
            bias = () if unit.bias is None else (unit.bias,)
            layer.set_weights([self._theirs(layer, unit.weight), *bias])
            if unit.norm is not None:
                own = unit.norm
                self._norm_of(layer).set_weights([own.gamma, own.beta, own.mean, own.variance])

    def logits(self, images: Array) -> Array:
        return np.asarray(self._model(images.transpose(0, 2, 3, 1), training=False))
