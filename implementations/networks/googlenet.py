"""GoogLeNet (Szegedy et al. 2014, Table 1) in four dialects: equal tables, different networks.

What the paper leaves open is made explicit by each dialect: how convolutions are padded and
normalised, how pools end, where local response normalisation stands, what biases start from.
"""

from implementations.spec import (
    AdaptiveAvgPool,
    Auxiliary,
    AvgPool,
    BatchNorm,
    Concat,
    Constant,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    GlorotUniform,
    HeNormal,
    Layer,
    LocalResponseNorm,
    MaxPool,
    Network,
    Padding,
)

Layers = tuple[Layer, ...]
Size = tuple[int, int]


def googlenet(classes: int = 1000, input_size: Size = (224, 224)) -> Network:
    """GoogLeNet: 13,378,280 parameters with 1000 classes, 6,998,552 of them without auxiliary heads.

    Padding and ceil-mode pools give the paper's sizes 224 → 112 → 56 → 28 → 14 → 7. Local response
    normalisation stands after the first pool and after the third convolution (Figure 3).
    Glorot-uniform kernels and bias 0.2 (0 in the classifiers) are the published Caffe training file's.
    """
    source = "Szegedy et al. 2014, Table 1; arXiv:1409.4842"
    return _network("googlenet", Paper(), classes, input_size, source)


def googlenet_keras(classes: int = 10, input_size: Size = (224, 224)) -> Network:
    """Source A of the mission: TensorFlow's ``same`` padding, one normalisation, other first biases.

    10,334,030 parameters with 10 classes, as many as ``googlenet``: equal counts, different networks.
    The source's code has no normalisation, its printed summary shows one after the first pool and is
    cut short there: the summary is followed.
    """
    return _network(
        "googlenet-keras", Keras(input_size), classes, input_size, "GoogLeNet tutorial in Keras, CIFAR-10"
    )


def googlenet_paddle(classes: int = 102, input_size: Size = (224, 224)) -> Network:
    """Source D of the mission: explicit padding and ceil-mode pools, no normalisation.

    10,616,930 parameters with 102 classes.
    """
    return _network(
        "googlenet-paddle", Paddle(), classes, input_size, "GoogLeNet tutorial in PaddlePaddle, Flowers-102"
    )


def googlenet_bn(classes: int = 1000, input_size: Size = (224, 224)) -> Network:
    """As torchvision: batch norm for biases, 3×3 for the 5×5, a 2×2 last pool, adaptive side pools.

    13,004,888 trainable parameters with 1000 classes, 6,624,904 of them without auxiliary heads.
    """
    source = "torchvision.models.googlenet, after Szegedy et al. 2014 and Ioffe and Szegedy 2015"
    return _network("googlenet-bn", Normalised(), classes, input_size, source)


# Columns of Table 1:   1×1  3×3r 3×3  5×5r 5×5  pool
TABLE = {
    "inception_3a": (64, 96, 128, 16, 32, 32),
    "inception_3b": (128, 128, 192, 32, 96, 64),
    "inception_4a": (192, 96, 208, 16, 48, 64),
    "inception_4b": (160, 112, 224, 24, 64, 64),
    "inception_4c": (128, 128, 256, 24, 64, 64),
    "inception_4d": (112, 144, 288, 32, 64, 64),
    "inception_4e": (256, 160, 320, 32, 128, 128),
    "inception_5a": (256, 160, 320, 32, 128, 128),
    "inception_5b": (384, 192, 384, 48, 128, 128),
}


# --- Dialects -----------------------------------------------------------------------------


