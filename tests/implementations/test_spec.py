"""Shapes, parameters and multiply-adds by arithmetic, against figures from elsewhere."""

import dataclasses

import pytest

from implementations import networks
from implementations.describe import totals
from implementations.errors import UserError
from implementations.spec import (
    AvgPool,
    Concat,
    Conv,
    Dense,
    Flatten,
    MaxPool,
    Network,
    Residual,
    ShapeError,
    trainable_sizes,
    window_counts,
)


@pytest.mark.parametrize(
    ("name", "options", "parameters"),
    [
        ("mlp", {}, 101_770),  # tutorial's printed summary: 100,480 + 1,290
        ("vgg16", {}, 138_357_544),  # Keras, torchvision and Paddle print the same
        ("vgg16", {"classes": 10}, 134_301_514),  # 138,357,544 - 990 * (4096 + 1)
        ("googlenet", {}, 13_378_280),  # arithmetic on Szegedy et al. 2014, Table 1
        ("googlenet", {"classes": 10}, 10_334_030),  # total printed by the Keras tutorial
        ("googlenet", {"classes": 102}, 10_616_930),  # arithmetic on the Paddle tutorial
    ],
)
def test_parameters_with_auxiliary_heads(name: str, options: dict[str, int], parameters: int) -> None:
    assert totals(networks.build(name, **options))["parameters"] == parameters


@pytest.mark.parametrize(("classes", "parameters"), [(1000, 6_998_552), (10, 5_983_802)])
def test_googlenet_without_auxiliary_heads(classes: int, parameters: int) -> None:
    assert totals(networks.build("googlenet", classes=classes).inference())["parameters"] == parameters


@pytest.mark.parametrize(("head", "parameters"), [("auxiliary_4a", 2_174_090), ("auxiliary_4d", 2_176_138)])
def test_googlenet_auxiliary_heads_with_10_classes(head: str, parameters: int) -> None:
    network = networks.build("googlenet", classes=10)
    assert sum(p.size for p in network.parameters if p.path.startswith(f"{head}.")) == parameters


@pytest.mark.parametrize(
    ("name", "giga"),
    [("googlenet", 1.583), ("vgg16", 15.47)],  # published counts at 224×224, in 10⁹ multiply-adds
)
def test_multiply_adds_of_inference(name: str, giga: float) -> None:
    measured = networks.build(name).inference().multiply_adds / 1e9
    assert round(measured, 3 if giga < 10 else 2) == giga


def test_vgg16_without_top_at_150() -> None:
    network = networks.build("vgg16", input_size=(150, 150))
    base = [p for p in network.parameters if p.path.startswith("conv")]
    assert network.by_path["pool5"].output_shape == (512, 4, 4)
    assert sum(p.size for p in base) == 14_714_688  # Keras' VGG16 without top


def test_googlenet_sizes_of_the_papers_table() -> None:
    shapes = networks.build("googlenet").by_path
    sizes = [shapes[path].output_shape[1] for path in ("conv1", "pool1", "pool2", "pool3", "pool4", "pool5")]
    assert sizes == [112, 56, 28, 14, 7, 1]


def test_five_by_five_arithmetic_of_the_paddle_tutorial() -> None:
    direct = Conv("direct", 96, 5, padding=2, bias=None)
    reduced = (Conv("reduce", 32, 1, bias=None), Conv("conv", 96, 5, padding=2, bias=None))

    def weights(*layers: Conv) -> int:
        network = Network("n", (192, 28, 28), 1, layers)
        return sum(p.size for p in network.parameters)

    assert (weights(direct), weights(*reduced)) == (460_800, 82_944)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "ceil", "count"),
    [
        (112, 3, 2, 0, True, 56),  # GoogLeNet's first pool
        (112, 3, 2, 0, False, 55),  # what floor makes of it
        (112, 3, 2, 1, False, 56),  # same shape, other values
        (3, 2, 2, 0, True, 2),
        (5, 2, 2, 1, True, 3),  # a fourth window would start outside
        (2, 2, 3, 1, True, 1),  # the last window may not start in the padding
        (7, 7, 1, 0, False, 1),
    ],
)
def test_windows(size: int, kernel: int, stride: int, padding: int, ceil: bool, count: int) -> None:
    assert window_counts((1, size, size), kernel, stride, padding, ceil=ceil) == (count, count)


def test_one_sided_padding_counts_each_side() -> None:
    assert window_counts((1, 10, 10), 5, 1, (1, 2, 0, 3), ceil=False) == (9, 9)


@pytest.mark.parametrize(
    "layers",
    [
        (Conv("conv", 4, 9),),
        (Dense("dense", 4),),
        (Flatten("flatten"), MaxPool("pool", 2, 2)),
        (Concat("join", ((Conv("a", 4, 1),), (Conv("b", 4, 3),))),),
        (Residual("sum", ((Conv("a", 4, 1),), ())),),
        (AvgPool("pool", 9, 1),),
    ],
    ids=[
        "kernel-too-large",
        "dense-on-map",
        "pool-on-flat",
        "unlike-sizes",
        "unlike-shapes",
        "pool-too-large",
    ],
)
def test_a_shape_that_cannot_be_taken_is_an_error(layers: tuple[Conv, ...]) -> None:
    with pytest.raises(ShapeError):
        _ = Network("n", (3, 8, 8), 4, layers).nodes


def test_too_small_an_input_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match=r"googlenet cannot take this input size.*40x40"):
        networks.build("googlenet", input_size=(40, 40))


def test_digest_is_stable() -> None:
    """A stability pin: a changed digest starts a new series of every result."""
    digests = {name: networks.build(name).digest[:12] for name in ("mlp", "vgg16", "googlenet")}
    assert digests == {"mlp": "ca451f8d564a", "vgg16": "b6e4e520a6ec", "googlenet": "1b9230566860"}


@pytest.mark.parametrize(
    "other",
    [
        networks.build("googlenet", classes=10),
        networks.build("googlenet", input_size=(96, 96)),
        networks.build("googlenet").inference(),
        networks.build("googlenet").without_dropout(),
        networks.build("googlenet").edited(
            lambda path, layer: dataclasses.replace(layer, padding=(2, 4, 2, 4)) if path == "conv1" else layer
        ),
    ],
    ids=["classes", "input", "heads", "dropout", "padding"],
)
def test_digest_changes_with_the_network(other: Network) -> None:
    assert other.digest != networks.build("googlenet").digest


def test_digest_ignores_documentation() -> None:
    network = networks.build("mlp")
    assert dataclasses.replace(network, source="elsewhere").digest == network.digest


def test_frozen_parameters_are_counted_apart() -> None:
    weight, bias = networks.build("mlp").parameters[:2]
    frozen = dataclasses.replace(weight, trainable=False)
    assert trainable_sizes((frozen, bias)) == (128, 100_352)


def test_paths_name_parameters_and_heads() -> None:
    network = networks.build("googlenet")
    assert "inception_3a.5x5_reduce.weight" in {p.path for p in network.parameters}
    assert [(head.path, head.loss_weight) for head in network.heads] == [
        ("logits", 1.0),
        ("auxiliary_4a.logits", 0.3),
        ("auxiliary_4d.logits", 0.3),
    ]
