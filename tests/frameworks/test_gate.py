"""A measuring process trusts nobody: no result without a passing certificate and a living canary."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from implementations import certificates
from implementations.claims import Claim
from implementations.commandline import ROOT
from implementations.proving import Prover

pytestmark = pytest.mark.frameworks
CLAIM = Claim("pytorch", "mlp")


@pytest.fixture(scope="module")
def certificate(prover: Prover) -> dict[str, Any]:
    made = prover.certificate(CLAIM)
    assert made["passed"]
    return made


@pytest.fixture
def measured(prover: Prover, tmp_path: Path) -> Callable[[dict[str, Any]], tuple[int, str, bool]]:
    """Exit code, output, and whether a result was written, under a certificate."""

    def run(given: dict[str, Any]) -> tuple[int, str, bool]:
        certificates.write(tmp_path / "c.json", certificates.signed(given))
        options = {
            "--framework": "pytorch",
            "--network": "mlp",
            "--threads": 1,
            "--weights": prover.weights(CLAIM),
            "--certificate": tmp_path / "c.json",
            "--benchmark-json": tmp_path / "result.json",
        }
        words = [f"{key}={value}" for key, value in options.items()]
        command = [sys.executable, "-m", "pytest", "benchmarks/test_training.py", *words]
        plugins = ["-p", "no:cacheprovider", "-p", "no:xdist"]
        done = subprocess.run([*command, *plugins], cwd=ROOT, capture_output=True, text=True, env=clean())
        return done.returncode, done.stdout + done.stderr, (tmp_path / "result.json").exists()

    return run


def clean() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}


def test_a_passing_certificate_opens_the_gate(certificate: dict[str, Any], measured: Any) -> None:
    code, output, written = measured(certificate)
    assert (code, written) == (0, True), output


def test_a_failed_certificate_closes_it(certificate: dict[str, Any], measured: Any) -> None:
    code, output, written = measured({**certificate, "passed": False})
    assert (code, written) == (1, False), output
    assert "not the same network, so not measured" in output


def test_a_dead_canary_leaves_no_result(certificate: dict[str, Any], measured: Any) -> None:
    """Two parts in 10,000 off: far above the bound of 2e-5, far below what a plot would show."""
    changed = [value * 1.0002 for value in certificate["canary"]]
    code, output, written = measured({**certificate, "canary": changed})
    assert (code, written) == (1, False), output
    assert "the canary is" in output


@pytest.mark.parametrize(
    "field",
    ["versions", "device", "digest", "source", "processor", "gpu", "kernels", "weights_sha256"],
)
def test_a_certificate_about_something_else_is_refused(
    field: str, certificate: dict[str, Any], measured: Any
) -> None:
    code, output, written = measured({**certificate, field: "other"})
    assert (code, written) == (2, False), output
    assert f"the certificate is about another {field}" in output


def test_a_certificate_without_level_3_opens_no_training(certificate: dict[str, Any], measured: Any) -> None:
    code, output, written = measured({**certificate, "training": False})
    assert (code, written) == (2, False), output
    assert "the certificate proves no training" in output
