"""Curves of the toy adapter and of the reference coincide in float64; a slip in either parts them."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from toy_training import RECIPE, images, request, toy

from benchmarks.recipes import Recipe
from benchmarks.recipes.tables import as_table
from benchmarks.training import curves
from implementations import weights
from implementations.network import Settings
from implementations.training import SGD

STEPS = 50
MINE = dataclasses.replace(RECIPE, optimizer=curves.OPTIMIZER, schedule=None)


def toys(folder: Path, recipe: Recipe, seed: int = 0) -> list[float]:
    made = request(folder, recipe, seed)
    asked: dict[str, Any] = {key: made[key] for key in ("weights_path", "data_path", "seed")}
    return curves.losses(toy(), settings=Settings(), recipe=as_table(recipe), steps=STEPS, **asked)  # type: ignore[arg-type]


def references(recipe: Recipe, seed: int = 0) -> list[float]:
    return curves.by_reference(recipe, images(), weights.initial(recipe.build(), seed), seed, STEPS)


def test_the_curves_coincide(tmp_path: Path) -> None:
    found = toys(tmp_path, MINE)
    assert curves.apart(found, references(MINE)) < 1e-12  # level 3's bound
    assert found[-1] < 0.5 * found[0]  # it learns: rounding had time to grow


@pytest.mark.parametrize(
    "slip",
    [
        {"optimizer": SGD(2**-6, momentum=0.8750001)},
        {"optimizer": SGD(2**-6 * (1 + 1e-9), momentum=7 / 8)},
        {"batch": 9},
    ],
    ids=["momentum", "rate", "batch"],
)
def test_a_slip_parts_them(tmp_path: Path, slip: dict[str, Any]) -> None:
    assert curves.apart(toys(tmp_path, MINE), references(dataclasses.replace(MINE, **slip))) > 1e-10


def test_another_seed_is_another_curve(tmp_path: Path) -> None:
    assert curves.apart(toys(tmp_path, MINE, seed=1), references(MINE)) > 0.01


def test_a_difference_is_told_as_a_share() -> None:
    assert curves.apart([2.0, 1.0], [2.0, 0.5]) == 0.5
