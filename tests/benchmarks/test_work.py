"""FLOP, bytes and memory of a step, against sums written out here."""

import pytest

from benchmarks import work
from implementations import networks

# The MLP: 784 → 128 → 10. Its layers: flatten, dense, dense (ReLU within the first).
FIRST, SECOND = 784 * 128, 128 * 10
PARAMETERS = FIRST + 128 + SECOND + 10


def test_inference_is_two_flop_a_multiply_add() -> None:
    found = work.of(networks.build("mlp"), "inference", 32)
    assert found.flop == 2 * 32 * (FIRST + SECOND)


def test_training_is_three_times_that_without_the_images_gradient() -> None:
    found = work.of(networks.build("mlp"), "training", 32)
    assert found.flop == 2 * 32 * (3 * (FIRST + SECOND) - FIRST)


@pytest.mark.parametrize(
    ("network", "gflop"),
    # multiply-adds as the sources count them (shared facts), times two
    [("vgg16", 2 * 15.47), ("googlenet", 2 * 1.583), ("alexnet", 2 * 0.714), ("resnet18", 2 * 1.81)],
)
def test_the_work_of_an_image_is_what_the_sources_say(network: str, gflop: float) -> None:
    assert work.of(networks.build(network), "inference", 1).flop / 1e9 == pytest.approx(gflop, rel=0.01)


def test_inference_moves_every_weight_once_and_every_activation_twice() -> None:
    found = work.of(networks.build("mlp"), "inference", 32)
    # read: images (flatten), its output (first), hidden (second); written: flat images, hidden, logits
    activations = (784 + 784 + 128) + (784 + 128 + 10)
    assert found.moved_bytes == 4 * (PARAMETERS + 32 * activations)


def test_weights_are_moved_once_for_all_images_of_a_batch() -> None:
    network = networks.build("vgg16")
    one, eight = (work.of(network, "inference", batch) for batch in (1, 8))
    assert eight.flop == 8 * one.flop
    assert eight.moved_bytes == 8 * one.moved_bytes - 7 * 4 * 138_357_544
    assert eight.intensity > one.intensity


def test_a_copy_moves_its_images_and_computes_nothing() -> None:
    found = work.of(networks.build("mlp"), "copy", 32)
    assert (found.flop, found.moved_bytes, found.intensity) == (0, 32 * 784 * 4, 0)


def test_training_holds_weights_activations_gradients_and_momentum() -> None:
    found = work.held(networks.build("mlp"), "training", 32)
    assert found.parameters == 4 * PARAMETERS
    assert found.optimizer == 2 * 4 * PARAMETERS
    assert found.activations == 4 * 32 * (784 + 784 + 128 + 10)
    assert found.total == found.parameters + found.activations + found.optimizer


def test_inference_holds_weights_and_the_largest_layer() -> None:
    found = work.held(networks.build("mlp"), "inference", 32)
    assert (found.activations, found.optimizer) == (4 * 32 * (784 + 784), 0)


def test_frozen_parameters_have_no_gradient_to_hold() -> None:
    network = networks.build("vgg16-transfer")
    trained = sum(p.size for p in network.parameters if p.trainable)
    assert work.held(network, "training", 1).optimizer == 8 * trained
    assert trained < sum(p.size for p in network.parameters)
