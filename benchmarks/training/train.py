"""The parent's side of a training: which data, which weights; the child does the rest."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import results
from benchmarks.data import digits, fashion_mnist, keys, sets
from benchmarks.data.images import ImageSet, Split, store
from benchmarks.recipes import Recipe, named
from benchmarks.recipes.tables import as_table
from benchmarks.training import starting
from benchmarks.training.checkpoint import USUAL, Saving
from benchmarks.training.feeding import Fed
from benchmarks.training.following import Following
from benchmarks.training.log import LOG
from implementations import weights
from implementations.commandline import Notice
from implementations.errors import UserError
from implementations.proving import Prover
from implementations.spec import Network
from implementations.weights import raw_words

TIMEOUT_S = 30 * 24 * 3600.0  # a full recipe takes days on a CPU


@dataclass(frozen=True)
class Wanted:
    """A training as it is asked for, framework and seed left out."""

    recipe: Recipe
    data: ImageSet
    weights: str | None = None  # to start from, as ``starting.file`` takes it; none: the recipe's own
    until_target: bool = False
    saving: Saving = USUAL
    on_device: bool = False  # whether training images live there, where they are fed as they are stored


# --- Data ---------------------------------------------------------------------------------


def load(
    recipe: Recipe, data_dir: Path | None, prover: Prover, notice: Notice, *, skip_damaged: bool = False
) -> ImageSet:
    """The recipe's images, from ``data_dir`` if it is given; ``UserError`` if they do not fit its network."""
    if data_dir is not None and recipe.data == "fashion-mnist":
        _require_fashion_mnist(data_dir)
    found = sets.load(
        recipe.data,
        places=[data_dir] if data_dir else [],
        cache=prover.cache,
        notice=notice,
        size=recipe.preprocessing.size,
        train_on_all=recipe.train_on_all,
        skip_damaged=skip_damaged,
    )
    return fitting(recipe, found)


def quick(data_dir: Path | None, cache: Path, notice: Notice) -> tuple[Recipe, ImageSet]:
    """The MLP's recipe and data for a run beside others: what is here, never fetched."""
    data = find_data(data_dir, cache, notice)
    recipe = named("mlp", "small" if data.name == "digits" else "full")
    return recipe, fitting(recipe, data)


def find_data(data_dir: Path | None, cache: Path, notice: Notice) -> ImageSet:
    """Fashion-MNIST where it is found, else scikit-learn's digits; ``notice`` says which.

    Looked in: ``data_dir``, the cache, the system's place. ``UserError`` if ``data_dir`` is given
    and does not hold the four files, and for damaged files anywhere.
    """
    if data_dir is not None:
        _require_fashion_mnist(data_dir)
    places = [data_dir] if data_dir else [cache / "data" / "fashion-mnist", fashion_mnist.SYSTEM_PLACE]
    found = fashion_mnist.find(places)
    if found is not None:
        notice(f"data: Fashion-MNIST from {found}")
        return fashion_mnist.load(found, train_on_all=True)
    notice("data: scikit-learn's digits, since Fashion-MNIST was not found (--data-dir names its folder)")
    return digits.load(train_on_all=True)


def _require_fashion_mnist(data_dir: Path) -> None:
    if fashion_mnist.find([data_dir]) is None:
        raise UserError(
            "the data folder does not hold Fashion-MNIST",
            given=data_dir,
            allowed=", ".join(f"{name}[.gz]" for name in fashion_mnist.FILES.values()),
            todo="put the four files there, or leave --data-dir out",
        )


def fitting(recipe: Recipe, data: ImageSet) -> ImageSet:
    """What the recipe takes of ``data``; ``UserError`` if its network cannot be fed with it."""
    _require_known_labels(recipe, data)
    taken = selected(recipe, data)
    network = recipe.build()
    fed = Fed.with_images(taken, recipe.preprocessing)
    fed.batches(recipe, recipe.parts[0], seed=0)  # refuses too few images for one
    shape = recipe.preprocessing.apply(taken.train.images[:1], taken.maximum).shape[1:]
    if shape != network.input_shape:
        raise UserError(
            f"{network.name} cannot be fed with {data.title}",
            given=f"images of {shape} after preprocessing",
            allowed=f"{network.input_shape} (channels, height, width)",
            todo="correct input_size, or size and channels of the preprocessing",
        )
    if len(taken.classes) > max(2, network.classes):
        raise UserError(
            f"{network.name} has too few outputs for {data.title}",
            given=f"{len(taken.classes)} classes of images",
            allowed=f"{max(2, network.classes)} or fewer",
            todo="correct classes, or name two of them in 'only'",
        )
    return taken


def _require_known_labels(recipe: Recipe, data: ImageSet) -> None:
    if recipe.only and max(recipe.only) >= len(data.classes):
        raise UserError(
            f"{data.title} has no class of that number",
            given=f"only = {list(recipe.only)}",
            allowed=f"numbers from 0 to {len(data.classes) - 1}",
            todo="correct 'only'",
        )


