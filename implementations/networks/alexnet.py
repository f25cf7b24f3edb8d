"""AlexNet in one tower (Krizhevsky 2014, arXiv:1404.5997), as torchvision and Paddle build it."""

from implementations.spec import Constant, Conv, Dense, Dropout, Flatten, Layer, MaxPool, Network, Normal


def alexnet(classes: int = 1000, input_size: tuple[int, int] = (224, 224)) -> Network:
    """AlexNet: 61,100,840 parameters with 1000 classes at 224×224.

    Kernels and biases start as in section 5 of Krizhevsky et al. 2012: normal with deviation 0.01,
    bias 1 in the second, fourth and fifth convolution and the hidden dense layers, 0 elsewhere.
    """
    return Network(
        name="alexnet",
        input_shape=(3, *input_size),
        classes=classes,
        source="Krizhevsky 2014, one tower; arXiv:1404.5997",
        layers=(
            _conv("conv1", 64, 11, stride=4, padding=2, bias=0.0),
            MaxPool("pool1", 3, stride=2),
            _conv("conv2", 192, 5, padding=2, bias=1.0),
            MaxPool("pool2", 3, stride=2),
            _conv("conv3", 384, 3, padding=1, bias=0.0),
            _conv("conv4", 256, 3, padding=1, bias=1.0),
            _conv("conv5", 256, 3, padding=1, bias=1.0),
            MaxPool("pool5", 3, stride=2),
            Flatten("flatten"),
            *_hidden(6),
            *_hidden(7),
            Dense("logits", classes, weight=Normal(0.01), bias=Constant(0.0)),
        ),
    )


def _conv(name: str, filters: int, kernel: int, *, stride: int = 1, padding: int, bias: float) -> Conv:
    return Conv(
        name,
        filters,
        kernel,
        stride=stride,
        padding=padding,
        activation="relu",
        weight=Normal(0.01),
        bias=Constant(bias),
    )


def _hidden(number: int) -> tuple[Layer, ...]:
    return (
        Dropout(f"drop{number}", 0.5),
        Dense(f"fc{number}", 4096, activation="relu", weight=Normal(0.01), bias=Constant(1.0)),
    )


NETWORKS = {"alexnet": alexnet}
REDUCED = {
    "alexnet": {"classes": 10, "input_size": (67, 67)},
}
