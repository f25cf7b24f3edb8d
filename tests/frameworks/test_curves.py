"""Dropout off, fixed batches, float64: every framework's loss curve is the reference's for 50 steps."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from benchmarks import recipes
from benchmarks.data import digits
from benchmarks.data.images import ImageSet, store
from benchmarks.recipes.tables import as_table
from benchmarks.training import curves
from implementations import weights
from implementations.network import TRAINERS
from implementations.processes import Launcher

pytestmark = pytest.mark.frameworks
TIMEOUT_S = 600.0
RECIPE = dataclasses.replace(recipes.named("mlp", "small"), optimizer=curves.OPTIMIZER)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    return store(digits.load(train_on_all=True), tmp_path_factory.mktemp("curves") / "digits")


@pytest.fixture(scope="module")
def expected(data: ImageSet) -> list[float]:
    return curves.by_reference(RECIPE, data, weights.initial(RECIPE.build(), 0), 0)


@pytest.mark.parametrize("framework", TRAINERS)
def test_loss_curves_coincide_in_float64(
    framework: str, data: ImageSet, expected: list[float], launcher: Launcher, tmp_path: Path
) -> None:
    start = tmp_path / "start.safetensors"
    weights.save(start, weights.initial(RECIPE.build(), 0))
    request: dict[str, Any] = {"recipe": as_table(RECIPE), "data_path": str(data.folder), "seed": 0}
    found = launcher.ask(
        framework, "benchmarks.training.curves:losses", {**request, "weights_path": str(start)}, TIMEOUT_S
    )
    assert len(found) == curves.STEPS
    assert found[-1] < 0.5 * found[0]
    assert curves.apart(found, expected) < 1e-12  # level 3's bound