def selected(recipe: Recipe, data: ImageSet) -> ImageSet:
    """``data`` with the recipe's classes and at most so many images as it says."""
    train = _taken(data.train, recipe.only, recipe.train_images)
    validation = _taken(data.validation, recipe.only, recipe.evaluated_images)
    shared = data.validation is data.test
    test = validation if shared else _taken(data.test, recipe.only, recipe.evaluated_images)
    classes = tuple(data.classes[label] for label in recipe.only) if recipe.only else data.classes
    return dataclasses.replace(
        data, classes=classes, train=train, validation=validation, test=test, folder=None
    )


def _taken(split: Split, only: tuple[int, ...] | None, most: int | None) -> Split:
    """The images of the classes ``only``, numbered anew; the first ``most`` of a fixed order of them."""
    if only is not None:
        split = split.chosen(np.flatnonzero(np.isin(split.labels, only)))
        numbers = np.full(max(only) + 1, -1, np.int64)
        numbers[list(only)] = range(len(only))
        split = Split(split.images, numbers[split.labels])
    if most is not None and most < len(split):
        order = np.argsort(raw_words(keys.CHOICE, len(split)), kind="stable")
        split = split.chosen(np.sort(order[:most]))
    return split


# --- One training -------------------------------------------------------------------------


def asked(wanted: Wanted) -> str:
    """SHA-256 of all that was asked for but data, framework and seed: a result that has it is this one's."""
    recipe = dataclasses.replace(wanted.recipe, source="", scaled="", reported={})
    start = wanted.weights or recipe.start
    digests = [recipe.build(network).digest for network in recipe.networks]
    content = None if Path(start).suffix != ".safetensors" else weights.sha256(Path(start))
    about = [as_table(recipe), digests, start if content is None else content, wanted.until_target]
    about += ["on device"] if wanted.on_device else []
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def train(
    wanted: Wanted, framework: str, seed: int, prover: Prover, folder: Path, tell: Notice
) -> dict[str, Any]:
    """The result of one training in a fresh process, whose checkpoints are in ``folder``.

    Raises ``ChildFailedError``.
    """
    recipe, network = wanted.recipe, wanted.recipe.build()
    start, scale = str(wanted.weights or recipe.start), recipe.preprocessing.scale
    stored = store(wanted.data, prover.cache.data(wanted.data.name, wanted.data.sha256))
    request = {
        "recipe": as_table(recipe),
        "weights_path": str(starting.file(start, network, seed, prover, tell, scale=scale)),
        "data_path": str(stored.folder),
        "seed": seed,
        "device": prover.device,
        "folder": str(folder.absolute()),
        "until_target": wanted.until_target,
        "checkpoint_steps": wanted.saving.steps,
        "checkpoint_s": wanted.saving.seconds,
        "on_device": wanted.on_device,
        "features_path": str(prover.cache.folder / "features"),
    }
    following = Following(folder / LOG, tell)
    answer = prover.launcher.ask(framework, "benchmarks.training.fit:fit", request, TIMEOUT_S, following)
    told = {
        "framework": framework,
        "seed": seed,
        "start": start,
        "asked": asked(wanted),
    }
    return {**about(recipe, network, wanted.data), **told, **answer}


def about(recipe: Recipe, network: Network, data: ImageSet) -> dict[str, Any]:
    """What a result says before anything is computed."""
    return {
        "schema_version": results.TRAINING_VERSION,
        "recipe": recipe.name,
        "scale": recipe.scale,
        "scaled": recipe.scaled,
        "network": network.name,
        "batch": recipe.batch,
        "epochs_asked": sum(stage.epochs for stage in recipe.parts),
        "source": recipe.source,
        "reported": dict(recipe.reported),
        "data": about_data(data),
        "preprocessing": as_table(recipe.preprocessing),
        "augmentation": as_table(recipe.parts[-1].augmentation),
        "optimizer": ", then ".join(dict.fromkeys(repr(stage.optimizer) for stage in recipe.parts)),
        "schedule": as_table(recipe.parts[-1].schedule),
        "chosen": _chosen(recipe),
        "stages": [as_table(stage) for stage in recipe.parts],
    }


def _chosen(recipe: Recipe) -> dict[str, Any]:
    """What is not the network's own: activation, initialiser, loss, metrics, where the recipe says them."""
    names = ("activation", "initializer", "loss", "metrics")
    return {name: value for name, value in as_table(recipe).items() if name in names}


def about_data(data: ImageSet) -> dict[str, Any]:
    """What a result says about its data."""
    return {
        "name": data.name,
        "title": data.title,
        "classes": list(data.classes),
        "train_images": len(data.train),
        "validation_images": len(data.validation),
        "test_images": len(data.test),
        "skipped": data.skipped,
        "sha256": data.sha256,
    }