class Paper:
    """The paper's layers, with what it leaves open made explicit."""

    wide = 5  # kernel of the third branch
    final_dropout = 0.4
    hidden_bias = 0.2

    def conv(self, name: str, filters: int, kernel: int, stride: int = 1) -> Layers:
        return (_conv(name, filters, kernel, stride, kernel // 2, bias=0.2),)

    def stem_conv(self, name: str, filters: int, kernel: int) -> Layers:
        """The convolutions between the first pool and the inception modules."""
        return self.conv(name, filters, kernel)

    def pool(self, number: int) -> MaxPool:
        return MaxPool(f"pool{number}", 3, stride=2, ceil=True)

    def norm(self, number: int) -> Layers:
        return (_norm(f"norm{number}"),)

    def side_pool(self) -> Layer:
        return AvgPool("pool", 5, stride=3)

    def side_conv(self, name: str, filters: int) -> Layers:
        return self.conv(name, filters, 1)


class Keras(Paper):
    """``same`` padding at every size: as little as gives ceil(size / stride), the odd one at the end."""

    hidden_bias = 0.0

    def __init__(self, input_size: Size) -> None:
        self.input_size = input_size

    def conv(self, name: str, filters: int, kernel: int, stride: int = 1) -> Layers:
        # The only strided convolution is the first layer.
        padding = kernel // 2 if stride == 1 else self._same(kernel, halvings=0)
        return (_conv(name, filters, kernel, stride, padding, bias=0.2),)

    def stem_conv(self, name: str, filters: int, kernel: int) -> Layers:
        return (_conv(name, filters, kernel, 1, kernel // 2, bias=0.0),)

    def pool(self, number: int) -> MaxPool:
        return MaxPool(f"pool{number}", 3, stride=2, padding=self._same(3, halvings=number))

    def norm(self, number: int) -> Layers:
        return (_norm(f"norm{number}"),) if number == 1 else ()

    def side_conv(self, name: str, filters: int) -> Layers:
        return (_conv(name, filters, 1, 1, 0, bias=0.0),)

    def _same(self, kernel: int, halvings: int) -> Padding:
        """(top, bottom, left, right) for stride 2 after ``halvings`` layers of stride 2."""
        sides: list[int] = []
        for length in self.input_size:
            size = -(-length // 2**halvings)
            total = max(0, (-(-size // 2) - 1) * 2 + kernel - size)
            sides += (total // 2, total - total // 2)
        top, bottom, left, right = sides
        return (top, bottom, left, right)


class Paddle(Paper):
    """Explicit padding, no normalisation; the source does not show what biases start from: 0."""

    hidden_bias = 0.0

    def conv(self, name: str, filters: int, kernel: int, stride: int = 1) -> Layers:
        return (_conv(name, filters, kernel, stride, kernel // 2, bias=0.0),)

    def norm(self, number: int) -> Layers:
        return ()


class Normalised(Paper):
    """Convolutions without bias, each followed by batch norm (eps 0.001, momentum 0.1)."""

    wide = 3
    final_dropout = 0.2
    hidden_bias = 0.0

    def conv(self, name: str, filters: int, kernel: int, stride: int = 1) -> Layers:
        conv = Conv(name, filters, kernel, stride, kernel // 2, weight=HeNormal(), bias=None)
        return conv, BatchNorm(f"{name}_bn", eps=1e-3, momentum=0.1, activation="relu")

    def pool(self, number: int) -> MaxPool:
        return MaxPool(f"pool{number}", 2 if number == 4 else 3, stride=2, ceil=True)

    def norm(self, number: int) -> Layers:
        return ()

    def side_pool(self) -> Layer:
        return AdaptiveAvgPool("pool", 4)


# --- The table, built ---------------------------------------------------------------------


def _network(name: str, dialect: Paper, classes: int, input_size: Size, source: str) -> Network:
    return Network(
        name=name,
        input_shape=(3, *input_size),
        classes=classes,
        source=source,
        layers=(
            *dialect.conv("conv1", 64, 7, stride=2),
            dialect.pool(1),
            *dialect.norm(1),
            *dialect.stem_conv("conv2_reduce", 64, 1),
            *dialect.stem_conv("conv2", 192, 3),
            *dialect.norm(2),
            dialect.pool(2),
            *_inceptions(dialect, "3a", "3b"),
            dialect.pool(3),
            *_inceptions(dialect, "4a"),
            _auxiliary(dialect, "auxiliary_4a", classes),
            *_inceptions(dialect, "4b", "4c", "4d"),
            _auxiliary(dialect, "auxiliary_4d", classes),
            *_inceptions(dialect, "4e"),
            dialect.pool(4),
            *_inceptions(dialect, "5a", "5b"),
            GlobalAvgPool("pool5"),
            Flatten("flatten"),
            Dropout("dropout", dialect.final_dropout),
            Dense("logits", classes, weight=GlorotUniform(), bias=Constant(0.0)),
        ),
    )


def _inceptions(dialect: Paper, *suffixes: str) -> Layers:
    return tuple(_inception(dialect, f"inception_{suffix}") for suffix in suffixes)


def _inception(dialect: Paper, name: str) -> Concat:
    """One inception module with dimension reductions (Figure 2b)."""
    one, three_reduce, three, five_reduce, five, pool = TABLE[name]
    return Concat(
        name,
        (
            dialect.conv("1x1", one, 1),
            (*dialect.conv("3x3_reduce", three_reduce, 1), *dialect.conv("3x3", three, 3)),
            (*dialect.conv("5x5_reduce", five_reduce, 1), *dialect.conv("5x5", five, dialect.wide)),
            (MaxPool("pool", 3, stride=1, padding=1), *dialect.conv("pool_proj", pool, 1)),
        ),
    )


def _auxiliary(dialect: Paper, name: str, classes: int) -> Auxiliary:
    """The side classifier of section 5: its loss counts 0.3, its dropout is 0.7."""
    hidden = Dense("fc", 1024, activation="relu", weight=GlorotUniform(), bias=Constant(dialect.hidden_bias))
    return Auxiliary(
        name,
        (
            dialect.side_pool(),
            *dialect.side_conv("conv", 128),
            Flatten("flatten"),
            hidden,
            Dropout("dropout", 0.7),
            Dense("logits", classes, weight=GlorotUniform(), bias=Constant(0.0)),
        ),
        loss_weight=0.3,
    )


def _conv(name: str, filters: int, kernel: int, stride: int, padding: Padding, bias: float) -> Conv:
    return Conv(
        name,
        filters,
        kernel,
        stride=stride,
        padding=padding,
        activation="relu",
        weight=GlorotUniform(),
        bias=Constant(bias),
    )


def _norm(name: str) -> LocalResponseNorm:
    return LocalResponseNorm(name, size=5, alpha=1e-4, beta=0.75, k=1.0)


NETWORKS = {
    "googlenet": googlenet,
    "googlenet-bn": googlenet_bn,
    "googlenet-keras": googlenet_keras,
    "googlenet-paddle": googlenet_paddle,
}
REDUCED = {
    "googlenet": {"classes": 10, "input_size": (96, 96)},
    "googlenet-bn": {"classes": 10, "input_size": (96, 96)},
    "googlenet-keras": {"classes": 10, "input_size": (97, 90)},
    "googlenet-paddle": {"classes": 10, "input_size": (96, 96)},
}
