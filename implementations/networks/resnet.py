"""ResNet (He et al. 2015, Table 1) with batch norm after every convolution, none of which has a bias."""

from collections.abc import Callable

from implementations.spec import (
    Activation,
    BatchNorm,
    Constant,
    Conv,
    Dense,
    Flatten,
    GlobalAvgPool,
    GlorotUniform,
    HeNormal,
    Layer,
    MaxPool,
    Network,
    Residual,
)

Layers = tuple[Layer, ...]
Block = Callable[[int, int], tuple[Layers, int]]


def resnet18(classes: int = 1000, input_size: tuple[int, int] = (224, 224)) -> Network:
    """ResNet-18: 11,689,512 trainable parameters with 1000 classes."""
    return _network("resnet18", _basic, (2, 2, 2, 2), classes, input_size)


def resnet50(classes: int = 1000, input_size: tuple[int, int] = (224, 224)) -> Network:
    """ResNet-50 v1.5 (the stride in the 3×3): 25,557,032 trainable parameters with 1000 classes."""
    return _network("resnet50", _bottleneck, (3, 4, 6, 3), classes, input_size)


def _network(
    name: str, block: Block, depths: tuple[int, ...], classes: int, input_size: tuple[int, int]
) -> Network:
    return Network(
        name=name,
        input_shape=(3, *input_size),
        classes=classes,
        source="He et al. 2015, Table 1; arXiv:1512.03385; stride and padding as torchvision",
        layers=(
            *_conv("conv1", 64, 7, stride=2),
            MaxPool("pool1", 3, stride=2, padding=1),
            *_stages(block, depths),
            GlobalAvgPool("pool5"),
            Flatten("flatten"),
            Dense("logits", classes, weight=GlorotUniform(), bias=Constant(0.0)),
        ),
    )


def _stages(block: Block, depths: tuple[int, ...]) -> Layers:
    """Stages 2 to 5; a block whose shape changes has a projection for its shortcut."""
    blocks: list[Layer] = []
    channels = 64
    for stage, depth in enumerate(depths, start=2):
        for index in range(depth):
            stride = 2 if index == 0 and stage > 2 else 1
            branch, width = block(64 * 2 ** (stage - 2), stride)
            changes = stride > 1 or width != channels
            shortcut = _conv("shortcut", width, 1, stride, activation=None) if changes else ()
            name = f"stage{stage}_{index + 1}"
            blocks.append(Residual(name, (branch, shortcut), activation="relu"))
            channels = width
    return tuple(blocks)


def _basic(filters: int, stride: int) -> tuple[Layers, int]:
    first = _conv("conv1", filters, 3, stride)
    return (*first, *_conv("conv2", filters, 3, activation=None)), filters


def _bottleneck(filters: int, stride: int) -> tuple[Layers, int]:
    reduced = (*_conv("conv1", filters, 1), *_conv("conv2", filters, 3, stride))
    return (*reduced, *_conv("conv3", 4 * filters, 1, activation=None)), 4 * filters


def _conv(name: str, filters: int, kernel: int, stride: int = 1, activation: Activation = "relu") -> Layers:
    conv = Conv(name, filters, kernel, stride, kernel // 2, weight=HeNormal(), bias=None)
    return conv, BatchNorm(f"{name}_bn", eps=1e-5, momentum=0.1, activation=activation)


NETWORKS = {"resnet18": resnet18, "resnet50": resnet50}
REDUCED = {
    "resnet18": {"classes": 10, "input_size": (64, 64)},
    "resnet50": {"classes": 10, "input_size": (64, 64)},
}
