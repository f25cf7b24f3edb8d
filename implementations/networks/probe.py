"""A network for proofs only: small, and made of the cases that the papers' networks avoid.

Odd sizes, one-sided padding, a ragged ceil pool, a padded average pool with and without counting
the padding, an identity residual, strided branches, a convolution without bias.
"""

from implementations.spec import (
    Auxiliary,
    AvgPool,
    Concat,
    Conv,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LocalResponseNorm,
    MaxPool,
    Network,
    Residual,
)


def probe(classes: int = 7, input_size: tuple[int, int] = (25, 20)) -> Network:
    """The probe network; its shapes are ragged on purpose."""
    return Network(
        name="probe",
        input_shape=(3, *input_size),
        classes=classes,
        source="made for the proofs of this project",
        layers=(
            Conv("conv1", 8, 5, stride=2, padding=(1, 2, 0, 3), activation="relu"),
            LocalResponseNorm("norm", size=3, alpha=2e-4, beta=0.5, k=2.0),
            MaxPool("ceil_pool", 3, stride=2, padding=1, ceil=True),
            Residual(
                "residual", ((_relu("a", 8, 3, padding=1), Conv("b", 8, 3, padding=1)), ()), activation="relu"
            ),
            Concat("strided", _strided_branches()),
            Auxiliary("side", (Flatten("flatten"), Dense("logits", classes)), loss_weight=0.25),
            AvgPool("counted", 2, stride=1, padding=1, count_padding=True),
            AvgPool("uncounted", 3, stride=2, padding=1),
            Flatten("flatten"),
            Dropout("dropout", 0.5),
            Dense("fc", 16, activation="relu"),
            Dense("logits", classes),
        ),
    )


def _strided_branches() -> tuple[tuple[Layer, ...], ...]:
    return (
        (Conv("a", 6, 1, stride=2, bias=None),),
        (_relu("b_reduce", 4, 1), _relu("b", 6, 3, stride=2, padding=1)),
        (MaxPool("c_pool", 3, stride=2, padding=1), _relu("c", 5, 1)),
    )


def _relu(name: str, filters: int, kernel: int, stride: int = 1, padding: int = 0) -> Conv:
    return Conv(name, filters, kernel, stride=stride, padding=padding, activation="relu")
