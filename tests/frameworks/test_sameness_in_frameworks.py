"""Every adapter against the reference, at sizes that two cores prove in minutes; mutants; witnesses.

Full-size proofs are what ``python -m implementations check`` and every run make.
"""

from pathlib import Path
from typing import Any

import pytest

from implementations import certificates, proving
from implementations.network import TRAINERS
from implementations.processes import Launcher
from implementations.proving import Claim, Prover

pytestmark = pytest.mark.frameworks
CLASSES = 10
SIZES = {"googlenet": (96, 96), "vgg16": (64, 64), "probe": (25, 20)}
TIMEOUT_S = 300.0


@pytest.fixture(scope="session")
def proofs(prover: Prover) -> dict[Claim, dict[str, Any]]:
    """All certificates that the tests of this file look at, made side by side."""
    claims = []
    for name, size in SIZES.items():
        frameworks = [*TRAINERS, *(["onnxruntime"] if name == "googlenet" else [])]
        claims += proving.claims([name], frameworks, classes=CLASSES, input_size=size)
    return prover.all(claims)


@pytest.mark.parametrize("network", list(SIZES))
@pytest.mark.parametrize("framework", TRAINERS)
def test_levels_0_to_2(framework: str, network: str, proofs: dict[Claim, dict[str, Any]]) -> None:
    certificate = proofs[Claim(framework, network, CLASSES, SIZES[network])]
    assert certificates.first_breach(certificate) == ""
    assert {(f["level"], f["precision"]) for f in certificate["findings"]} == {
        (level, precision) for level in (0, 1, 2) for precision in ("float64", "float32")
    }


@pytest.mark.parametrize("exporter", TRAINERS)
def test_level_4_of_googlenet(exporter: str, proofs: dict[Claim, dict[str, Any]]) -> None:
    claim = Claim("onnxruntime", "googlenet", CLASSES, SIZES["googlenet"], exporter)
    assert certificates.first_breach(proofs[claim]) == ""
    assert {f["level"] for f in proofs[claim]["findings"]} == {4}


@pytest.mark.parametrize("framework", TRAINERS)
def test_every_mutant_is_caught(framework: str, prover: Prover) -> None:
    rows = prover.mutants(framework)
    assert len(rows) >= 10
    assert [(row["name"], row["found"]) for row in rows if not row["caught"]] == []


def test_a_wrong_pad_in_an_adapter_fails_and_names_the_layer(prover: Prover, children_path: None) -> None:
    claim = Claim("pytorch", "googlenet", CLASSES, SIZES["googlenet"])
    request = {"network": claim.arguments, "weights_path": str(prover.weights(claim))}
    task = "child_tasks:certified_with_a_wrong_pad"
    certificate = prover.launcher.ask("pytorch", task, request, TIMEOUT_S)
    assert not certificate["passed"]
    assert "first differing: conv1" in certificates.first_breach(certificate)


@pytest.mark.parametrize("framework", TRAINERS)
@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        ({"name": "vgg16"}, 138_357_544),
        ({"name": "googlenet", "classes": 10}, 10_334_030),
        ({"name": "mlp"}, 101_770),
    ],
    ids=["vgg16", "googlenet-10", "mlp"],
)
def test_each_framework_counts_the_same(
    framework: str, network: dict[str, Any], parameters: int, launcher: Launcher, children_path: None
) -> None:
    assert launcher.ask(framework, "child_tasks:counted", {"network": network}, TIMEOUT_S) == parameters


def test_keras_own_vgg16_agrees_with_specification_and_reference(
    launcher: Launcher, children_path: None
) -> None:
    found = launcher.ask("keras-tensorflow", "child_tasks:zoo_vgg16", {}, TIMEOUT_S)
    assert found["difference"] < 2e-5  # float32, the bound of dense layers
    assert found["parameters"] == 138_357_544


def test_known_differences_are_still_needed(launcher: Launcher, children_path: None) -> None:
    """A framework that has mended its constant must be taken off the list."""
    task = "child_tasks:largest_float64_gradient_difference"
    assert 1e-12 < launcher.ask("paddle", task, {}, TIMEOUT_S) < 1e-6


def test_pads_of_paddles_export_are_repaired(launcher: Launcher, children_path: None, tmp_path: Path) -> None:
    repaired = launcher.ask("paddle", "child_tasks:repaired_pads", {"folder": str(tmp_path)}, TIMEOUT_S)
    assert repaired == [0, 1, 1]


def test_pytorch_prints_ordinary_layers(launcher: Launcher, children_path: None) -> None:
    network = {"name": "googlenet", "classes": 10}
    text = launcher.ask("pytorch", "child_tasks:shown", {"network": network}, TIMEOUT_S)
    assert "(5x5_reduce): Conv2d(192, 16, kernel_size=(1, 1), stride=(1, 1))" in text
    assert "(5x5_reduce_relu): ReLU(inplace=True)" in text


@pytest.mark.parametrize("framework", TRAINERS)
def test_training_steps_learn_and_weights_come_back(
    framework: str, launcher: Launcher, children_path: None
) -> None:
    found = launcher.ask(framework, "child_tasks:trained", {}, TIMEOUT_S)
    assert found["losses"][-1] < found["losses"][0]
    assert found["moved"] > 1e-4  # far above float32 rounding of the same weights
    assert found["changed"] > 0  # no parameter was left out of the update
    assert found["restored"] < 1e-6  # the same weights, the same kernels
