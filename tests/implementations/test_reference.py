"""The reference against finite differences, SciPy, and sums done by hand."""

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import signal

from implementations import networks, reference, weights
from implementations.spec import (
    AdaptiveAvgPool,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Layer,
    LocalResponseNorm,
    Loss,
    MaxPool,
    Network,
    Padding,
    Residual,
)

SHAPE = (4, 7, 6)

# Each layer alone, on inputs where it is smooth: no ReLU near 0 and no tie in a pool, since all
# numbers are continuous draws and the step is 1e-6.
LAYERS: dict[str, tuple[Layer, ...]] = {
    "conv": (Conv("x", 3, 3, stride=2, padding=(1, 0, 2, 1)),),
    "conv-without-bias": (Conv("x", 3, 1, bias=None),),
    "conv-relu": (Conv("x", 3, 3, padding=1, activation="relu"),),
    "conv-sigmoid": (Conv("x", 3, 3, padding=1, activation="sigmoid"),),
    "conv-tanh": (Conv("x", 3, 3, padding=1, activation="tanh"),),
    "conv-elu": (Conv("x", 3, 3, padding=1, activation="elu"),),
    "max-pool": (MaxPool("x", 3, 2, padding=1),),
    "max-pool-ceil": (MaxPool("x", 2, 2, ceil=True),),
    "avg-pool": (AvgPool("x", 3, 2, padding=1),),
    "avg-pool-counting-padding": (AvgPool("x", 3, 2, padding=(1, 0, 0, 1), count_padding=True),),
    "global-avg-pool": (GlobalAvgPool("x"),),
    "adaptive-avg-pool": (AdaptiveAvgPool("x", 4),),
    "batch-norm": (BatchNorm("x", eps=0.1, momentum=0.1, activation="relu"),),
    "batch-norm-frozen": (BatchNorm("x", eps=0.1, momentum=0.1, frozen=True),),
    "lrn": (LocalResponseNorm("x", 3, alpha=0.7, beta=0.6, k=1.5),),
    "dropout": (Dropout("x", 0.5),),
    "concat": (Concat("x", ((Conv("a", 2, 1),), (MaxPool("b", 3, 1, padding=1), Conv("c", 3, 1)))),),
    "residual": (Residual("x", ((Conv("a", 4, 3, padding=1),), ()), activation="relu"),),
}


def network_of(layers: tuple[Layer, ...]) -> Network:
    return Network("n", SHAPE, 5, (*layers, Flatten("flat"), Dense("hidden", 6, "relu"), Dense("logits", 5)))


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_against_finite_differences(name: str) -> None:
    """Central differences along random directions of every parameter and of the images."""
    network = network_of((Conv("first", 4, 1), *LAYERS[name]))
    values = {k: v.astype(np.float64) for k, v in weights.probe(network, 1).items()}
    images = np.asarray(weights.probe_images(network, 1, 2), np.float64) / weights.image_scale(network)
    labels = np.array([1, 4])
    shown = reference.forward(network, values, images, training=True)
    gradients = reference.backward(network, values, shown, labels)
    assert set(gradients) == {p.path for p in network.parameters if p.trainable}

    def loss_at(path: str, value: np.ndarray) -> float:
        shown = reference.forward(network, {**values, path: value}, images, training=True)
        return reference.loss(network, shown, labels)

    for path, gradient in gradients.items():
        direction = gradient / np.linalg.norm(gradient)
        ends = [loss_at(path, values[path] + step * direction) for step in (1e-6, -1e-6)]
        numeric = (ends[0] - ends[1]) / 2e-6
        # Round-off of a loss of order 1 over a step of 2e-6 is 1e-10; the gradient's norm is far above it.
        assert numeric == pytest.approx(np.linalg.norm(gradient), rel=1e-6, abs=1e-9), path


