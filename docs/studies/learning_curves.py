"""How far apart the frameworks' loss curves are: float64, dropout off, 50 steps of one recipe.

    python docs/studies/learning_curves.py [--recipe mlp] [--framework F ...] [--steps N]

prints the largest relative difference of every pair, the reference among them, and at which step a pair
parts further than 1e-12.
"""

import argparse
import dataclasses
import itertools
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import recipes
from benchmarks.data.images import store
from benchmarks.recipes.tables import as_table
from benchmarks.training import curves, train
from implementations import selection, weights
from implementations.cache import Cache
from implementations.network import ADAPTERS, known
from implementations.processes import Launcher, available_cores
from implementations.proving import Prover

TIMEOUT_S = 3600.0
NOTICED = 1e-12


def main() -> None:
    options = _options()
    launcher, cache = Launcher(available_cores()), Cache(options.cache_dir)
    names = selection.frameworks(options.framework, launcher, print)
    small = recipes.named(options.recipe, "small")
    recipe = dataclasses.replace(
        small, optimizer=curves.OPTIMIZER, schedule=None, stages=(), augmentation=None, batch=options.batch
    )
    data = train.load(recipe, None, Prover(launcher, cache), print)
    with tempfile.TemporaryDirectory() as folder:
        stored = store(data, Path(folder, "data"))
        start = weights.initial(recipe.build(), 0)
        weights.save(Path(folder, "start.safetensors"), start)
        request = {
            "recipe": as_table(recipe),
            "data_path": str(stored.folder),
            "weights_path": str(Path(folder, "start.safetensors")),
            "seed": 0,
            "steps": options.steps,
        }
        found = {"reference": curves.by_reference(recipe, stored, start, 0, options.steps)}
        for name in (name for name in names if known(name).trains):
            found[name] = launcher.ask(name, "benchmarks.training.curves:losses", request, TIMEOUT_S)
            print(f"{name}: {found[name][0]:.6f} to {found[name][-1]:.6f}")
    for one, other in itertools.combinations(found, 2):
        print(f"{one:>17} {other:>17}  {_told(found[one], found[other])}")


def _told(one: list[float], other: list[float]) -> str:
    shares = [curves.apart([a], [b]) for a, b in zip(one, other, strict=True)]
    first = next((number for number, share in enumerate(shares, start=1) if share > NOTICED), None)
    where = f"beyond {NOTICED:.0e} from step {first}" if first else f"within {NOTICED:.0e} throughout"
    return f"{max(shares):.1e}  {where}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="mlp", choices=recipes.NAMES)
    parser.add_argument("--framework", action="append", help=f"default: all of {', '.join(ADAPTERS)}")
    parser.add_argument("--steps", type=int, default=curves.STEPS)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--cache-dir", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
