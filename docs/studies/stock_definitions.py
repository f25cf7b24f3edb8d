"""The stock networks restated in our vocabulary, and the differences that were found, one by one.

A case says: this stock model computes what ``network`` computes. Its variations then change one thing
each. Those marked ``ours`` lead, together, to our network of that name: so the list is complete.
"""

from dataclasses import dataclass

from stock_edits import (
    UnitEdit,
    Variation,
    bgr,
    epsilon,
    in_the_middle,
    linear_before_the_join,
    moved_stride,
    norms_off,
    norms_on,
    on_kind,
    rows_first,
    same_unit,
    strided_pools,
    times,
    without_conv_bias,
    without_norm,
)

from implementations.networks.googlenet import googlenet
from implementations.networks.vgg import vgg16
from implementations.spec import Conv, Dense, Flatten, GlobalAvgPool, Layer, MaxPool, Network, Residual


@dataclass(frozen=True)
class Case:
    """A stock model and its restatement; ``images`` are standard deviations of the inputs to try."""

    model: str
    network: Network
    variations: tuple[Variation, ...] = ()
    unit: UnitEdit = same_unit
    target: Network | None = None  # what all ``ours`` together must give
    gain: float = 2.0
    images: tuple[float, ...] = (1.0,)


# --- GoogLeNets ---------------------------------------------------------------------------

OUR_GOOGLENET = googlenet().inference()
LRN = Variation("local response norm, twice", norms_on, ours=True)
POOL4 = Variation("pool4 3×3/2 with ceil for 2×2/2", on_kind(MaxPool, "pool4", kernel=3), ours=True)
FIVE = Variation(
    "5×5 with the 3×3 in its middle, rim 0",
    on_kind(Conv, "5x5", kernel=5, padding=2),
    in_the_middle,
    ours=True,
)
FLOOR = Variation("pools floor for ceil", strided_pools(ceil=False))
SAME_7 = Variation("conv1 pads 2+3 for 3+3", on_kind(Conv, "conv1", padding=(2, 3, 2, 3)))
NO_NORM = Variation("batch norm left out (kernels as they are)", unit=without_norm)
THREE_FOR_FIVE = on_kind(Conv, "5x5", kernel=3, padding=1)
WITH_BATCH_NORM = (
    OUR_GOOGLENET.edited(norms_off).edited(THREE_FOR_FIVE).edited(on_kind(MaxPool, "pool4", kernel=2))
)

TORCHVISION_GOOGLENET = Case(
    "googlenet",
    WITH_BATCH_NORM,
    (
        LRN,
        POOL4,
        FIVE,
        NO_NORM,
        Variation("batch norm eps 1e-5 for 1e-3", unit=epsilon(1e-5)),
        FLOOR,
        SAME_7,
    ),
    target=OUR_GOOGLENET,
    images=(1.0, 50.0),
)
SLIM_INCEPTION = Case(
    "inception_v1",
    WITH_BATCH_NORM.edited(SAME_7.layer),
    (
        LRN,
        POOL4,
        FIVE,
        Variation("conv1 pads 3+3 for 2+3", on_kind(Conv, "conv1", padding=3), ours=True),
        NO_NORM,
        Variation("batch norm eps 1e-5 for 1e-3", unit=epsilon(1e-5)),
    ),
    target=OUR_GOOGLENET,
    images=(1.0, 50.0),
)
PADDLE_GOOGLENET = Case(
    "googlenet",
    OUR_GOOGLENET.edited(norms_off).edited(strided_pools(ceil=False)).edited(linear_before_the_join),
    (
        LRN,
        Variation("pools ceil for floor", strided_pools(ceil=True), ours=True),
        Variation(
            "a ReLU after each of the 57 convolutions", on_kind(Conv, "", activation="relu"), ours=True
        ),
        Variation("dropout without its 0.6 at inference", unit=times(1 / 0.6, "logits"), ours=True),
    ),
    unit=times(0.6, "logits"),
    target=OUR_GOOGLENET,
    images=(1.0, 50.0),
)

# --- ResNets (He et al. 2015), batch norm folded into the convolutions -----------------------


def resnet(depths: tuple[int, ...], bottleneck: bool, stride_on: str = "2") -> Network:
    """A residual network; ``stride_on`` is the bottleneck's convolution that strides (1: v1, 2: v1.5)."""
    layers: list[Layer] = [
        Conv("conv1", 64, 7, stride=2, padding=3, activation="relu"),
        MaxPool("pool1", 3, stride=2, padding=1),
    ]
    for stage, depth in enumerate(depths, start=2):
        for index in range(1, depth + 1):
            stride = 2 if stage > 2 and index == 1 else 1
            shortcut = index == 1 and (bottleneck or stage > 2)
            layers.append(
                _block(f"block{stage}_{index}", 32 << (stage - 1), stride, shortcut, bottleneck, stride_on)
            )
    layers += [GlobalAvgPool("pool5"), Flatten("flatten"), Dense("logits", 1000)]
    return Network("resnet", (3, 224, 224), 1000, tuple(layers))