def test_the_finite_difference_test_bites() -> None:
    """Gradients on activations in the wrong order are far from the right ones."""
    network = network_of((MaxPool("x", 2, 2),))
    values = {k: v.astype(np.float64) for k, v in weights.probe(network, 1).items()}
    images = np.asarray(weights.probe_images(network, 1, 2), np.float64)
    shown = reference.forward(network, values, images)
    right = reference.backward(network, values, shown, np.array([1, 4]))["hidden.weight"]
    shown["x"] = shown["x"][..., ::-1]
    wrong = reference.backward(
        network, values, {**shown, "flat": shown["x"].reshape(2, -1)}, np.array([1, 4])
    )
    assert np.abs(wrong["hidden.weight"] - right).max() > 0.01 * np.abs(right).max()


def test_googlenet_gradient_at_full_depth() -> None:
    """All heads together, along each tensor's own gradient; a few tensors may cross a kink."""
    network = networks.build("googlenet", classes=10, input_size=(96, 96)).without_dropout()
    values = {k: v.astype(np.float64) for k, v in weights.probe(network, 0).items()}
    images, labels = weights.probe_images(network, 0, 1), weights.probe_labels(network, 0, 1)
    gradients = reference.backward(network, values, reference.forward(network, values, images), labels)
    errors = []
    for path in list(gradients)[::12]:
        gradient = gradients[path]
        direction = gradient / np.linalg.norm(gradient)
        ends = []
        for step in (1e-6, -1e-6):
            changed = {**values, path: values[path] + step * direction}
            ends.append(reference.loss(network, reference.forward(network, changed, images), labels))
        errors.append(abs((ends[0] - ends[1]) / 2e-6 / np.linalg.norm(gradient) - 1))
    assert np.median(errors) < 1e-6  # prototypes: 2e-9 at this step
    assert max(errors) < 1e-3  # prototypes: 1e-4, where a kink was crossed


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), (2, (2, 3, 2, 3)), (3, (0, 1, 2, 0))])
def test_convolution_against_scipy(stride: int, padding: Padding) -> None:
    layer = Conv("conv", 5, 3, stride=stride, padding=padding)
    network = Network("n", SHAPE, 5, (layer,))
    values = weights.probe(network, 2)
    images = weights.probe_images(network, 2, 2)
    sides = (padding,) * 4 if isinstance(padding, int) else padding
    widths = ((0, 0), (0, 0), sides[:2], sides[2:])
    padded = np.pad(images.astype(np.float64), widths)
    expected = [
        [
            sum(signal.correlate2d(image[c], kernel[c], mode="valid") for c in range(SHAPE[0]))
            for kernel in values["conv.weight"].astype(np.float64)
        ]
        for image in padded
    ]
    strided = np.array(expected)[:, :, ::stride, ::stride] + values["conv.bias"][:, None, None]
    got = reference.forward(network, values, images)["conv"]
    np.testing.assert_allclose(got, strided, rtol=1e-12, atol=1e-12)  # float64, sums of 36 products


def test_average_pool_divisors_by_hand() -> None:
    """A 3×3 image of ones: corners see 4 of 9 cells, edges 6, the middle 9."""
    images = np.ones((1, 1, 3, 3))

    def pooled(count_padding: bool) -> np.ndarray:
        network = Network("n", (1, 3, 3), 1, (AvgPool("p", 3, 1, padding=1, count_padding=count_padding),))
        return reference.forward(network, {}, images)["p"][0, 0]

    np.testing.assert_allclose(pooled(False), np.ones((3, 3)))
    np.testing.assert_allclose(pooled(True), np.array([[4, 6, 4], [6, 9, 6], [4, 6, 4]]) / 9)


def test_padding_never_wins_a_max_pool() -> None:
    network = Network("n", (1, 2, 2), 1, (MaxPool("p", 3, 2, padding=1, ceil=True),))
    images = -np.arange(1.0, 5.0).reshape(1, 1, 2, 2)
    assert reference.forward(network, {}, images)["p"].max() == -1.0


