"""The networks by name, each the table of its paper as data.

Standard library only, so that ``describe`` starts at once.
"""

from collections.abc import Callable

from implementations.errors import UserError
from implementations.networks.googlenet import googlenet
from implementations.networks.mlp import mlp
from implementations.networks.probe import probe
from implementations.networks.vgg import vgg16
from implementations.spec import Network, ShapeError

NETWORKS: dict[str, Callable[..., Network]] = {
    "googlenet": googlenet,
    "mlp": mlp,
    "probe": probe,
    "vgg16": vgg16,
}


def build(name: str, *, classes: int | None = None, input_size: tuple[int, int] | None = None) -> Network:
    """The network ``name`` with ``classes`` outputs on inputs of (height, width) pixels.

    What is left out keeps the network's own value (the paper's). Raises ``UserError``
    for a name that is unknown, a class count below 1, or a size that a layer cannot take.
    """
    if name not in NETWORKS:
        raise UserError(
            "unknown network", given=name, allowed=", ".join(NETWORKS), todo="choose one of these names"
        )
    if classes is not None and classes < 1:
        raise UserError(
            "the number of classes is too small", given=classes, allowed="1 or more", todo="pass --classes N"
        )
    options = {"classes": classes, "input_size": input_size}
    network = NETWORKS[name](**{key: value for key, value in options.items() if value is not None})
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
