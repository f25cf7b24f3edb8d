"""The child's side of training: the same weights, the same batches in the same order, every framework.

Whatever is random depends on the seed and on the number of a step alone, so that a training that is
interrupted and goes on from its last checkpoint sees what an uninterrupted one sees.
"""

import functools
import hashlib
import json
import math
import statistics
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data.batches import Batch, Batches
from benchmarks.data.images import ImageSet
from benchmarks.data.prefetch import prefetched
from benchmarks.data.preprocessing import opencv_version
from benchmarks.evaluation import scores
from benchmarks.measure import CLOCK
from benchmarks.recipes.recipe import Recipe, Stage, Target
from benchmarks.recipes.tables import from_table
from benchmarks.training import checkpoint, epoch_weights, features
from benchmarks.training.checkpoint import Position, Saving
from benchmarks.training.epoch_weights import Kept
from benchmarks.training.features import Base
from benchmarks.training.feeding import Fed
from benchmarks.training.log import LOG, Log
from benchmarks.training.stepping import Stepper, has_dropout
from implementations import provenance, weights
from implementations.network import Built, Framework, Settings, Weights
from implementations.networks.transfer import divided
from implementations.spec import Network

HASHED = 3  # batches whose hash tells that frameworks were fed the same
READ_EVERY_S = 1.0  # losses are read, which waits for the device
CHECKPOINT = "checkpoint.safetensors"


def fit(
    framework: Framework,
    *,
    settings: Settings,
    recipe: dict[str, Any],
    weights_path: str,
    data_path: str,
    seed: int,
    folder: str,
    until_target: bool = False,
    checkpoint_steps: int | None = None,
    checkpoint_s: float = Saving.seconds,
    features_path: str | None = None,
    on_device: bool = False,
) -> dict[str, Any]:
    """What a result says of learning; goes on from the checkpoint in ``folder``: a child's task.

    Features of frozen bases are kept in ``features_path``, by default in ``folder``. ``on_device``: training
    images that are fed as they are stored live on the device.
    """
    training = Training(
        framework,
        settings,
        from_table(recipe),
        ImageSet.open(Path(data_path)),
        seed,
        Path(folder),
        Saving(checkpoint_steps, checkpoint_s),
        Path(features_path or Path(folder, "features")),
        on_device=on_device,
    )
    return training.run(Path(weights_path), until_target=until_target)