def test_local_response_norm_by_hand() -> None:
    layer = LocalResponseNorm("n", 3, alpha=0.3, beta=0.5, k=2.0)
    images = np.arange(1.0, 5.0).reshape(1, 4, 1, 1)
    got = reference.forward(Network("n", (4, 1, 1), 1, (layer,)), {}, images)["n"].ravel()
    sums = np.array([1 + 4, 1 + 4 + 9, 4 + 9 + 16, 9 + 16])
    np.testing.assert_allclose(got, np.arange(1.0, 5.0) / np.sqrt(2 + 0.1 * sums), rtol=1e-14)


def test_flatten_is_channel_height_width() -> None:
    images = np.arange(12.0).reshape(1, 2, 3, 2)
    got = reference.forward(Network("n", (2, 3, 2), 1, (Flatten("f"),)), {}, images)["f"]
    np.testing.assert_array_equal(got[0], np.arange(12.0))


def test_loss_weights_every_head() -> None:
    """Uniform logits cost log(classes) in each head."""
    network = networks.build("googlenet", classes=10, input_size=(96, 96))
    logits = {head.path: np.zeros((2, 10)) for head in network.heads}
    assert reference.loss(network, logits, np.array([0, 1])) == pytest.approx(1.6 * np.log(10))


def test_a_one_hot_row_means_its_label() -> None:
    network = network_of((Conv("x", 3, 1),))
    values = weights.probe(network, 1)
    shown = reference.forward(network, values, weights.probe_images(network, 1, 2))
    labels = np.array([4, 1])
    sparse, one_hot = (reference.backward(network, values, shown, y) for y in (labels, np.eye(5)[labels]))
    assert reference.loss(network, shown, labels) == reference.loss(network, shown, np.eye(5)[labels])
    assert all(np.array_equal(sparse[path], one_hot[path]) for path in sparse)


@pytest.mark.parametrize(
    ("logit", "label", "loss", "slope"), [(0, 1, 0.693147180559945, -0.5), (3, 0, 3.048587, 0.952574)]
)
def test_sigmoid_cross_entropy_by_hand(logit: float, label: int, loss: float, slope: float) -> None:
    """log(2) at 0; log(1 + e³) = 3.048587 for a wrong 3, slope σ(3) = 0.952574."""
    found, gradient = reference._loss_and_gradient(
        Loss("sigmoid"), np.array([[logit]], float), np.array([label])
    )
    assert found == pytest.approx(loss, rel=1e-6)
    assert gradient == pytest.approx(slope, rel=1e-6)


def test_squared_error_by_hand() -> None:
    """Softmax of (ln 3, 0) is (3/4, 1/4): (9/16 + 9/16) / 2, slope 2 · 3/4 · 3/16."""
    found, gradient = reference._loss_and_gradient(
        Loss("squared"), np.array([[np.log(3), 0.0]]), np.array([1])
    )
    assert found == pytest.approx(9 / 16, rel=1e-12)
    assert gradient == pytest.approx(np.array([[9 / 32, -9 / 32]]), rel=1e-12)


