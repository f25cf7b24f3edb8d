"""Every adapter and every export against the reference, at sizes that two cores prove in minutes.

Full-size proofs are what ``python -m implementations check`` and every run make. Of Keras, TensorFlow
alone is proven on every network here: the others share all but their engine, and XLA takes long to compile.
"""

from typing import Any

import pytest

from benchmarks import plan
from implementations import certificates, proving
from implementations.network import TRAINERS
from implementations.proving import Claim, Prover

pytestmark = pytest.mark.frameworks
CLASSES = 10
SIZES = {"googlenet": (80, 80), "vgg16": (32, 32), "probe": (25, 20)}
QUICK = [name for name in plan.preset("quick").frameworks if name in TRAINERS]
PAIRS = [(f, n) for n in SIZES for f in (TRAINERS if n == "probe" else QUICK)]
EXPORTED = {"googlenet": (80, 80), "mlp": (28, 28)}


@pytest.fixture(scope="session")
def proofs(prover: Prover) -> dict[Claim, dict[str, Any]]:
    """All certificates that the tests of this file look at, made side by side."""
    wanted = []
    for framework, name in PAIRS:
        wanted += proving.claims([name], [framework], (), classes=CLASSES, input_size=SIZES[name])
    for name, size in EXPORTED.items():
        wanted += proving.claims([name], ["onnxruntime"], proving.EVERY, classes=CLASSES, input_size=size)
    return prover.all(wanted)


@pytest.mark.parametrize(("framework", "network"), PAIRS)
def test_levels_0_to_2(framework: str, network: str, proofs: dict[Claim, dict[str, Any]]) -> None:
    certificate = proofs[Claim(framework, network, CLASSES, SIZES[network])]
    assert certificates.first_breach(certificate) == ""
    assert {(f["level"], f["precision"]) for f in certificate["findings"]} == {
        (level, precision) for level in (0, 1, 2) for precision in ("float64", "float32")
    }


@pytest.mark.parametrize("network", list(EXPORTED))
@pytest.mark.parametrize("exporter", proving.EVERY)
def test_level_4(exporter: str, network: str, proofs: dict[Claim, dict[str, Any]]) -> None:
    claim = Claim("onnxruntime", network, CLASSES, EXPORTED[network], exporter)
    assert certificates.first_breach(proofs[claim]) == ""
    assert {f["level"] for f in proofs[claim]["findings"]} == {4}
