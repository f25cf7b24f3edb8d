"""Every adapter and every export against the reference, at sizes that two cores prove in minutes.

Full-size proofs are what ``python -m implementations check`` and every run make, and ``check --reduced``
proves every network in every framework. Here the probe networks are proven everywhere, GoogLeNet where
the quick preset measures it, and where ten steps in float64 take half a minute, the fastest frameworks.
"""

import dataclasses
from typing import Any

import pytest

from benchmarks import plan
from implementations import bounds, certificates, claims, networks, reference, weights
from implementations.claims import Claim
from implementations.network import REDUCED_PRECISIONS, TRAINERS, WRITERS
from implementations.proving import Prover
from implementations.sameness import Case, difference
from implementations.variants import LOSSES

pytestmark = pytest.mark.frameworks
CLASSES = 10
SIZES = {
    "googlenet": (80, 80),
    "vgg16": (32, 32),
    "resnet18": (64, 64),
    "probe": (25, 20),
    "probe-bn": (19, 23),
}
FIXED = {"probe-bn": None}  # its number of outputs is its own
EXPORTED = {**SIZES, "mlp": (28, 28)}
SMALL = ("mlp", "probe", "probe-bn")  # small enough for onnx.reference as a second opinion in the proof
QUICK = [name for name in plan.preset("quick").frameworks if name in TRAINERS]
WHERE = {"googlenet": QUICK, "vgg16": ["pytorch"], "resnet18": ["pytorch", "paddle"]}
LEARNT = [Claim(f, "mlp", loss=loss) for f in TRAINERS for loss in list(LOSSES)[1:]]  # the first is its own
PAIRS = [(f, n) for n in SIZES for f in WHERE.get(n, TRAINERS)]


@pytest.fixture(scope="session")
def proofs(prover: Prover) -> dict[Claim, dict[str, Any]]:
    """All certificates that the tests of this file look at, made side by side."""
    wanted = []
    for framework, name in PAIRS:
        wanted += claims.claims(
            [name], [framework], (), classes=FIXED.get(name, CLASSES), input_size=SIZES[name]
        )
    for name, size in EXPORTED.items():
        wanted += claims.claims(
            [name], ["onnxruntime"], WRITERS, classes=FIXED.get(name, CLASSES), input_size=size
        )
    wanted += LEARNT
    return dataclasses.replace(prover, reduced_precisions=REDUCED_PRECISIONS).all(wanted)


@pytest.mark.parametrize(("framework", "network"), PAIRS)
def test_levels_0_to_3(framework: str, network: str, proofs: dict[Claim, dict[str, Any]]) -> None:
    certificate = proofs[Claim(framework, network, FIXED.get(network, CLASSES), SIZES[network])]
    assert certificates.first_breach(certificate) == ""
    assert {(f["level"], f["precision"]) for f in certificate["findings"] if f["level"] <= 3} == {
        *((level, precision) for level in (0, 1, 2) for precision in ("float64", "float32")),
        *((3, precision) for precision in ("float64", "float32")),
    }


@pytest.mark.parametrize("claim", LEARNT, ids=lambda claim: claim.slug)
def test_a_recipes_losses(claim: Claim, proofs: dict[Claim, dict[str, Any]]) -> None:
    """Values and gradients by one-hot rows in both precisions, and ten steps of training in float64."""
    certificate = proofs[claim]
    assert certificates.first_breach(certificate) == ""
    found = {(f["level"], f["precision"]) for f in certificate["findings"]}
    assert found >= {(2, "float64"), (2, "float32"), (3, "float64")}


@pytest.mark.parametrize(("framework", "network"), PAIRS)
def test_level_5(framework: str, network: str, proofs: dict[Claim, dict[str, Any]]) -> None:
    certificate = proofs[Claim(framework, network, FIXED.get(network, CLASSES), SIZES[network])]
    found = {f["precision"]: f["largest"] for f in certificate["findings"] if f["level"] == 5}
    assert set(found) == (set() if framework == "paddle" else {"bfloat16", "float16"})  # on the CPU
    for precision, largest in found.items():  # rounding alone: the bound is 8
        assert largest < 2 * bounds.UNITS[precision]


@pytest.mark.parametrize("network", list(EXPORTED))
@pytest.mark.parametrize("exporter", WRITERS)
def test_level_4(exporter: str, network: str, proofs: dict[Claim, dict[str, Any]]) -> None:
    certificate = proofs[
        Claim("onnxruntime", network, FIXED.get(network, CLASSES), EXPORTED[network], exporter)
    ]
    assert certificates.first_breach(certificate) == ""
    modes = [finding["mode"] for finding in certificate["findings"] if finding["level"] == 4]
    assert modes[:3] == ["file", "parameters", "timed"]
    assert len(modes) == len(certificate["findings"]) == (4 if network in SMALL else 3)


@pytest.mark.parametrize("network", ["googlenet", "vgg16"])
@pytest.mark.parametrize("exporter", WRITERS)
def test_onnxs_own_reference_agrees(
    exporter: str, network: str, proofs: dict[Claim, dict[str, Any]], prover: Prover
) -> None:
    """A second opinion on what level 4 gives to ONNX Runtime alone: in Python it takes seconds an image."""
    from implementations.onnx_file import OnnxFile

    claim = Claim("onnxruntime", network, FIXED.get(network, CLASSES), EXPORTED[network], exporter)
    specification = networks.build(**claim.arguments)
    case = Case.on_probe(specification.inference(), weights.load(prover.weights(claim), specification), 1)
    expected = reference.forward(case.network, case.weights, case.images)["logits"]
    got = OnnxFile(prover.model(claim), case.network).evaluate(case.images)
    assert difference(got, expected) < 1e-5  # level 4's bound, float32
