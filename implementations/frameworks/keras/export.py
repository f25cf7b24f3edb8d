"""A Keras model as an ONNX file, by tf2onnx; on the TensorFlow backend.

Keras' own ``model.export`` freezes the weights into the graph, of which tf2onnx then makes so many
copies that it needs 65 times their size (VGG16: more than 24 GiB), and names and layout get lost.
Here the weights are inputs of what is converted, and become initialisers afterwards. The other
backends' files are written by this one (``exports_as`` in the table of adapters).
"""

import contextlib
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import onnx
import tensorflow as tf
import tf2onnx
from keras import ops

from implementations import spec
from implementations.channels_last import ChannelsLast
from implementations.frameworks import onnx_graph
from implementations.network import Weights

OPSET = 18


def to_onnx(
    model: keras.Model, variables: Mapping[str, Any], weights: Weights, network: spec.Network, path: Path
) -> None:
    """Write the main head of ``model``, whose variables by path are ``variables``.

    ``weights`` are the variables' values in the specification's layout.
    """
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(f"tf2onnx knows nothing of the backend {keras.backend.backend()}")
    main = keras.Model(model.input, model.output["main"])
    with _fused_batch_norms(main):
        converted = _converted(main, variables, network)
    for number, parameter in enumerate(variables):
        onnx_graph.fill_input(converted, _argument(number), parameter, weights[parameter])
    for layer in ChannelsLast(network).reordered:
        onnx_graph.flatten_channels_first(converted, f"{layer}.weight")
    onnx.save(converted, path)


@contextlib.contextmanager
def _fused_batch_norms(model: keras.Model) -> Iterator[None]:
    """Let batch norms be one operation meanwhile, which ONNX has too.

    Keras computes them from six, which tf2onnx can only merge if the weights are constants.
    """
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for norm in norms:
        norm.call = functools.partial(_fused, norm)
    try:
        yield
    finally:
        for norm in norms:
            del norm.call


def _fused(norm: Any, x: Any, training: bool = False, mask: Any = None) -> Any:
    """What ``norm`` gives at inference."""
    held = (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
    values = [ops.convert_to_tensor(variable) for variable in held]
    options = {"epsilon": norm.epsilon, "is_training": False}
    return tf.compat.v1.nn.fused_batch_norm(x, *values, **options)[0]


def _argument(number: int) -> str:
    return f"parameter_{number}"


def _converted(model: keras.Model, variables: Mapping[str, Any], network: spec.Network) -> Any:
    """tf2onnx's model of (images, value of each variable) to logits."""
    places = {id(variable): number for number, variable in enumerate(variables.values())}

    def logits(images: Any, *values: Any) -> Any:
        def given(state: Any) -> list[Any]:
            return [values[places[id(v)]] if id(v) in places else v.value for v in state]

        trainable, frozen = given(model.trainable_variables), given(model.non_trainable_variables)
        return model.stateless_call(trainable, frozen, images, training=False)[0]

    channels, height, width = network.input_shape
    signature = [tf.TensorSpec((None, height, width, channels), tf.float32, "images")]
    signature += [
        tf.TensorSpec(variable.shape, tf.float32, _argument(number))
        for number, variable in enumerate(variables.values())
    ]
    function = tf.function(logits, autograph=False)
    converted, _ = tf2onnx.convert.from_function(function, signature, opset=OPSET)
    return converted
