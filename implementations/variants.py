"""Changes to a whole network that a recipe may choose: its activation, its kernels' initialiser, its loss.

A changed network is another network: its digest differs, and it is proven on its own.
"""

import dataclasses
from typing import Any, get_args

from implementations.errors import UserError
from implementations.spec import (
    Activation,
    Conv,
    Dense,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    Initializer,
    Layer,
    Loss,
    Network,
    Normal,
)

ACTIVATIONS: tuple[str, ...] = get_args(get_args(Activation)[0])
INITIALIZERS: dict[str, Initializer] = {
    "glorot_uniform": GlorotUniform(),
    "glorot_normal": GlorotNormal(),
    "he_normal": HeNormal(),
    "random_normal": Normal(0.05),  # Keras' own deviation
}
LOSSES: dict[str, Loss] = {
    "sparse_categorical_crossentropy": Loss("softmax"),
    "categorical_crossentropy": Loss("softmax", labels="one_hot"),
    "mean_squared_error": Loss("squared", labels="one_hot"),
}


def varied(
    network: Network, activation: str | None = None, initializer: str | None = None, loss: str | None = None
) -> Network:
    """``network`` with ``activation`` for every rectifier, kernels from ``initializer``, and ``loss``.

    What is not given, biases and batch norms stay as they were. ``UserError`` for an unknown name, and
    for a loss over classes where the network has one sigmoid unit or no head.
    """
    _require("activation", activation, ACTIVATIONS)
    _require("initialiser", initializer, tuple(INITIALIZERS))
    _require("loss", loss, tuple(LOSSES))
    if loss is not None:
        _require_classes(network, loss)
        network = dataclasses.replace(network, loss=LOSSES[loss])
    if activation is None and initializer is None:
        return network

    def change(path: str, layer: Layer) -> Layer:
        changed: dict[str, Any] = {}
        if activation and getattr(layer, "activation", None):
            changed["activation"] = activation
        if initializer and isinstance(layer, Conv | Dense):
            changed["weight"] = INITIALIZERS[initializer]
        return dataclasses.replace(layer, **changed)

    return network.edited(change)


def _require_classes(network: Network, loss: str) -> None:
    if network.loss.kind != "softmax":
        raise UserError(
            f"the loss of {network.name} is fixed",
            given=loss,
            allowed="networks whose loss is softmax's cross-entropy over classes",
            todo="leave the loss out, or choose another network",
        )


def _require(kind: str, name: str | None, known: tuple[str, ...]) -> None:
    if name is not None and name not in known:
        raise UserError(f"unknown {kind}", given=name, allowed=", ".join(known), todo="choose one of these")
