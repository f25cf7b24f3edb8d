"""What a recipe says: the network, the optimizer, epochs, batch, and where its figures come from."""

from dataclasses import dataclass

from implementations.training import Optimizer


@dataclass(frozen=True)
class Recipe:
    """A training that every framework runs alike: same weights, same images in the same order."""

    name: str
    network: str
    optimizer: Optimizer
    epochs: int
    batch: int  # a last, smaller batch of an epoch is left out
    source: str
