"""Transfer learning: a small head on a base whose layers are frozen (source B of the mission)."""

import dataclasses
from collections.abc import Callable

from implementations.networks.vgg import vgg16_base
from implementations.spec import AvgPool, BatchNorm, Conv, Dense, Flatten, Layer, Loss, MaxPool, Network

UNITS = 256


def transfer(base: Network, name: str, *, is_trained: Callable[[str], bool] = lambda path: False) -> Network:
    """Flatten → dense 256 ReLU → one sigmoid unit on ``base``, frozen but for what ``is_trained``.

    A frozen batch norm uses its running statistics in training too.
    """

    def freeze(path: str, layer: Layer) -> Layer:
        if isinstance(layer, Conv | Dense | BatchNorm):
            return dataclasses.replace(layer, frozen=not is_trained(path))
        return layer

    head = (Flatten("flatten"), Dense("fc", UNITS, activation="relu"), Dense("logits", 1))
    return Network(
        name=name,
        input_shape=base.input_shape,
        classes=1,
        layers=(*base.edited(freeze).layers, *head),
        source=f"transfer-learning tutorial in Keras, cats and dogs; base: {base.source}",
        loss=Loss("sigmoid"),
    )


def divided(network: Network) -> tuple[Network, Network]:
    """The frozen base of ``network`` as a network that gives features, and the rest as one fed with them.

    Paths stay the same in both. ``ValueError`` where nothing, or everything, is frozen: a base ends before
    the first layer that is trained, and before the layers without parameters that lead to it.
    """
    trained = {parameter.path.split(".")[0] for parameter in network.parameters if parameter.trainable}
    with_parameters = {parameter.path.split(".")[0] for parameter in network.parameters}
    end = next((i for i, layer in enumerate(network.layers) if layer.name in trained), 0)
    while end and not isinstance(network.layers[end - 1], Conv | Dense | BatchNorm | MaxPool | AvgPool):
        end -= 1
    if not any(layer.name in with_parameters for layer in network.layers[:end]):
        raise ValueError(f"{network.name} has no frozen base before a part that is trained")
    base = dataclasses.replace(
        network, name=f"{network.name}-base", classes=0, layers=network.layers[:end], loss=Loss("none")
    )
    features = base.nodes[-1].output_shape
    head = dataclasses.replace(
        network, name=f"{network.name}-head", input_shape=features, layers=network.layers[end:]
    )
    return base, head


def vgg16_transfer(input_size: tuple[int, int] = (150, 150)) -> Network:
    """16,812,353 parameters at 150×150: 2,097,665 trained in the head, 14,714,688 frozen."""
    return transfer(vgg16_base(input_size), "vgg16-transfer")


def vgg16_finetune(input_size: tuple[int, int] = (150, 150)) -> Network:
    """The same with block 5 open: 7,079,424 of the base are trained, 7,635,264 frozen."""
    return transfer(
        vgg16_base(input_size), "vgg16-finetune", is_trained=lambda path: path.startswith("conv5_")
    )


NETWORKS = {"vgg16-finetune": vgg16_finetune, "vgg16-transfer": vgg16_transfer}
REDUCED = {
    "vgg16-finetune": {"input_size": (32, 32)},
    "vgg16-transfer": {"input_size": (32, 32)},
}
