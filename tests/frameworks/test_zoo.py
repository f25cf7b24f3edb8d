"""The builders against the frameworks' own models, where those are the same network: weights both ways."""

import importlib.util
from typing import Any

import pytest

from implementations import networks
from implementations.processes import Launcher
from implementations.proving import Prover
from implementations.sameness import PROBE_SEED

pytestmark = pytest.mark.frameworks
TIMEOUT_S = 600.0
BOUND = 2e-5  # float32, of dense layers
COUNTS = {  # trainable, of the shared facts
    "alexnet": 61_100_840,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "resnet18": 11_689_512,
    "resnet50": 25_557_032,
}
NEEDS_TORCHVISION = pytest.mark.skipif(
    importlib.util.find_spec("torchvision") is None, reason="torchvision is not installed"
)
# Paddle's AlexNet is another network (docs/not-the-same-network.md).
SAME = [
    ("paddle", "paddle", "vgg13"),
    ("paddle", "paddle", "vgg16"),
    ("paddle", "paddle", "vgg19"),
    ("paddle", "paddle", "resnet18"),
    ("paddle", "paddle", "resnet50"),
    *(pytest.param("torchvision", "pytorch", name, marks=NEEDS_TORCHVISION) for name in COUNTS),
]


@pytest.mark.parametrize(("zoo", "framework", "network"), SAME)
def test_a_model_of_the_zoo_computes_what_ours_does(
    zoo: str, framework: str, network: str, prover: Prover, launcher: Launcher, children_path: None
) -> None:
    found = _carried(zoo, framework, network, prover, launcher)
    assert found["parameters"] == COUNTS[network]
    _require_same(found)


@pytest.mark.parametrize("network", ["vgg16", "vgg19"])
def test_keras_own_vggs_compute_what_ours_do(
    network: str, prover: Prover, launcher: Launcher, children_path: None
) -> None:
    """Keras builds them at any size: a small one takes seconds."""
    found = _carried("keras", "keras-tensorflow", network, prover, launcher, classes=10, input_size=(64, 64))
    _require_same(found)


def test_the_comparison_sees_a_model_that_is_another_network(
    prover: Prover, launcher: Launcher, children_path: None
) -> None:
    found = _carried("paddle", "paddle", "alexnet", prover, launcher)
    assert found["back"]["apart"] > 0.5  # its dropout halves the inputs of two dense layers in inference


def _require_same(found: dict[str, Any]) -> None:
    for direction in ("to_ours", "back"):
        assert found[direction]["largest"] > 1e-3  # what is compared is not all zero
        assert found[direction]["apart"] < BOUND
    assert found["equal_bits"]


def _carried(
    zoo: str, framework: str, name: str, prover: Prover, launcher: Launcher, **size: Any
) -> dict[str, Any]:
    network = {"name": name, **size}
    path = prover.cache.probe_weights(networks.build(**network), PROBE_SEED)
    request = {"zoo": zoo, "network": network, "weights_path": str(path)}
    return dict(launcher.ask(framework, "zoo_tasks:carried", request, TIMEOUT_S))
