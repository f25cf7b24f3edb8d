"""TensorFlow-slim's Inception v1 behind ``stock_units.Model``, as a graph of TensorFlow 1."""

import importlib
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
import tensorflow.compat.v1 as tf
from stock_units import Array, Norm, Unit

# TensorFlow looks for slim's batch norm where tf_keras no longer keeps it.
MOVED = "legacy_tf_layers.normalization"
sys.modules[f"tf_keras.{MOVED}"] = importlib.import_module(f"tf_keras.src.{MOVED}")
EPSILON = 0.001  # inception_v1_arg_scope


def versions() -> dict[str, str]:
    return {"tf-slim": version("tf-slim"), "tensorflow": tf.__version__}


class Stock:
    """``tf_slim.nets.inception_v1`` in inference mode, under its own arg scope (``stock_units.Model``)."""

    def __init__(self, name: str) -> None:
        slim = importlib.import_module("tf_slim")
        net = importlib.import_module(f"tf_slim.nets.{name}")
        graph = tf.Graph()
        with graph.as_default():
            self._images = tf.placeholder(tf.float32, (None, 224, 224, 3))
            with slim.arg_scope(getattr(net, f"{name}_arg_scope")()):
                self._logits, _ = getattr(net, name)(self._images, num_classes=1000, is_training=False)
            self._variables = {v.op.name: v for v in tf.global_variables()}
            self.trainable = sum(int(np.prod(v.shape)) for v in tf.trainable_variables())
            self.running = sum(int(np.prod(v.shape)) for v in tf.global_variables()) - self.trainable
        self._session = tf.Session(graph=graph)
        operations = [one for one in graph.get_operations() if one.type in ("Conv2D", "MaxPool")]
        self.trunk = [one.outputs[0].shape[1] for one in operations if "Logits" not in one.name]
        convolutions = [one for one in operations if one.type == "Conv2D"]
        self._scopes = [key.removesuffix("/weights") for key in self._variables if key.endswith("/weights")]
        heights = [int(np.prod(one.outputs[0].shape[1:3])) for one in convolutions]
        self.units = [self._unit(scope, size) for scope, size in zip(self._scopes, heights, strict=True)]

    def _unit(self, scope: str, positions: int) -> Unit:
        weight = np.zeros(self._variables[f"{scope}/weights"].shape, np.float32).transpose(3, 2, 0, 1)
        filters = np.zeros(len(weight), np.float32)
        if f"{scope}/biases" in self._variables:  # the logits, a 1×1 convolution on one position
            return Unit(scope, weight[:, :, 0, 0], filters, None, positions)
        gamma = filters if f"{scope}/BatchNorm/gamma" in self._variables else None
        return Unit(scope, weight, None, Norm(gamma, filters, filters, filters, EPSILON), positions)

    def load(self, units: Sequence[Unit]) -> None:
        with self._session.graph.as_default():
            for unit, scope in zip(units, self._scopes, strict=True):
                for key, value in _values(unit).items():
                    self._variables[f"{scope}/{key}"].load(value, self._session)

    def logits(self, images: Array) -> Array:
        return np.asarray(self._session.run(self._logits, {self._images: images.transpose(0, 2, 3, 1)}))


def _values(unit: Unit) -> dict[str, Array]:
    """The unit's arrays by slim's names, kernels as [height, width, in, out]."""
    weight = unit.weight.reshape(*unit.weight.shape[:2], *unit.weight.shape[2:] or (1, 1))
    values = {"weights": weight.transpose(2, 3, 1, 0)}
    if unit.bias is not None:
        values["biases"] = unit.bias
    if unit.norm is not None:
        statistics = {"moving_mean": unit.norm.mean, "moving_variance": unit.norm.variance}
        values |= {
            f"BatchNorm/{key}": value for key, value in (statistics | {"beta": unit.norm.beta}).items()
        }
    return values
