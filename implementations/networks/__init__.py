"""The networks by name, each the table of its paper as data.

Standard library only, so that ``describe`` starts at once.
"""

import inspect
from collections.abc import Callable
from typing import Any

from implementations.errors import UserError
from implementations.networks.alexnet import alexnet
from implementations.networks.exercises import inception_exercise, residual_exercise
from implementations.networks.googlenet import googlenet, googlenet_bn, googlenet_keras, googlenet_paddle
from implementations.networks.mlp import mlp
from implementations.networks.probe import probe, probe_bn
from implementations.networks.resnet import resnet18, resnet50
from implementations.networks.transfer import vgg16_finetune, vgg16_transfer
from implementations.networks.vgg import vgg13, vgg13_base, vgg16, vgg16_base, vgg19, vgg19_base
from implementations.spec import Network, ShapeError

NETWORKS: dict[str, Callable[..., Network]] = {
    "alexnet": alexnet,
    "googlenet": googlenet,
    "googlenet-bn": googlenet_bn,
    "googlenet-keras": googlenet_keras,
    "googlenet-paddle": googlenet_paddle,
    "inception-exercise": inception_exercise,
    "mlp": mlp,
    "probe": probe,
    "probe-bn": probe_bn,
    "residual-exercise": residual_exercise,
    "resnet18": resnet18,
    "resnet50": resnet50,
    "vgg13": vgg13,
    "vgg13-base": vgg13_base,
    "vgg16": vgg16,
    "vgg16-base": vgg16_base,
    "vgg16-finetune": vgg16_finetune,
    "vgg16-transfer": vgg16_transfer,
    "vgg19": vgg19,
    "vgg19-base": vgg19_base,
}

# Sizes at which all networks are proven in minutes: the smallest that every layer can take, or nearly.
REDUCED: dict[str, dict[str, Any]] = {
    "alexnet": {"classes": 10, "input_size": (67, 67)},
    "googlenet": {"classes": 10, "input_size": (96, 96)},
    "googlenet-bn": {"classes": 10, "input_size": (96, 96)},
    "googlenet-keras": {"classes": 10, "input_size": (97, 90)},
    "googlenet-paddle": {"classes": 10, "input_size": (96, 96)},
    "inception-exercise": {"input_size": (31, 31)},
    "mlp": {},
    "probe": {},
    "probe-bn": {},
    "residual-exercise": {"input_size": (32, 32)},
    "resnet18": {"classes": 10, "input_size": (64, 64)},
    "resnet50": {"classes": 10, "input_size": (64, 64)},
    "vgg13": {"classes": 10, "input_size": (32, 32)},
    "vgg13-base": {"input_size": (32, 32)},
    "vgg16": {"classes": 10, "input_size": (32, 32)},
    "vgg16-base": {"input_size": (32, 32)},
    "vgg16-finetune": {"input_size": (32, 32)},
    "vgg16-transfer": {"input_size": (32, 32)},
    "vgg19": {"classes": 10, "input_size": (32, 32)},
    "vgg19-base": {"input_size": (32, 32)},
}


def build(name: str, *, classes: int | None = None, input_size: tuple[int, int] | None = None) -> Network:
    """The network ``name`` with ``classes`` outputs on inputs of (height, width) pixels.

    What is left out keeps the network's own value (the paper's). Raises ``UserError``
    for a name that is unknown, a class count below 1 or for a network that has none, or a size
    that a layer cannot take.
    """
    if name not in NETWORKS:
        raise UserError(
            "unknown network", given=name, allowed=", ".join(NETWORKS), todo="choose one of these names"
        )
    if classes is not None and classes < 1:
        raise UserError(
            "the number of classes is too small", given=classes, allowed="1 or more", todo="pass --classes N"
        )
    takes_classes = "classes" in inspect.signature(NETWORKS[name]).parameters
    options = {"classes": classes if takes_classes else None, "input_size": input_size}
    network = NETWORKS[name](**{key: value for key, value in options.items() if value is not None})
    if classes not in (None, network.classes):
        raise UserError(
            f"the number of outputs of {name} is fixed",
            given=f"{classes} classes",
            allowed=str(network.classes) if network.classes else "none: it has no head",
            todo="leave --classes out, or choose another network",
        )
    try:
        _ = network.nodes
    except ShapeError as error:
        height, width = network.input_shape[1:]
        raise UserError(
            f"{name} cannot take this input size: {error}",
            given=f"{height}x{width}",
            allowed="sizes that every layer can take",
            todo="choose a larger --input HxW, or leave it out for the network's own",
        ) from None
    return network
