"""Networks for proofs only: small, and made of the cases that the papers' networks avoid.

Odd sizes, one-sided padding, a ragged ceil pool, a padded average pool with and without counting
the padding, an identity residual, strided branches, a convolution without bias; batch norm with and
without a rectifier, frozen layers, an adaptive pool whose windows overlap, a loss of one sigmoid.
"""

from implementations.spec import (
    AdaptiveAvgPool,
    Auxiliary,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LocalResponseNorm,
    Loss,
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


def probe_bn(input_size: tuple[int, int] = (19, 23)) -> Network:
    """The probe network of batch norm, frozen layers and the sigmoid loss."""
    return Network(
        name="probe-bn",
        input_shape=(3, *input_size),
        classes=1,
        source="made for the proofs of this project",
        loss=Loss("sigmoid"),
        layers=(
            Conv("conv1", 6, 3, stride=2, padding=1, bias=None, frozen=True),
            BatchNorm("conv1_bn", eps=1e-2, momentum=0.25, activation="relu", frozen=True),
            Conv("conv2", 8, 3, padding=1, bias=None),
            BatchNorm("conv2_bn", eps=1e-3, momentum=0.125, activation="relu"),
            Residual("residual", (_normalised_branch(), ()), activation="relu"),
            AdaptiveAvgPool("pool", 4),
            Flatten("flatten"),
            Dense("fc", 12, activation="relu"),
            Dense("logits", 1),
        ),
    )


def _normalised_branch() -> tuple[Layer, ...]:
    return Conv("conv", 8, 3, padding=1, bias=None), BatchNorm("conv_bn", eps=1e-5, momentum=0.1)


def _strided_branches() -> tuple[tuple[Layer, ...], ...]:
    return (
        (Conv("a", 6, 1, stride=2, bias=None),),
        (_relu("b_reduce", 4, 1), _relu("b", 6, 3, stride=2, padding=1)),
        (MaxPool("c_pool", 3, stride=2, padding=1), _relu("c", 5, 1)),
    )


def _relu(name: str, filters: int, kernel: int, stride: int = 1, padding: int = 0) -> Conv:
    return Conv(name, filters, kernel, stride=stride, padding=padding, activation="relu")


NETWORKS = {"probe": probe, "probe-bn": probe_bn}
REDUCED: dict[str, dict[str, object]] = {
    "probe": {},
    "probe-bn": {},
}
