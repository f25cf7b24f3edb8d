"""Under which keys, and in which layout, published files keep a network's parameters.

The keys of torchvision, timm, Paddle and Keras are theirs, as their model definitions give them. A
naming knows networks, not files: the same keys stand in a state dict and in safetensors.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from implementations.channels_last import ChannelsLast, layer_name
from implementations.network import Array
from implementations.spec import Dense, Network, Parameter, Shape

Keys = dict[str, str]  # the file's key by parameter path

FEATURES = {  # indices of the convolutions in torchvision's "features"
    "alexnet": (0, 3, 6, 8, 10),
    "vgg13": (0, 2, 5, 7, 10, 12, 15, 17, 20, 22),
    "vgg16": (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
    "vgg19": (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
}
VGGS = ("vgg13", "vgg16", "vgg19")
RESNETS = ("resnet18", "resnet50")
# The order in which Keras keeps a layer's variables.
PLACES = {"weight": 0, "bias": 1, "running_mean": 2, "running_var": 3}


# --- Layouts ------------------------------------------------------------------------------


class AsSpecified:
    """Parameters as the specification has them."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def to_file(self, path: str, value: Array) -> Array:
        """A parameter as it stands in the file."""
        return value

    def from_file(self, path: str, value: Array) -> Array:
        """A parameter of the file in the specification's layout."""
        return value

    def shape(self, parameter: Parameter) -> Shape:
        """The shape that the file's array has; no memory is taken for it."""
        return tuple(self.to_file(parameter.path, np.broadcast_to(np.float32(0), parameter.shape)).shape)

    def layer(self, path: str) -> str:
        return path.rpartition(".")[0]


class DenseTransposed(AsSpecified):
    """Paddle's: dense weights are (in, out)."""

    def to_file(self, path: str, value: Array) -> Array:
        return value.T if value.ndim == 2 else value

    from_file = to_file


class OfKeras(AsSpecified):
    """Channels last, and dense layers after a flatten in that order."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.channels_last = ChannelsLast(network)

    def to_file(self, path: str, value: Array) -> Array:
        return self.channels_last.to_keras(self.layer(path), value)

    def from_file(self, path: str, value: Array) -> Array:
        return self.channels_last.from_keras(self.layer(path), value)


class DenseAsConvolutions(AsSpecified):
    """timm's VGG: all dense layers but the last are convolutions over what they flatten."""

    def to_file(self, path: str, value: Array) -> Array:
        node = self.network.by_path[self.layer(path)]
        if value.ndim != 2 or not isinstance(node.layer, Dense) or node.path == self.network.heads[0].path:
            return value
        before = self.network.by_path[node.inputs[0]]
        places = before.input_shapes[0] if len(before.input_shapes[0]) == 3 else (value.shape[1], 1, 1)
        return value.reshape(len(value), *places)

    def from_file(self, path: str, value: Array) -> Array:
        node = self.network.by_path[self.layer(path)]
        return value.reshape(len(value), -1) if isinstance(node.layer, Dense) and value.ndim == 4 else value


# --- Keys ---------------------------------------------------------------------------------


def paths(network: Network) -> Keys:
    """Ours: the paths themselves."""
    return {parameter.path: parameter.path for parameter in network.parameters}


def torchvision(network: Network) -> Keys:
    """Torchvision's of AlexNet, VGG and ResNet."""
    layers = _layers(network)
    if network.name in FEATURES:
        dense = (1, 4, 6) if network.name == "alexnet" else (0, 3, 6)
        found = [f"features.{i}" for i in FEATURES[network.name]] + [f"classifier.{i}" for i in dense]
        return _renamed(network, dict(zip(layers, found, strict=True)))
    return _renamed(network, {layer: _of_resnet(layer) for layer in layers})


def timm(network: Network) -> Keys:
    """Timm's of VGG; its ResNets have torchvision's."""
    if network.name not in VGGS:
        return torchvision(network)
    dense = {"fc6": "pre_logits.fc1", "fc7": "pre_logits.fc2", "logits": "head.fc"}
    convolutions = [layer for layer in _layers(network) if layer not in dense]
    numbered = zip(convolutions, FEATURES[network.name], strict=True)
    return _renamed(network, {layer: f"features.{i}" for layer, i in numbered} | dense)


