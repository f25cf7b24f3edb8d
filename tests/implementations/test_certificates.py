"""Certificates: signed, read back, refused when changed; the canary."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference_adapter import ReferenceFramework

from implementations import certificates, certify, networks, weights
from implementations.certificates import canary_difference, first_breach, identity, signed
from implementations.errors import UserError
from implementations.network import Settings


@pytest.fixture
def weights_path(tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    weights.save(path, weights.probe(networks.build("mlp"), 0))
    return path


@pytest.fixture
def certificate(weights_path: Path) -> dict[str, Any]:
    return certify.certify(
        ReferenceFramework(),
        settings=Settings(),
        name="pytorch",
        network={"name": "mlp"},
        weights_path=str(weights_path),
    )


def test_it_says_what_was_proven(certificate: dict[str, Any], weights_path: Path) -> None:
    assert certificate["passed"]
    assert certificate["digest"] == networks.build("mlp").digest
    assert certificate["parameters"] == 101_770
    assert certificate["weights_sha256"] == weights.sha256(weights_path)
    assert {finding["level"] for finding in certificate["findings"]} == {0, 1, 2, 3}


def test_the_same_proof_has_the_same_id(certificate: dict[str, Any]) -> None:
    again = signed({**certificate, "made": "another day"})
    assert again["id"] == certificate["id"] == identity(certificate)


def test_it_says_what_the_proof_cost_and_is_no_other_for_that(certificate: dict[str, Any]) -> None:
    cost = certificate["cost"]
    assert cost["peak_bytes"] >= cost["peak_bytes_before"] > 2**23  # more than an interpreter
    assert cost["seconds"] > 0
    assert cost["processor_seconds"] > 0
    assert identity({**certificate, "cost": {**cost, "seconds": 1e9}}) == certificate["id"]


@pytest.mark.parametrize("field", ["digest", "device", "precision", "policy", "versions", "weights_sha256"])
def test_another_proof_has_another_id(field: str, certificate: dict[str, Any]) -> None:
    assert identity({**certificate, field: "other"}) != certificate["id"]


def test_round_trip(certificate: dict[str, Any], tmp_path: Path) -> None:
    certificates.write(tmp_path / "c.json", certificate)
    assert certificates.read(tmp_path / "c.json") == certificate


def test_infinite_differences_survive_the_file(tmp_path: Path) -> None:
    made = signed({"findings": [{"largest": float("inf"), "breach": None}], "passed": False})
    certificates.write(tmp_path / "c.json", made)
    assert certificates.read(tmp_path / "c.json")["findings"][0]["largest"] == "inf"


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"id": "x"}'],
    ids=["empty", "cut", "list", "no-id", "wrong-id"],
)
def test_a_damaged_certificate_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(content)
    with pytest.raises(UserError, match=str(path)):
        certificates.read(path)


def test_a_certificate_changed_by_hand_is_refused(certificate: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps({**certificate, "passed": not certificate["passed"]}))
    with pytest.raises(UserError, match="does not fit its content"):
        certificates.read(path)


def built(scale: float) -> Any:
    """The MLP with all weights times ``scale``."""
    network = networks.build("mlp")
    values = {path: value * np.float32(scale) for path, value in weights.probe(network, 0).items()}
    return ReferenceFramework().build(network, values, Settings(), training=False)


def test_the_canary_is_within_its_bound_for_the_same_network(certificate: dict[str, Any]) -> None:
    found = canary_difference(certificate, networks.build("mlp"), built(1.0))
    assert found <= certificate["canary_bound"] == 2e-5


def test_the_canary_dies_for_another_network(certificate: dict[str, Any]) -> None:
    found = canary_difference(certificate, networks.build("mlp"), built(1.0001))
    assert found > certificate["canary_bound"]


def test_first_breach_is_one_line_that_names_the_layer() -> None:
    breach = {"path": "conv1", "difference": 0.5, "bound": 1e-5, "expected": "1 at (0,)", "got": "2"}
    finding = {"level": 1, "precision": "float32", "breach": breach}
    line = first_breach({"passed": False, "findings": [finding]})
    assert "level 1 (values, float32): first differing: conv1" in line
    assert "expected 1 at (0,), got 2" in line


def test_a_crash_is_named_and_nothing_compared_is_no_proof() -> None:
    assert (
        first_breach({"passed": False, "findings": [], "failure": "killed by SIGKILL"}) == "killed by SIGKILL"
    )
    assert first_breach({"passed": False, "findings": []}) == "nothing was compared"
