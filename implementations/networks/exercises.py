"""Two exercises in branching graphs on cats and dogs (source E of the mission), one sigmoid unit each."""

from implementations.spec import (
    AvgPool,
    Concat,
    Conv,
    Dense,
    Flatten,
    Layer,
    Loss,
    MaxPool,
    Network,
    Residual,
)

SOURCE = "functional-API exercises in Keras, cats and dogs"
FILTERS = {"inception": 32, "residual": 128}
UNITS = 256


def inception_exercise(input_size: tuple[int, int] = (150, 150)) -> Network:
    """One strided inception module, unpadded, each branch with a dense layer: 177,092,961 at 150×150.

    Branches of 75, 74, 72 and 73 pixels cannot be joined as images; each is flattened first.
    """
    return Network(
        name="inception-exercise",
        input_shape=(3, *input_size),
        classes=1,
        source=SOURCE,
        loss=Loss("sigmoid"),
        layers=(
            Concat("inception", tuple((*branch, *_ending(name)) for name, branch in _branches().items())),
            Dense("logits", 1),
        ),
    )


def _branches() -> dict[str, tuple[Layer, ...]]:
    filters = FILTERS["inception"]
    return {
        "a": (_conv("a_1x1", filters, 1, stride=2),),
        "b": (_conv("b_1x1", filters, 1), _conv("b_3x3", filters, 3, stride=2)),
        "c": (AvgPool("c_pool", 3, stride=2), _conv("c_3x3", filters, 3)),
        "d": (
            _conv("d_1x1", filters, 1),
            _conv("d_3x3", filters, 3),
            _conv("d_3x3_strided", filters, 3, stride=2),
        ),
    }


def _ending(branch: str) -> tuple[Layer, ...]:
    return Flatten(f"{branch}_flatten"), Dense(f"{branch}_fc", UNITS, activation="relu")


def residual_exercise(input_size: tuple[int, int] = (256, 256)) -> Network:
    """Three blocks, a linear shortcut around the first and the third: 34,313,473 at 256×256."""
    return Network(
        name="residual-exercise",
        input_shape=(3, *input_size),
        classes=1,
        source=SOURCE,
        loss=Loss("sigmoid"),
        layers=(
            Residual("block1", (_block(), _shortcut())),
            *_block("block2_"),
            Residual("block3", (_block(), _shortcut())),
            Flatten("flatten"),
            Dense("fc", UNITS, activation="relu"),
            Dense("logits", 1),
        ),
    )


def _block(prefix: str = "") -> tuple[Layer, ...]:
    filters = FILTERS["residual"]
    return (
        _conv(f"{prefix}conv1", filters, 3, padding=1),
        _conv(f"{prefix}conv2", filters, 3, padding=1),
        MaxPool(f"{prefix}pool", 2, stride=2),
    )


def _shortcut() -> tuple[Layer, ...]:
    return (Conv("shortcut", FILTERS["residual"], 1, stride=2),)


def _conv(name: str, filters: int, kernel: int, stride: int = 1, padding: int = 0) -> Conv:
    return Conv(name, filters, kernel, stride=stride, padding=padding, activation="relu")


NETWORKS = {"inception-exercise": inception_exercise, "residual-exercise": residual_exercise}
REDUCED = {
    "inception-exercise": {"input_size": (31, 31)},
    "residual-exercise": {"input_size": (32, 32)},
}
