"""A training by the toy adapter (NumPy as a framework), in this process or as a child that tests kill.

``python toy_training.py REQUEST ANSWER``: the request holds ``fit.fit``'s arguments; the answer file is there
only if the training came to its end.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from benchmarks.data.images import ImageSet, Split, store  # noqa: E402
from benchmarks.data.preprocessing import Preprocessing  # noqa: E402
from benchmarks.recipes import Recipe  # noqa: E402
from benchmarks.recipes.tables import as_table  # noqa: E402
from benchmarks.training import fit  # noqa: E402
from implementations import weights  # noqa: E402
from implementations.network import Settings  # noqa: E402
from implementations.training import Adam, SteppedRate  # noqa: E402

ADAPTER = ROOT / "tests" / "toys" / "numpy" / "adapter.py"
SIDE, CLASSES = 6, 3
RATE = 2**-8
RECIPE = Recipe(
    name="toy",
    network="mlp",
    classes=CLASSES,
    input_size=(SIDE, SIDE),
    data="made",
    preprocessing=Preprocessing(),
    optimizer=Adam(RATE),
    schedule=SteppedRate(RATE, 0.5, every=2, unit="epoch"),
    epochs=4,
    batch=8,
    source="made for tests",
)


def toy() -> ModuleType:
    """The toy adapter's module."""
    spec = importlib.util.spec_from_file_location("toy_adapter", ADAPTER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def images(train: int = 44, held: int = 12) -> ImageSet:
    """Noisy bars, one place a class: learnt within a few epochs."""
    splits = [_split(number, count) for number, count in enumerate((train, held, held))]
    return ImageSet("made", "made bars", tuple("abc"), 255, *splits)


def _split(key: int, count: int) -> Split:
    draws = np.random.default_rng(key)
    labels = np.arange(count) % CLASSES
    pixels = draws.integers(0, 120, (count, SIDE, SIDE, 1))
    for image, label in zip(pixels, labels, strict=True):
        image[2 * label] += 100
    return Split(pixels.astype(np.uint8), labels.astype(np.int64))


def request(folder: Path, recipe: Recipe = RECIPE, seed: int = 0, **options: Any) -> dict[str, Any]:
    """Arguments of ``fit.fit``; what they name is made in ``folder``."""
    data, start = folder / "data", folder / f"start-{seed}.safetensors"
    store(images(), data)
    weights.save(start, weights.initial(recipe.build(), seed))
    places = {"weights_path": str(start), "data_path": str(data), "folder": str(folder / "training")}
    return {"recipe": as_table(recipe), "seed": seed, **places, **options}


def trained(folder: Path, framework: Any = None, **options: Any) -> dict[str, Any]:
    """The answer of a training in this process."""
    return fit.fit(framework or toy(), settings=Settings(), **request(folder, **options))


def curves(answer: dict[str, Any]) -> list[Any]:
    """All that must be equal to the bit."""
    names = ("epoch", "learning_rate", "train_loss", "train", "validation")
    return [[epoch[name] for name in names] for epoch in answer["epochs"]]


class EndedError(Exception):
    """Stands for the end of the process."""


def interrupting(steps: int) -> Any:
    """The toy adapter whose process ends after so many steps, those that judge determinism included."""
    module, left = toy(), [steps]

    class Ending(module.ToyNetwork):  # type: ignore[misc, name-defined]
        def train_step(self, batch: Any) -> float:
            if not left[0]:
                raise EndedError
            left[0] -= 1
            return float(super().train_step(batch))

    module.ToyNetwork = Ending  # type: ignore[attr-defined]
    return module


def main(request_path: str, answer_path: str) -> None:
    arguments = json.loads(Path(request_path).read_text())
    answer = fit.fit(toy(), settings=Settings(), **arguments)  # type: ignore[arg-type]
    Path(f"{answer_path}.{os.getpid()}").write_text(json.dumps(answer))
    Path(f"{answer_path}.{os.getpid()}").rename(answer_path)


if __name__ == "__main__":
    main(*sys.argv[1:])
