"""The builders against networks written by hand, with the same weights: equal to the bit."""

import pytest

from implementations import networks
from implementations.network import TRAINERS
from implementations.processes import Launcher
from implementations.proving import Prover
from implementations.sameness import PROBE_SEED

pytestmark = pytest.mark.frameworks
TIMEOUT_S = 300.0
COUNTS = {"googlenet": 13_378_280, "vgg16": 138_357_544}  # the shared facts', with auxiliary heads
BATCH = {"googlenet": 2, "vgg16": 1}


@pytest.mark.parametrize("network", list(COUNTS))
@pytest.mark.parametrize("framework", TRAINERS)
def test_a_hand_written_network_gives_the_same_bits(
    framework: str, network: str, prover: Prover, launcher: Launcher, children_path: None
) -> None:
    path = prover.cache.probe_weights(networks.build(network), PROBE_SEED)
    request = {"name": framework, "network": network, "weights_path": str(path), "batch": BATCH[network]}
    found = launcher.ask(framework, "witness_tasks:logits_apart", request, TIMEOUT_S)
    assert found["parameters"] == COUNTS[network]
    assert found["shape"] == [BATCH[network], 1000]
    assert found["largest"] > 0.01  # what is compared is not all zero
    assert found["equal"], f"apart by {found['apart']}"
