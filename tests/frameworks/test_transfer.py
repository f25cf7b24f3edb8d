"""Source B's first stage in real frameworks: a head learns on features what it learns behind its base."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_images import coloured

from benchmarks.data.images import store
from benchmarks.recipes import Recipe, named
from benchmarks.recipes.tables import as_table
from implementations import weights
from implementations.processes import Launcher

pytestmark = pytest.mark.frameworks
SMALL = named("vgg16-transfer", "small")
RECIPE = replace(
    SMALL,
    input_size=(32, 32),
    preprocessing=replace(SMALL.preprocessing, size=(32, 32)),
    batch=4,
    stages=(replace(SMALL.stages[0], epochs=2),),
)


def trained(folder: Path, framework: str, launcher: Launcher, recipe: Recipe) -> dict[str, Any]:
    initial = folder / "initial.safetensors"
    weights.save(initial, weights.initial(recipe.build(), 0))
    request = {
        "recipe": as_table(recipe),
        "weights_path": str(initial),
        "data_path": str(store(coloured(), folder / "data").folder),
        "seed": 0,
        "folder": str(folder / "training"),
        "features_path": str(folder / "features"),
    }
    answer = launcher.ask(framework, "benchmarks.training.fit:fit", request, 300)
    return {**answer, "values": weights.load(folder / "training.safetensors", recipe.build())}


@pytest.mark.parametrize("framework", ["pytorch", "paddle"])
def test_a_head_on_kept_features_learns_what_it_learns_behind_its_base(
    tmp_path: Path, framework: str, launcher: Launcher
) -> None:
    (stage,) = RECIPE.stages
    whole = replace(RECIPE, stages=(replace(stage, features=False),))
    kept, run = (
        trained(tmp_path / name, framework, launcher, recipe)
        for name, recipe in (("a", RECIPE), ("b", whole))
    )
    assert kept["features_s"] > 0
    assert run["features_s"] is None
    assert kept["batches_sha256"] == run["batches_sha256"]
    for ours, theirs in zip(kept["epochs"], run["epochs"], strict=True):
        # The same steps but for the rounding of batches of another size in the base.
        np.testing.assert_allclose(ours["train_loss"], theirs["train_loss"], rtol=1e-4)
    for path, value in run["values"].items():
        np.testing.assert_allclose(kept["values"][path], value, atol=1e-4 * np.abs(value).max(), rtol=0)
