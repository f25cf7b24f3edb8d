"""Every adapter and every export against the reference, at sizes that two cores prove in minutes.

Full-size proofs are what ``python -m implementations check`` and every run make.
"""

from typing import Any

import pytest

from implementations import certificates, proving
from implementations.network import TRAINERS
from implementations.proving import Claim, Prover

pytestmark = pytest.mark.frameworks
CLASSES = 10
SIZES = {"googlenet": (80, 80), "vgg16": (32, 32), "probe": (25, 20)}
EXPORTED = {"googlenet": (80, 80), "mlp": (28, 28)}


@pytest.fixture(scope="session")
def proofs(prover: Prover) -> dict[Claim, dict[str, Any]]:
    """All certificates that the tests of this file look at, made side by side."""
    wanted = []
    for name, size in SIZES.items():
        wanted += proving.claims([name], TRAINERS, (), classes=CLASSES, input_size=size)
    for name, size in EXPORTED.items():
        wanted += proving.claims([name], ["onnxruntime"], proving.EVERY, classes=CLASSES, input_size=size)
    return prover.all(wanted)


@pytest.mark.parametrize("network", list(SIZES))
@pytest.mark.parametrize("framework", TRAINERS)
def test_levels_0_to_3(framework: str, network: str, proofs: dict[Claim, dict[str, Any]]) -> None:
    certificate = proofs[Claim(framework, network, CLASSES, SIZES[network])]
    assert certificates.first_breach(certificate) == ""
    assert {(f["level"], f["precision"]) for f in certificate["findings"]} == {
        *((level, precision) for level in (0, 1, 2) for precision in ("float64", "float32")),
        (3, "float64"),
    }


@pytest.mark.parametrize("network", list(EXPORTED))
@pytest.mark.parametrize("exporter", proving.EVERY)
def test_level_4(exporter: str, network: str, proofs: dict[Claim, dict[str, Any]]) -> None:
    claim = Claim("onnxruntime", network, CLASSES, EXPORTED[network], exporter)
    assert certificates.first_breach(proofs[claim]) == ""
    assert {f["level"] for f in proofs[claim]["findings"]} == {4}
