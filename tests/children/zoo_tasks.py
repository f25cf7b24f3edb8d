"""The frameworks' own models beside the built ones: weights carried over, and back."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from witness_tasks import channels_last

from implementations import networks, sameness, weights
from implementations.formats import namings
from implementations.network import Array, Framework, Settings, Weights
from implementations.spec import Network

SEED, BATCH = 0, 1


def carried(
    framework: Framework, *, settings: Settings, zoo: str, network: dict[str, Any], weights_path: str
) -> dict[str, Any]:
    """How far the logits of both are apart: with the model's own weights, and with ours in the model.

    ``equal_bits``: whether what the model gives back is what was put in.
    """
    specification = networks.build(**network)
    model = ZOOS[zoo](specification)
    images = weights.probe_images(specification, SEED, BATCH, scale=1.0)
    given = weights.load(Path(weights_path), specification)
    found: dict[str, Any] = {"parameters": model.parameters}
    for direction, values in {"to_ours": model.weights(), "back": given}.items():
        model.load(values)
        built = framework.build(specification, values, settings, training=False)
        theirs, ours = model.logits(images), built.outputs(images)
        found[direction] = {"apart": sameness.difference(theirs, ours), "largest": float(np.abs(ours).max())}
    kept = model.weights()
    found["equal_bits"] = all(np.array_equal(kept[path], given[path]) for path in given)
    return found


# --- Zoos ---------------------------------------------------------------------------------


class Torchvision:
    """A model of torchvision, whose layout is ours."""

    def __init__(self, network: Network) -> None:
        self.model = getattr(importlib.import_module("torchvision.models"), network.name)().eval()
        self.keys = namings.torchvision(network)
        self.parameters = sum(p.numel() for p in self.model.parameters())

    def weights(self) -> dict[str, Array]:
        state = self.model.state_dict()
        return {path: state[key].numpy().copy() for path, key in self.keys.items()}

    def load(self, values: Weights) -> None:
        import torch

        state = {key: torch.from_numpy(values[path]) for path, key in self.keys.items()}
        missing, surplus = self.model.load_state_dict(state, strict=False)
        assert not surplus
        assert all(key.endswith("num_batches_tracked") for key in missing)

    def logits(self, images: Array) -> Array:
        import torch

        with torch.inference_mode():
            return np.asarray(self.model(torch.from_numpy(images)))


class Paddle:
    """A model of Paddle, which keeps dense weights as (in, out)."""

    def __init__(self, network: Network) -> None:
        self.model = getattr(importlib.import_module("paddle.vision.models"), network.name)()
        self.model.eval()
        self.keys = _of_paddles_alexnet(network) if network.name == "alexnet" else namings.paddle(network)
        self.parameters = sum(int(p.size) for p in self.model.parameters() if p.trainable)

    def weights(self) -> dict[str, Array]:
        state = self.model.state_dict()
        return {path: _turned(state[key].numpy()) for path, key in self.keys.items()}

    def load(self, values: Weights) -> None:
        state = {key: _turned(values[path]) for path, key in self.keys.items()}
        assert self.model.set_state_dict(state) == ([], [])

    def logits(self, images: Array) -> Array:
        import paddle

        with paddle.no_grad():
            return np.asarray(self.model(paddle.to_tensor(images)).numpy())


def _of_paddles_alexnet(network: Network) -> dict[str, str]:
    """Another network, whose parameters have the shapes of ours."""
    layers = {"logits": "_fc8", **{f"conv{n}": f"_conv{n}._conv" for n in (1, 2, 5)}}
    split = (p.path.rpartition(".") for p in network.parameters)
    return {f"{layer}.{kind}": f"{layers.get(layer, f'_{layer}')}.{kind}" for layer, _, kind in split}


def _turned(value: Array) -> Array:
    return np.ascontiguousarray(value.T if value.ndim == 2 else value)


class KerasApplications:
    """A VGG of Keras: its layers in the order of ours, channels last."""

    def __init__(self, network: Network) -> None:
        import keras

        made, size = getattr(keras.applications, network.name.upper()), network.input_shape[1:]
        self.model = made(
            weights=None, input_shape=(*size, 3), classes=network.classes, classifier_activation=None
        )
        self.network = network
        layers = [node.path for node in network.nodes if node.parameters]
        self.layers = dict(zip(layers, (each for each in self.model.layers if each.weights), strict=True))
        self.parameters = self.model.count_params()

    def weights(self) -> dict[str, Array]:
        found = {}
        for path, layer in self.layers.items():
            kernel, found[f"{path}.bias"] = layer.get_weights()
            found[f"{path}.weight"] = self._canonical(path, kernel)
        return found

    def _canonical(self, path: str, kernel: Array) -> Array:
        shape = next(p.shape for p in self.network.parameters if p.path == f"{path}.weight")
        if kernel.ndim == 2:  # after a flatten its rows are (height, width, channel)
            (before,) = self.network.by_path[path].inputs
            places = self.network.by_path[before].input_shapes[0]
            if len(places) == 1:
                return np.ascontiguousarray(kernel.T)
            channels, height, width = places
            kernel = kernel.reshape(height, width, channels, len(kernel.T))
        return np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)).reshape(shape)

    def load(self, values: Weights) -> None:
        for path, layer in self.layers.items():
            kernel = channels_last(values[f"{path}.weight"], self.network, path)
            layer.set_weights([kernel, values[f"{path}.bias"]])

    def logits(self, images: Array) -> Array:
        return np.asarray(self.model(images.transpose(0, 2, 3, 1), training=False))


ZOOS: dict[str, Any] = {"torchvision": Torchvision, "paddle": Paddle, "keras": KerasApplications}
