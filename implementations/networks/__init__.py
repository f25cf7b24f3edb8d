"""The networks by name, each the table of its paper as data; every file of this folder lists its own.

``NETWORKS`` of a file are its builders by name; ``REDUCED`` are sizes at which each is proven in
minutes, the smallest that every layer can take, or nearly. Standard library only, so that ``describe``
starts at once.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

from implementations import variants
from implementations.errors import UserError
from implementations.spec import Network, ShapeError


def _listed(table: str) -> dict[str, Any]:
    """What the files list in their ``table``, by name."""
    found: dict[str, Any] = {}
    for file in pkgutil.iter_modules(__path__):
        listed = getattr(importlib.import_module(f"{__name__}.{file.name}"), table)
        if twice := found.keys() & listed.keys():
            raise ImportError(f"{file.name}.py lists {', '.join(twice)}, as another file does")
        found |= listed
    return dict(sorted(found.items()))


NETWORKS: dict[str, Callable[..., Network]] = _listed("NETWORKS")
REDUCED: dict[str, dict[str, Any]] = _listed("REDUCED")


def build(
    name: str,
    *,
    classes: int | None = None,
    input_size: tuple[int, int] | None = None,
    activation: str | None = None,
    initializer: str | None = None,
    loss: str | None = None,
) -> Network:
    """The network ``name`` with ``classes`` outputs on inputs of (height, width) pixels.

    What is left out keeps the network's own value (the paper's); ``activation`` takes the place of every
    rectifier, ``initializer`` that of every kernel's, ``loss`` that of its own loss. Raises
    ``UserError`` for a name that is unknown, a class count below 1 or for a network that has none, or a
    size that a layer cannot take.
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
    return variants.varied(network, activation, initializer, loss)
