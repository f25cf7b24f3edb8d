"""GoogLeNet (Szegedy et al. 2014, Table 1), with what the paper leaves open made explicit.

Padding and ceil-mode pools give the paper's sizes 224 → 112 → 56 → 28 → 14 → 7. Local response
normalisation stands after the first pool and after the third convolution (Figure 3). Glorot-uniform
kernels and bias 0.2 (0 in the classifiers) are those of the published Caffe training file.
"""

from implementations.spec import (
    Auxiliary,
    AvgPool,
    Concat,
    Constant,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    GlorotUniform,
    Layer,
    LocalResponseNorm,
    MaxPool,
    Network,
    Padding,
)


def googlenet(classes: int = 1000, input_size: tuple[int, int] = (224, 224)) -> Network:
    """GoogLeNet: 13,378,280 parameters with 1000 classes, 6,998,552 of them without auxiliary heads."""
    return Network(
        name="googlenet",
        input_shape=(3, *input_size),
        classes=classes,
        source="Szegedy et al. 2014, Table 1; arXiv:1409.4842",
        layers=(
            _conv("conv1", 64, 7, stride=2, padding=3),
            MaxPool("pool1", 3, stride=2, ceil=True),
            _norm("norm1"),
            _conv("conv2_reduce", 64, 1),
            _conv("conv2", 192, 3, padding=1),
            _norm("norm2"),
            MaxPool("pool2", 3, stride=2, ceil=True),
            # Columns of Table 1:        1×1  3×3r  3×3  5×5r  5×5  pool
            _inception("inception_3a", 64, 96, 128, 16, 32, 32),
            _inception("inception_3b", 128, 128, 192, 32, 96, 64),
            MaxPool("pool3", 3, stride=2, ceil=True),
            _inception("inception_4a", 192, 96, 208, 16, 48, 64),
            _auxiliary("auxiliary_4a", classes),
            _inception("inception_4b", 160, 112, 224, 24, 64, 64),
            _inception("inception_4c", 128, 128, 256, 24, 64, 64),
            _inception("inception_4d", 112, 144, 288, 32, 64, 64),
            _auxiliary("auxiliary_4d", classes),
            _inception("inception_4e", 256, 160, 320, 32, 128, 128),
            MaxPool("pool4", 3, stride=2, ceil=True),
            _inception("inception_5a", 256, 160, 320, 32, 128, 128),
            _inception("inception_5b", 384, 192, 384, 48, 128, 128),
            GlobalAvgPool("pool5"),
            Flatten("flatten"),
            Dropout("dropout", 0.4),
            Dense("logits", classes, weight=GlorotUniform(), bias=Constant(0.0)),
        ),
    )


def _conv(name: str, filters: int, kernel: int, stride: int = 1, padding: Padding = 0) -> Conv:
    return Conv(
        name,
        filters,
        kernel,
        stride=stride,
        padding=padding,
        activation="relu",
        weight=GlorotUniform(),
        bias=Constant(0.2),
    )


def _norm(name: str) -> LocalResponseNorm:
    return LocalResponseNorm(name, size=5, alpha=1e-4, beta=0.75, k=1.0)


def _inception(
    name: str, one: int, three_reduce: int, three: int, five_reduce: int, five: int, pool: int
) -> Concat:
    """One inception module with dimension reductions (Figure 2b)."""
    branches: tuple[tuple[Layer, ...], ...] = (
        (_conv("1x1", one, 1),),
        (_conv("3x3_reduce", three_reduce, 1), _conv("3x3", three, 3, padding=1)),
        (_conv("5x5_reduce", five_reduce, 1), _conv("5x5", five, 5, padding=2)),
        (MaxPool("pool", 3, stride=1, padding=1), _conv("pool_proj", pool, 1)),
    )
    return Concat(name, branches)


def _auxiliary(name: str, classes: int) -> Auxiliary:
    """The side classifier of section 5: its loss counts 0.3, its dropout is 0.7."""
    return Auxiliary(
        name,
        (
            AvgPool("pool", 5, stride=3),
            _conv("conv", 128, 1),
            Flatten("flatten"),
            Dense("fc", 1024, activation="relu", weight=GlorotUniform(), bias=Constant(0.2)),
            Dropout("dropout", 0.7),
            Dense("logits", classes, weight=GlorotUniform(), bias=Constant(0.0)),
        ),
        loss_weight=0.3,
    )