def paddle(network: Network) -> Keys:
    """Paddle's: torchvision's, but for running statistics."""
    renamed = {"running_mean": "_mean", "running_var": "_variance"}
    split = {path: key.rpartition(".") for path, key in torchvision(network).items()}
    return {path: f"{layer}.{renamed.get(kind, kind)}" for path, (layer, _, kind) in split.items()}


def keras_ours(network: Network) -> Keys:
    """The layers of our Keras models, and a variable's place in its layer."""
    return _in_places({layer: layer_name(layer) for layer in _layers(network)}, network)


def keras(network: Network) -> Keys:
    """Those of ``keras.applications``' VGGs: ``block1_conv1`` … ``predictions``."""
    dense = {"fc6": "fc1", "fc7": "fc2", "logits": "predictions"}
    of_blocks = re.compile(r"conv(\d)_(\d)")
    return _in_places(
        {layer: dense.get(layer, of_blocks.sub(r"block\1_conv\2", layer)) for layer in _layers(network)},
        network,
    )


def _layers(network: Network) -> list[str]:
    """Paths of the layers that have parameters, in their order."""
    return list(dict.fromkeys(p.path.rpartition(".")[0] for p in network.parameters))


def _renamed(network: Network, layers: Mapping[str, str]) -> Keys:
    split = (p.path.rpartition(".") for p in network.parameters)
    return {f"{layer}.{kind}": f"{layers[layer]}.{kind}" for layer, _, kind in split}


def _in_places(layers: Mapping[str, str], network: Network) -> Keys:
    split = (p.path.rpartition(".") for p in network.parameters)
    return {f"{layer}.{kind}": f"{layers[layer]}/{PLACES[kind]}" for layer, _, kind in split}


def _of_resnet(layer: str) -> str:
    """``stage2_1.conv1_bn`` → ``layer1.0.bn1``."""
    stage = re.compile(r"stage(\d)_(\d)")
    layer = stage.sub(lambda found: f"layer{int(found[1]) - 1}.{int(found[2]) - 1}", layer)
    layer = re.sub(r"conv(\d)_bn", r"bn\1", layer)
    names = {"shortcut_bn": "downsample.1", "shortcut": "downsample.0", "logits": "fc"}
    block, dot, last = layer.rpartition(".")
    return f"{block}{dot}{names.get(last, last)}"


# --- Namings ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Naming:
    """Keys and layout of one library's files; of all networks, or of those listed."""

    title: str
    keys: Callable[[Network], Keys]
    layout: Callable[[Network], AsSpecified] = AsSpecified
    networks: tuple[str, ...] | None = None
    counts_batches: bool = False  # an integer beside every batch norm, which holds no parameter

    def knows(self, network: Network) -> bool:
        return self.networks is None or network.name in self.networks

    def counters(self, network: Network) -> list[str]:
        """Keys of the integers that are no parameters."""
        if not self.counts_batches:
            return []
        keys = self.keys(network).items()
        means = [key for path, key in keys if path.endswith(".running_mean")]
        return [f"{key.rpartition('.')[0]}.num_batches_tracked" for key in means]


NAMINGS = {
    "ours": Naming("ours", paths),
    "torchvision": Naming(
        "torchvision", torchvision, AsSpecified, (*FEATURES, *RESNETS), counts_batches=True
    ),
    "timm": Naming("timm", timm, DenseAsConvolutions, (*VGGS, *RESNETS), counts_batches=True),
    "paddle-ours": Naming("ours", paths, DenseTransposed),
    "paddle": Naming("paddle", paddle, DenseTransposed, (*VGGS, *RESNETS)),
    "keras-ours": Naming("ours", keras_ours, OfKeras),
    "keras": Naming("keras", keras, OfKeras, ("vgg16", "vgg19")),
}
