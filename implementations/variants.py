"""Changes to a whole network that a recipe may choose: its activation, its kernels' initialiser.

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


def varied(network: Network, activation: str | None = None, initializer: str | None = None) -> Network:
    """``network`` with ``activation`` for every rectifier and kernels from ``initializer``, where given.

    Biases and batch norms start as before. ``UserError`` for an unknown name.
    """
    _require("activation", activation, ACTIVATIONS)
    _require("initialiser", initializer, tuple(INITIALIZERS))
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


def _require(kind: str, name: str | None, known: tuple[str, ...]) -> None:
    if name is not None and name not in known:
        raise UserError(f"unknown {kind}", given=name, allowed=", ".join(known), todo="choose one of these")
