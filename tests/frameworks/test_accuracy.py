"""The MLP on real images: the quick preset's frameworks learn the same from the same weights and batches."""

import subprocess
import sys
from typing import Any

import pytest

from benchmarks import plan, results
from benchmarks.data import fashion_mnist
from implementations.commandline import ROOT
from implementations.network import TRAINERS

pytestmark = pytest.mark.frameworks
QUICK = [name for name in plan.preset("quick").frameworks if name in TRAINERS]


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """``train mlp`` on whatever real data is here: Fashion-MNIST, or scikit-learn's digits."""
    folder = tmp_path_factory.mktemp("accuracy")
    options = [
        "--output",
        str(folder / "output"),
        "--cache-dir",
        str(folder / "cache"),
        "--device",
        "cpu",
        "--threads",
        "1",
    ]
    chosen = [f"--framework={name}" for name in QUICK]
    scale = "full" if fashion_mnist.find([fashion_mnist.SYSTEM_PLACE]) else "small"
    command = [sys.executable, "-m", "benchmarks", "train", "mlp", "--scale", scale, *chosen, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return list(results.trainings(folder / "output"))


def test_every_framework_asked_for_trained(trainings: list[dict[str, Any]]) -> None:
    assert {t["framework"] for t in trainings} == set(QUICK)


def test_fashion_mnist_is_used_where_it_is_found(trainings: list[dict[str, Any]]) -> None:
    found = fashion_mnist.find([fashion_mnist.SYSTEM_PLACE])
    assert {t["data"]["name"] for t in trainings} == {"fashion-mnist" if found else "digits"}


def test_five_epochs_reach_086(trainings: list[dict[str, Any]]) -> None:
    """The source reports 0.878 on Fashion-MNIST; one framework's mean over seeds is 0.875, spread 0.0034."""
    assert {len(t["epochs"]) for t in trainings} == {5}
    assert min(t["test"]["accuracy"] for t in trainings) >= 0.86


def test_they_start_from_the_same_weights(trainings: list[dict[str, Any]]) -> None:
    losses = [t["initial"]["validation"]["main"]["loss"] for t in trainings]
    assert max(losses) - min(losses) < 1e-5 * max(losses)  # float32 values
    assert max(t["initial"]["validation"]["main"]["accuracy"] for t in trainings) < 0.3  # untrained
