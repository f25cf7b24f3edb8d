"""A hand-written network beside the built one, with the same weights, in one framework's child."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from implementations import networks, weights
from implementations.network import Array, Framework, Settings, Weights
from implementations.spec import Network

CLASSES = {"googlenet": "GoogLeNet", "vgg16": "VGG16"}
SEED = 0
Logits = Callable[[Array], Array]


def logits_apart(
    framework: Framework, *, settings: Settings, name: str, network: str, weights_path: str, batch: int
) -> dict[str, Any]:
    """How far apart the logits of both are, what they are, and how many parameters the witness has."""
    specification = networks.build(network)
    values = weights.load(Path(weights_path), specification)
    images = weights.probe_images(specification, SEED, batch)
    built = framework.build(specification, values, settings, training=False)
    witness, count = WITNESSES[name](network, specification, values)
    ours, theirs = built.outputs(images), witness(images)
    return {
        "largest": float(np.abs(ours).max()),
        "apart": float(np.abs(ours - theirs).max()),
        "equal": bool(np.array_equal(ours, theirs)),
        "shape": list(theirs.shape),
        "parameters": count,
    }


# --- Each framework's own way to load and run a network ------------------------------------


def pytorch_model(name: str, network: Network, values: Weights) -> Any:
    """Written in the order of their use, its parameters are in the specification's."""
    import torch

    module = importlib.import_module(f"tests.witnesses.pytorch.{name}")
    with torch.device("meta"):  # the weights come from the file
        model = getattr(module, CLASSES[name])()
    model = model.to_empty(device="cpu").eval()
    paths = [parameter.path for parameter in network.parameters]
    pairs = zip(model.state_dict(), paths, strict=True)
    model.load_state_dict({key: torch.from_numpy(values[path]) for key, path in pairs})
    return model


def pytorch(name: str, network: Network, values: Weights) -> tuple[Logits, int]:
    import torch

    model = pytorch_model(name, network, values)

    def logits(images: Array) -> Array:
        with torch.inference_mode():
            return np.asarray(model(torch.from_numpy(images))[0])

    return logits, sum(p.numel() for p in model.parameters())


def paddle_model(name: str, network: Network, values: Weights) -> Any:
    """Likewise; Paddle keeps dense weights as (in, out)."""
    module = importlib.import_module(f"tests.witnesses.paddle.{name}")
    model = getattr(module, CLASSES[name])()
    model.eval()
    paths = [parameter.path for parameter in network.parameters]
    for parameter, path in zip(model.parameters(), paths, strict=True):
        value = values[path]
        parameter.set_value(value.T if value.ndim == 2 else value)
    return model


def paddle(name: str, network: Network, values: Weights) -> tuple[Logits, int]:
    import paddle

    model = paddle_model(name, network, values)

    def logits(images: Array) -> Array:
        with paddle.no_grad():
            return np.asarray(model(paddle.to_tensor(images))[0].numpy())

    return logits, sum(int(p.size) for p in model.parameters())


def keras_model(name: str, network: Network, values: Weights) -> Any:
    """Its layers are called as the paths are, with "_" for "."."""
    from keras import initializers, ops

    # The weights come from the file, and JAX would compile Keras' own initialiser for every shape.
    initializers.GlorotUniform.__call__ = lambda self, shape, dtype=None: ops.convert_to_tensor(
        np.zeros(shape, dtype)
    )
    module = importlib.import_module(f"tests.witnesses.keras.{name}")
    model = getattr(module, name)()
    paths = {node.path.replace(".", "_"): node.path for node in network.nodes}
    for layer in model.layers:
        if layer.weights:
            path = paths[layer.name]
            kernel = channels_last(values[f"{path}.weight"], network, path)
            layer.set_weights([kernel, values[f"{path}.bias"]])
    return model


def keras(name: str, network: Network, values: Weights) -> tuple[Logits, int]:
    from keras import backend

    model = keras_model(name, network, values)
    infer = {"tensorflow": on_tensorflow, "jax": on_jax, "torch": on_torch}[backend.backend()](model)

    def logits(images: Array) -> Array:
        heads = infer(np.ascontiguousarray(images.transpose(0, 2, 3, 1)))
        return np.asarray(heads[0] if isinstance(heads, list) else heads)

    return logits, int(model.count_params())


def channels_last(value: Array, network: Network, path: str) -> Array:
    """Written apart from the adapter's conversion on purpose: a witness shares no code with it."""
    if value.ndim == 4:
        return value.transpose(2, 3, 1, 0)
    (before,) = network.by_path[path].inputs
    if not before.endswith("flatten"):
        return value.T
    (channels, height, width) = network.by_path[before].input_shapes[0]
    by_place = value.reshape(len(value), channels, height, width).transpose(2, 3, 1, 0)
    return by_place.reshape(-1, len(value))


def on_tensorflow(model: Any) -> Callable[[Array], Any]:
    import tensorflow as tf

    return tf.function(lambda images: model(images, training=False))


def on_jax(model: Any) -> Callable[[Array], Any]:
    import jax

    compute = jax.jit(lambda t, o, images: model.stateless_call(t, o, images, training=False)[0])
    trained = [variable.value for variable in model.trainable_variables]
    others = [variable.value for variable in model.non_trainable_variables]
    return lambda images: compute(trained, others, images)


def on_torch(model: Any) -> Callable[[Array], Any]:
    import torch

    def infer(images: Array) -> Any:
        with torch.no_grad():
            return model(torch.from_numpy(images), training=False)

    return infer


WITNESSES = {
    "pytorch": pytorch,
    "paddle": paddle,
    **dict.fromkeys(("keras-tensorflow", "keras-jax", "keras-torch"), keras),
}
