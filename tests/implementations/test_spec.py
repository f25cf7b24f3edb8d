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
        ("googlenet-keras", {}, 10_334_030),  # total printed by the Keras tutorial
        ("googlenet-paddle", {}, 10_616_930),  # arithmetic on the Paddle tutorial
        ("alexnet", {}, 61_100_840),  # torchvision and Paddle
        ("vgg13", {}, 133_047_848),  # torchvision, Paddle
        ("vgg19", {}, 143_667_240),  # torchvision, Paddle and Keras
        ("vgg16-base", {"input_size": (150, 150)}, 14_714_688),  # Keras' summary, source B
        ("inception-exercise", {}, 177_092_961),  # arithmetic on source E
        ("residual-exercise", {}, 34_313_473),  # arithmetic on source E
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
    [
        ("googlenet", 1.583),
        ("googlenet-bn", 1.498),
        ("alexnet", 0.714),
        ("resnet18", 1.814),
        ("resnet50", 4.089),
        ("vgg13", 11.31),
        ("vgg16", 15.47),
        ("vgg19", 19.63),
    ],  # published counts at 224×224, in 10⁹ multiply-adds
)
def test_multiply_adds_of_inference(name: str, giga: float) -> None:
    measured = networks.build(name).inference().multiply_adds / 1e9
    assert round(measured, 3 if giga < 10 else 2) == giga


@pytest.mark.parametrize(
    ("name", "trainable", "frozen"),
    [
        ("resnet18", 11_689_512, 9_600),  # torchvision; running statistics are not trained
        ("resnet50", 25_557_032, 53_120),  # torchvision, Paddle
        ("googlenet-bn", 13_004_888, 15_072),  # torchvision
        ("vgg16-transfer", 2_097_665, 14_714_688),  # source B
        ("vgg16-finetune", 7_079_424 + 2_097_665, 7_635_264),  # source B, block 5 open
    ],
)
def test_trainable_and_frozen(name: str, trainable: int, frozen: int) -> None:
    found = totals(networks.build(name))
    assert (found["trainable"], found["frozen"]) == (trainable, frozen)


def test_googlenet_bn_without_auxiliary_heads() -> None:
    assert totals(networks.build("googlenet-bn").inference())["trainable"] == 6_624_904  # torchvision


def test_the_exercise_branches_have_the_sizes_of_the_source() -> None:
    shapes = [shape for node in networks.build("inception-exercise").nodes for shape in node.input_shapes]
    assert {75, 74, 72, 73} <= {shape[1] for shape in shapes if len(shape) == 3}


@pytest.mark.parametrize("size", [(224, 224), (97, 130)])
def test_keras_padding_keeps_ceil_of_half(size: tuple[int, int]) -> None:
    """TensorFlow's same: every strided layer gives ceil(size / 2), at odd sizes too."""
    network = networks.build("googlenet-keras", input_size=size)
    expected = tuple(-(-length // 2) for length in size)
    for path in ("conv1", "pool1", "pool2", "pool3", "pool4"):
        assert network.by_path[path].output_shape[1:] == expected, path
        expected = tuple(-(-length // 2) for length in expected)
    assert networks.build("googlenet-keras").by_path["conv1"].layer.padding == (2, 3, 2, 3)  # type: ignore[attr-defined]


def test_equal_counts_are_not_the_same_network() -> None:
    ours, theirs = networks.build("googlenet", classes=10), networks.build("googlenet-keras")
    assert totals(ours)["parameters"] == totals(theirs)["parameters"]
    assert ours.digest != theirs.digest


def test_a_field_at_its_default_does_not_enter_the_digest() -> None:
    """So that the vocabulary can grow without starting every series anew."""
    assert (
        Network("n", (1, 2, 2), 3, (Conv("c", 1, 1),)).digest
        == Network("n", (1, 2, 2), 3, (Conv("c", 1, 1, stride=1, frozen=False),)).digest
    )
    assert (
        Network("n", (1, 2, 2), 3, (Conv("c", 1, 1),)).digest
        != Network("n", (1, 2, 2), 3, (Conv("c", 1, 1, frozen=True),)).digest
    )


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
    digests = {name: networks.build(name).digest[:12] for name in ("mlp", "vgg16", "googlenet", "resnet50")}
    assert digests == {
        "mlp": "1156e40182d4",
        "vgg16": "963f6d8d121c",
        "googlenet": "3226676b4777",
        "resnet50": "06974968ea04",
    }


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
