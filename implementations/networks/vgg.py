"""VGG (Simonyan and Zisserman 2014, Table 1): stacks of 3×3 convolutions between 2×2 max pools."""

from implementations.spec import (
    Constant,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlorotUniform,
    Layer,
    Loss,
    MaxPool,
    Network,
)

Size = tuple[int, int]

# Filters of each block's convolutions, by the paper's configuration.
BLOCKS = {
    "B": ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
    "D": ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
    "E": ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4),
}


def vgg13(classes: int = 1000, input_size: Size = (224, 224)) -> Network:
    """VGG13 (configuration B): 133,047,848 parameters with 1000 classes at 224×224."""
    return _network("vgg13", "B", classes, input_size)


def vgg16(classes: int = 1000, input_size: Size = (224, 224)) -> Network:
    """VGG16 (configuration D): 138,357,544 parameters with 1000 classes at 224×224."""
    return _network("vgg16", "D", classes, input_size)


def vgg19(classes: int = 1000, input_size: Size = (224, 224)) -> Network:
    """VGG19 (configuration E): 143,667,240 parameters with 1000 classes at 224×224."""
    return _network("vgg19", "E", classes, input_size)


def vgg13_base(input_size: Size = (224, 224)) -> Network:
    """VGG13 without top: features of shape (512, height / 32, width / 32)."""
    return _base("vgg13-base", "B", input_size)


def vgg16_base(input_size: Size = (224, 224)) -> Network:
    """VGG16 without top: 14,714,688 parameters; (512, 4, 4) features at 150×150."""
    return _base("vgg16-base", "D", input_size)


def vgg19_base(input_size: Size = (224, 224)) -> Network:
    """VGG19 without top: features of shape (512, height / 32, width / 32)."""
    return _base("vgg19-base", "E", input_size)


def _network(name: str, configuration: str, classes: int, input_size: Size) -> Network:
    layers = (*_blocks(configuration), *_classifier(classes))
    return Network(name, (3, *input_size), classes, layers, _source(configuration))


def _base(name: str, configuration: str, input_size: Size) -> Network:
    layers, source = _blocks(configuration), _source(configuration)
    return Network(name, (3, *input_size), classes=0, layers=layers, source=source, loss=Loss("none"))


def _source(configuration: str) -> str:
    return f"Simonyan and Zisserman 2014, Table 1, configuration {configuration}; arXiv:1409.1556"


def _blocks(configuration: str) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    for number, block in enumerate(BLOCKS[configuration], start=1):
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


NETWORKS = {
    "vgg13": vgg13,
    "vgg13-base": vgg13_base,
    "vgg16": vgg16,
    "vgg16-base": vgg16_base,
    "vgg19": vgg19,
    "vgg19-base": vgg19_base,
}
REDUCED = {
    "vgg13": {"classes": 10, "input_size": (32, 32)},
    "vgg13-base": {"input_size": (32, 32)},
    "vgg16": {"classes": 10, "input_size": (32, 32)},
    "vgg16-base": {"input_size": (32, 32)},
    "vgg19": {"classes": 10, "input_size": (32, 32)},
    "vgg19-base": {"input_size": (32, 32)},
}