@pytest.mark.parametrize("kind", ["softmax", "squared"])
def test_a_losss_gradient_against_finite_differences(kind: Any) -> None:
    """Of every logit of rows that are no one-hot ones too."""
    draws = np.random.default_rng(0)
    logits, rows = draws.normal(size=(3, 4)), draws.dirichlet(np.ones(4), size=3)
    _, gradient = reference._loss_and_gradient(Loss(kind), logits, rows)
    for place in np.ndindex(3, 4):
        step = np.zeros((3, 4))
        step[place] = 1e-6
        up, down = (reference._loss_and_gradient(Loss(kind), logits + s, rows)[0] for s in (step, -step))
        # Round-off of a loss of order 1 over a step of 2e-6 is 1e-10; slopes here are 1e-3 and more.
        assert (up - down) / 2e-6 == pytest.approx(gradient[place], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("kind", ["softmax", "squared", "sigmoid"])
def test_a_sum_is_the_mean_times_the_batch(kind: Any) -> None:
    logits, labels = np.array([[0.3], [2.0], [-1.0]]), np.array([0, 0, 0])
    mean, mean_gradient = reference._loss_and_gradient(Loss(kind, "mean"), logits, labels)
    total, total_gradient = reference._loss_and_gradient(Loss(kind, "sum"), logits, labels)
    assert total == pytest.approx(3 * mean)
    assert total_gradient == pytest.approx(3 * mean_gradient)


def test_batch_norm_by_hand() -> None:
    """Values 1, 3 have mean 2 and biased variance 1; running mean 10 and variance 4 give −4.5, −3.5."""
    network = Network("n", (1, 1, 2), 1, (BatchNorm("bn", eps=0.0, momentum=0.25),), loss=Loss("none"))
    values = {"bn.weight": [2.0], "bn.bias": [1.0], "bn.running_mean": [10.0], "bn.running_var": [4.0]}
    arrays = {path: np.array(value) for path, value in values.items()}
    images = np.array([1.0, 3.0]).reshape(1, 1, 1, 2)
    in_training = reference.forward(network, arrays, images, training=True)
    assert in_training["bn"].ravel().tolist() == [-1.0, 3.0]
    assert reference.forward(network, arrays, images)["bn"].ravel().tolist() == [-8.0, -6.0]
    biased = reference.running_statistics(network, arrays, in_training, unbiased=False)
    assert [biased["bn.running_mean"], biased["bn.running_var"]] == [[8.0], [3.25]]  # 0.75 · old + 0.25 · new
    unbiased = reference.running_statistics(network, arrays, in_training, unbiased=True)
    assert unbiased["bn.running_var"] == [3.5]


def test_adaptive_windows_of_14_in_4() -> None:
    """[0, 4), [3, 7), [7, 11), [10, 14): they overlap, as no pool with one stride does."""
    shares = reference._shares(14, 4)
    assert [tuple(np.flatnonzero(row)[[0, -1]]) for row in shares] == [(0, 3), (3, 6), (7, 10), (10, 13)]
    assert shares.sum(axis=1) == pytest.approx(1)


def test_gradient_of_a_tie_goes_to_the_first() -> None:
    network = Network("n", (1, 2, 2), 4, (Conv("c", 1, 1), MaxPool("p", 2, 2), Flatten("f"), Dense("d", 4)))
    values = {"c.weight": np.ones((1, 1, 1, 1)), "c.bias": np.zeros(1)}
    values |= {"d.weight": np.ones((4, 1)) * [[1], [2], [3], [4]], "d.bias": np.zeros(4)}
    images = np.array([5.0, 5.0, 5.0, 5.0]).reshape(1, 1, 2, 2)
    shown = reference.forward(network, values, images)
    whole = reference.backward(network, values, shown, np.array([0]))["c.weight"]
    single = reference.backward(
        network, values, {**shown, "input": images * [[1.0, 0.0], [0.0, 0.0]]}, np.array([0])
    )
    np.testing.assert_allclose(whole, single["c.weight"])  # only the first cell carries gradient


def test_all_layer_types_are_defined_both_ways() -> None:
    assert set(reference._FORWARD) == set(reference._BACKWARD)
    covered = {type(layer) for layers in LAYERS.values() for layer in layers} | {Flatten, Dense}
    assert covered == set(reference._FORWARD)


def test_no_layer_changes_its_input() -> None:
    for layers in itertools.chain(LAYERS.values()):
        network = network_of((Conv("first", 4, 1), *layers))
        images = weights.probe_images(network, 1, 2)
        before = images.copy()
        shown = reference.forward(network, weights.probe(network, 1), images)
        kept = {path: array.copy() for path, array in shown.items()}
        reference.backward(network, weights.probe(network, 1), shown, np.array([0, 1]))
        assert np.array_equal(images, before)
        assert all(np.array_equal(shown[path], array) for path, array in kept.items())