class Training:
    """One recipe in one framework with one seed; ``run`` it once."""

    def __init__(
        self,
        framework: Framework,
        settings: Settings,
        recipe: Recipe,
        data: ImageSet,
        seed: int,
        folder: Path,
        saving: Saving,
        features_folder: Path,
        *,
        on_device: bool = False,
    ) -> None:
        self.framework, self.settings, self.recipe, self.data = framework, settings, recipe, data
        self.seed, self.folder, self.saving = seed, folder, saving
        self.features_folder, self.on_device = features_folder, on_device
        self.kept = Kept(folder, recipe.keep_epochs)
        self.network = recipe.build()
        self.position, self.start = Position(), ""
        self.frozen: Weights = {}  # of a base whose features stand for it in this stage
        self._feed(Fed.with_images(data, recipe.preprocessing), self.network, recipe.parts[0])
        self.log = Log(folder / LOG, recipe, self.batches.steps_per_epoch)
        self.built: Built
        self.batches: Batches

    # --- The whole ---

    def run(self, weights_path: Path, *, until_target: bool) -> dict[str, Any]:
        """Every stage, from the start or from the last checkpoint."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.start = weights.sha256(weights_path)
        values: Weights = weights.load(weights_path, self.network)
        optimizer: Weights | None = None
        if self._checkpoint.exists():
            self.position, values, optimizer = checkpoint.load(self._checkpoint, self.identity)
            self.log.line(f"going on after step {self.position.step}")
        for number in range(self.position.stage, len(self.recipe.parts)):
            self._begin(number, values, optimizer)
            if not self._run_stage(stop_at_target=until_target):
                break
            values, optimizer = self._weights(), None
        return self._result()

    @functools.cached_property
    def identity(self) -> str:
        """SHA-256 of all that a checkpoint must share with the training that goes on from it."""
        about = {
            "recipe": repr(self.recipe),
            "data": self.data.sha256,
            "seed": self.seed,
            "settings": repr(self.settings),
            "versions": self.framework.versions(),
            "start": self.start,
            "code": [provenance.source(), provenance.digest(checkpoint.CODE)],
            "machine": [provenance.cpu_model(), np.__version__, opencv_version()],
        }
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    @property
    def stage(self) -> Stage:
        return self.recipe.parts[self.position.stage]

    def _begin(self, number: int, values: Weights, optimizer: Weights | None) -> None:
        """Build the stage's network with ``values``, and its optimizer in the state that it had."""
        position = self.position
        if number > position.stage:
            position.stage, position.stage_step = number, 0
        stage = self.recipe.parts[number]
        network = self._prepare(stage, values)
        self.built = self.framework.build(network, values, self.settings, training=True)
        self.built.prepare_training(stage.optimizer)
        resident = self._keep_on_device(stage) if self.on_device else None
        self.stepper = Stepper(self.built, stage, self.batches, self.seed, network, resident)
        if optimizer is not None:
            self.built.restore_optimizer(optimizer)
        else:
            repeats = self.stepper.is_deterministic(values)
            position.deterministic = repeats and position.deterministic is not False
        if optimizer is None and number == 0:
            position.initial = {"validation": self.evaluation.scores(self.built, self.fed.validation)}
        self.begun = CLOCK() - position.elapsed_s
        self.log.begin(position.step)

    def _prepare(self, stage: Stage, values: Weights) -> Network:
        """The network that the stage trains, and what it is fed with: images, or a frozen base's features."""
        network, self.frozen = self.recipe.build(stage.network), {}
        fed = Fed.with_images(self.data, self.recipe.preprocessing)
        if stage.features:
            base, network = divided(network)
            self.frozen = {parameter.path: values[parameter.path] for parameter in base.parameters}
            fed = self._features(base)
        self._feed(fed, network, stage)
        return network

    def _features(self, base: Network) -> Fed:
        """What ``base`` makes of all images; how long that took is part of the result."""
        made = Base(self.framework, self.settings, base, self.frozen, self.recipe.preprocessing)
        found, self.position.features_s = made.features(self.data, self.features_folder, self.log.line)
        return Fed(**found, preprocessing=features.PLAIN, maximum=features.MAXIMUM)

    def _keep_on_device(self, stage: Stage) -> Any:
        """The training images there, and batches without them; ``None`` where the host has work to do."""
        if not self.fed.is_plain(stage):
            self.log.line(f"{stage.name}: images are resized, augmented or computed, and stay on the host")
            return None
        rule, images = self.fed.preprocessing, self.fed.train.images
        self.batches = replace(self.batches, bare=True)
        return self.built.keep(rule.planes(images), rule.table(images.shape[3], self.fed.maximum))

    def _feed(self, fed: Fed, network: Network, stage: Stage) -> None:
        self.fed, self.evaluation = fed, fed.evaluation(network, self.recipe.metrics)
        self.batches = fed.batches(self.recipe, stage, self.seed)

    def _weights(self) -> Weights:
        """All of the recipe's network, also what is frozen and not built in this stage."""
        return {**self.frozen, **self.built.weights()}

    def _run_stage(self, *, stop_at_target: bool) -> bool:
        """All epochs of the stage that are left; whether the next stage follows."""
        steps = self.stage.epochs * self.batches.steps_per_epoch
        while self.position.stage_step < steps:
            if stop_at_target and self.position.target is not None:
                return False
            self._run_epoch()
            self._end_epoch()
        return not (stop_at_target and self.position.target is not None)

    # --- An epoch ---

    def _run_epoch(self) -> None:
        """What is left of an epoch, with checkpoints on the way."""
        steps, position = self.batches.steps_per_epoch, self.position
        self.unread: list[Any] = []
        self.read_at = saved_at = CLOCK()
        saved_step = start = position.step
        stop = start + steps - position.stage_step % steps
        with prefetched(self.batches, start, stop) as made:
            waited = position.waited_s
            for batch in made:
                position.waited_s = waited + made.waited_s
                self._step(batch)
                since = (position.step - saved_step, CLOCK() - saved_at)
                if position.step < stop and self.saving.is_due(*since):
                    self._read()
                    self._save()
                    saved_at, saved_step = CLOCK(), position.step
        self._read()

    def _step(self, batch: Batch) -> None:
        """One step; its time is that of the framework alone."""
        if self.position.step < HASHED:
            self.position.fed.append(self._hash(batch))
        begun = CLOCK()
        self.unread.append(self.stepper.make(batch, self.position.step, self.position.stage_step))
        self.position.step += 1
        self.position.stage_step += 1
        self.position.seconds += CLOCK() - begun
        if CLOCK() - self.read_at > READ_EVERY_S:
            self._read()

    def _read(self) -> None:
        """Losses so far, and progress in a line; ``ArithmeticError`` for the first that is no number."""
        begun, position = CLOCK(), self.position
        first = position.step - len(self.unread) + 1
        for number, loss in enumerate(map(float, self.unread), start=first):
            if not math.isfinite(loss):
                raise ArithmeticError(f"the loss became {loss} in step {number}: this training diverged")
            position.losses.append(loss)
        self.unread.clear()
        position.seconds += CLOCK() - begun
        self.read_at = CLOCK()
        self.log.step(position)

    def _end_epoch(self) -> None:
        """Evaluate, record the epoch, and save."""
        position, sizes = self.position, self._sizes()
        record: dict[str, Any] = {
            "epoch": len(position.epochs) + 1,
            "stage": self.stage.name,
            "seconds": position.seconds,
            "waited_s": position.waited_s,
            "images_per_second": sum(sizes) / (position.seconds + position.waited_s),
            "learning_rate": self.stepper.rate,
            "images_on_device": self.batches.bare,
            "train_loss": statistics.fmean(position.losses, sizes),
            "train": self.evaluation.scores(self.built, self.fed.sample),
            "validation": self.evaluation.scores(self.built, self.fed.validation),
        }
        target = self.recipe.target
        if self.recipe.test_each_epoch or (target is not None and target.part == "test"):
            record["test"] = self._tested(record["validation"])
        record["elapsed_s"] = position.elapsed_s = CLOCK() - self.begun
        position.epochs.append(record)
        position.losses, position.seconds, position.waited_s = [], 0.0, 0.0
        if position.target is None and _is_reached(target, record):
            assert target is not None
            reached = {"reached_epoch": record["epoch"], "seconds": record["elapsed_s"]}
            position.target = {**asdict(target), **reached}
        self.kept.save(record["epoch"], self._weights())
        self._save()
        self.kept.forget(record["epoch"])
        self.log.epoch(position)

    def _tested(self, validation: dict[str, Any]) -> dict[str, Any]:
        """Scores on the test images, which a source may validate on."""
        shared = self.fed.test is self.fed.validation
        return validation if shared else self.evaluation.scores(self.built, self.fed.test)

    def _sizes(self) -> list[int]:
        """Images of each of an epoch's batches: one that is smaller counts less."""
        batch, images = self.recipe.batch, len(self.fed.train)
        return [min(batch, images - step * batch) for step in range(self.batches.steps_per_epoch)]

    # --- What is kept and told ---

    @property
    def _checkpoint(self) -> Path:
        return self.folder / CHECKPOINT

    def _save(self) -> None:
        self.position.elapsed_s = CLOCK() - self.begun
        built = self.built
        checkpoint.save(
            self._checkpoint, self.identity, self.position, self._weights(), built.optimizer_state()
        )

    def _result(self) -> dict[str, Any]:
        """The answer: what the epochs measured, the test, and where the weights are."""
        position, path = self.position, self.folder.with_name(f"{self.folder.name}.safetensors")
        saved = epoch_weights.save(path, self._weights())
        logits = self.evaluation.logits(self.built, self.fed.test)["main"]
        classes = max(2, self.network.classes)
        target = self.recipe.target
        missed = {**asdict(target), "reached_epoch": None, "seconds": None} if target else None
        return {
            "versions": self.framework.versions(),
            "source": provenance.source(),
            "digest": self.network.digest,
            "dropout": has_dropout(self.network),
            "steps_per_epoch": self.batches.steps_per_epoch,
            "deterministic": position.deterministic,
            "batches_sha256": hashlib.sha256("".join(position.fed).encode()).hexdigest(),
            "initial": position.initial,
            "epochs": position.epochs,
            "features_s": position.features_s,
            "target": position.target or missed,
            "test": scores.report(self.network.loss, logits, self.data.test.labels, classes),
            "weights": saved,
            "kept": self.kept.listed(),
        }

    def _hash(self, batch: Batch) -> str:
        """SHA-256 of what is fed; of the images behind features, which have a framework's own bits."""
        if not self.frozen and not self.batches.bare:
            return batch.sha256
        images = Fed.with_images(self.data, self.recipe.preprocessing)
        return images.batches(self.recipe, self.stage, self.seed).digest(self.position.step)


def _is_reached(target: Target | None, epoch: dict[str, Any]) -> bool:
    return target is not None and epoch[target.part]["main"]["accuracy"] >= target.accuracy
