"""The parent's side of training: which data, which weights; the child does the rest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.data import digits, fashion_mnist
from benchmarks.data.images import ImageSet, store
from benchmarks.recipes import Recipe
from implementations import networks
from implementations.errors import UserError
from implementations.proving import Prover

SEED = 0
TIMEOUT_S = 1800.0


def find_data(data_dir: Path | None, cache: Path, notice: Callable[[str], None]) -> ImageSet:
    """Fashion-MNIST where it is found, else scikit-learn's digits; ``notice`` says which.

    Looked in: ``data_dir``, the cache, the system's place. ``UserError`` if ``data_dir`` is given
    and does not hold the four files, and for damaged files anywhere.
    """
    if data_dir is not None and fashion_mnist.find([data_dir]) is None:
        raise UserError(
            "the data folder does not hold Fashion-MNIST",
            given=data_dir,
            allowed=", ".join(f"{name}[.gz]" for name in fashion_mnist.FILES.values()),
            todo="put the four files there, or leave --data-dir out to use scikit-learn's digits",
        )
    places = [data_dir] if data_dir else [cache / "data" / "fashion-mnist", fashion_mnist.SYSTEM_PLACE]
    found = fashion_mnist.find(places)
    if found is not None:
        notice(f"data: Fashion-MNIST from {found}")
        return fashion_mnist.load(found, train_on_all=True)
    notice("data: scikit-learn's digits, since Fashion-MNIST was not found (--data-dir names its folder)")
    return digits.load(train_on_all=True)


def fit(recipe: Recipe, data: ImageSet, framework: str, prover: Prover) -> dict[str, Any]:
    """The result of one training in a fresh process; raises ``ChildFailedError``."""
    network = networks.build(recipe.network)
    stored = store(data, prover.cache.data(data.name, data.sha256))
    request = {
        "recipe": recipe.name,
        "weights_path": str(prover.cache.initial_weights(network, SEED)),
        "data_path": str(stored.folder),
        "seed": SEED,
        "device": prover.device,
    }
    answer = prover.launcher.ask(framework, "benchmarks.fit:fit", request, TIMEOUT_S)
    return {
        "schema_version": 1,
        "recipe": recipe.name,
        "network": recipe.network,
        "framework": framework,
        "batch": recipe.batch,
        "seed": SEED,
        "source": recipe.source,
        "data": about(data),
        **answer,
    }


def about(data: ImageSet) -> dict[str, Any]:
    """What a result says about its data."""
    return {
        "name": data.name,
        "title": data.title,
        "classes": list(data.classes),
        "train_images": len(data.train),
        "validation_images": len(data.validation),
        "test_images": len(data.test),
        "sha256": data.sha256,
    }