def _block(name: str, width: int, stride: int, shortcut: bool, bottleneck: bool, stride_on: str) -> Residual:
    def conv(number: str, filters: int, kernel: int, last: bool = False) -> Conv:
        step = stride if number == stride_on else 1
        activation = None if last else "relu"
        return Conv(number, filters, kernel, stride=step, padding=kernel // 2, activation=activation)

    if bottleneck:
        main = (conv("1", width, 1), conv("2", width, 3), conv("3", 4 * width, 1, last=True))
    else:
        stride_on = "1"
        main = (conv("1", width, 3), conv("2", width, 3, last=True))
    side = (Conv("shortcut", main[-1].filters, 1, stride=stride),) if shortcut else ()
    return Residual(name, (main, side), activation="relu")


RESNET18 = resnet((2, 2, 2, 2), bottleneck=False)
RESNET50 = resnet((3, 4, 6, 3), bottleneck=True)
RESNET_SLIPS = (
    Variation("batch norm eps 1e-3 for 1e-5", unit=epsilon(1e-3)),
    Variation("pool1 with ceil for padding 1", on_kind(MaxPool, "pool1", padding=0, ceil=True)),
    SAME_7,
)
V1 = Variation("stride on the first 1×1 (v1) for the 3×3 (v1.5)", moved_stride("2", "1"))
KERAS_RESNET50 = Case(
    "ResNet50",
    resnet((3, 4, 6, 3), bottleneck=True, stride_on="1"),
    (
        Variation("stride on the 3×3 (v1.5) for the first 1×1 (v1)", moved_stride("1", "2"), ours=True),
        Variation("convolutions without their biases", unit=without_conv_bias, ours=True),
        Variation("batch norm eps 1e-5 for 1.001e-5", unit=epsilon(1e-5), ours=True),
        *RESNET_SLIPS,
    ),
    target=RESNET50,
    gain=1.0,
)

# --- VGGs and AlexNet ---------------------------------------------------------------------


def vgg(*depths: int) -> Network:
    """Table 1 of Simonyan and Zisserman 2014 with ``depths`` convolutions in the five blocks."""
    layers: list[Layer] = []
    for block, (depth, filters) in enumerate(zip(depths, (64, 128, 256, 512, 512), strict=True), start=1):
        layers += [_relu(f"conv{block}_{index}", filters, 3, 1, 1) for index in range(1, depth + 1)]
        layers.append(MaxPool(f"pool{block}", 2, stride=2))
    return Network("vgg", (3, 224, 224), 1000, (*layers, *_classifier()))


def _classifier() -> tuple[Layer, ...]:
    hidden = (Dense("fc6", 4096, activation="relu"), Dense("fc7", 4096, activation="relu"))
    return (Flatten("flatten"), *hidden, Dense("logits", 1000))


def _relu(name: str, filters: int, kernel: int, stride: int, padding: int) -> Conv:
    return Conv(name, filters, kernel, stride=stride, padding=padding, activation="relu")


ALEXNET = Network(
    "alexnet",
    (3, 224, 224),
    1000,
    (
        _relu("conv1", 64, 11, 4, 2),
        MaxPool("pool1", 3, stride=2),
        _relu("conv2", 192, 5, 1, 2),
        MaxPool("pool2", 3, stride=2),
        _relu("conv3", 384, 3, 1, 1),
        _relu("conv4", 256, 3, 1, 1),
        _relu("conv5", 256, 3, 1, 1),
        MaxPool("pool5", 3, stride=2),
        *_classifier(),
    ),
)
VGG_SLIPS = (
    Variation("input in BGR order for RGB", unit=bgr("conv1_1")),
    Variation("flatten in height, width, channel order", unit=rows_first(512, 7)),
)
HALVED = Variation("dropout without its 0.5 at inference", unit=times(2.0, "fc6", "fc7"), ours=True)

# --- All cases ----------------------------------------------------------------------------

_SHARED = (
    Case("vgg13", vgg(2, 2, 2, 2, 2)),
    Case("vgg16", vgg16(), VGG_SLIPS),
    Case("vgg19", vgg(2, 2, 4, 4, 4)),
    Case("resnet18", RESNET18, RESNET_SLIPS, gain=1.0),
    Case("resnet50", RESNET50, (V1, *RESNET_SLIPS), gain=1.0),
)
CASES: dict[str, tuple[Case, ...]] = {
    "torchvision": (TORCHVISION_GOOGLENET, Case("alexnet", ALEXNET), *_SHARED),
    "keras": (Case("VGG16", vgg16(), VGG_SLIPS), Case("VGG19", vgg(2, 2, 4, 4, 4)), KERAS_RESNET50),
    "paddle": (
        PADDLE_GOOGLENET,
        Case("alexnet", ALEXNET, (HALVED,), unit=times(0.5, "fc6", "fc7"), target=ALEXNET),
        *_SHARED,
    ),
    "tf-slim": (SLIM_INCEPTION,),
}
