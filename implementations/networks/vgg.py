"""VGG (Simonyan and Zisserman 2014, Table 1): stacks of 3×3 convolutions between 2×2 max pools."""

from implementations.spec import (
    Constant,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlorotUniform,
    Layer,
    MaxPool,
    Network,
)

# Configuration D: filters of each block's convolutions.
VGG16_BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def vgg16(classes: int = 1000, input_size: tuple[int, int] = (224, 224)) -> Network:
    """VGG16 (configuration D) with top; 138,357,544 parameters with 1000 classes at 224×224."""
    return Network(
        name="vgg16",
        input_shape=(3, *input_size),
        classes=classes,
        source="Simonyan and Zisserman 2014, Table 1, configuration D; arXiv:1409.1556",
        layers=(*_blocks(VGG16_BLOCKS), *_classifier(classes)),
    )


def _blocks(blocks: tuple[tuple[int, ...], ...]) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    for number, block in enumerate(blocks, start=1):
        layers += (_conv(f"conv{number}_{i}", filters) for i, filters in enumerate(block, start=1))
        layers.append(MaxPool(f"pool{number}", 2, stride=2))
    return tuple(layers)


def _conv(name: str, filters: int) -> Conv:
    # Section 3.1 of the paper allows Glorot's initialisation instead of pre-training; biases are 0.
    return Conv(name, filters, 3, padding=1, activation="relu", weight=GlorotUniform(), bias=Constant(0.0))


def _classifier(classes: int) -> tuple[Layer, ...]:
    return (
        Flatten("flatten"),
        Dense("fc6", 4096, activation="relu", weight=GlorotUniform(), bias=Constant(0.0)),
        Dropout("drop6", 0.5),
        Dense("fc7", 4096, activation="relu", weight=GlorotUniform(), bias=Constant(0.0)),
        Dropout("drop7", 0.5),
        Dense("logits", classes, weight=GlorotUniform(), bias=Constant(0.0)),
    )
