"""The child's side of training: the same weights, the same batches in the same order, every framework.

Whatever is random depends on the seed and on the number of a step alone, so that a training that is
interrupted and goes on from its last checkpoint sees what an uninterrupted one sees.
"""

import hashlib
import json
import math
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import checkpoint, scores
from benchmarks.checkpoint import Position
from benchmarks.data.batches import Batch, Batches
from benchmarks.data.images import ImageSet, Split, recorded_sha256
from benchmarks.data.prefetch import prefetched
from benchmarks.measure import CLOCK
from benchmarks.recipes.recipe import Recipe, Stage, Target
from benchmarks.recipes.tables import from_table
from implementations import provenance, weights
from implementations.network import Built, Framework, Settings, Weights
from implementations.spec import Dropout, Network

SAMPLE = 1000  # training images that are evaluated after each epoch, at most
SAMPLE_KEY = 3
TRIED_TWICE = 5  # steps by which determinism is judged
HASHED = 3  # batches whose hash tells that frameworks were fed the same
TOLD_EVERY_S = 10.0
READ_EVERY_S = 1.0  # losses are read, which waits for the device
CHECKPOINT, LOG = "checkpoint.safetensors", "log.txt"


@dataclass(frozen=True)
class Saving:
    """When a checkpoint is written, beside the end of every epoch."""

    steps: int | None = None
    seconds: float = 60.0

    def is_due(self, steps: int, seconds: float) -> bool:
        """Whether so many steps and seconds after the last one it is time."""
        return seconds >= self.seconds or (self.steps is not None and steps >= self.steps)


USUAL = Saving()


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
) -> dict[str, Any]:
    """What a result says of learning; goes on from the checkpoint in ``folder``: a child's task."""
    training = Training(
        framework,
        settings,
        from_table(recipe),
        ImageSet.open(Path(data_path)),
        seed,
        Path(folder),
        Saving(checkpoint_steps, checkpoint_s),
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
    ) -> None:
        self.framework, self.settings, self.recipe, self.data = framework, settings, recipe, data
        self.seed, self.folder, self.saving = seed, folder, saving
        self.network = recipe.build()
        self.sample = fixed_sample(data.train, min(SAMPLE, len(data.validation)))
        largest = max(len(part) for part in (self.sample, data.validation, data.test))
        batch = scores.batch_for(self.network.input_shape, largest)
        self.evaluation = scores.Evaluation(recipe.preprocessing, data.maximum, self.network.loss, batch)
        self.position = Position()
        self.draws = has_dropout(self.network)
        self.rate: float | None = None  # that the optimizer has
        self.built: Built

    # --- The whole ---

    def run(self, weights_path: Path, *, until_target: bool) -> dict[str, Any]:
        """Every stage, from the start or from the last checkpoint."""
        self.folder.mkdir(parents=True, exist_ok=True)
        values: Weights = weights.load(weights_path, self.network)
        optimizer: Weights | None = None
        if self._checkpoint.exists():
            self.position, values, optimizer = checkpoint.load(self._checkpoint, self.identity)
            self._tell(f"going on after step {self.position.step}")
        for number in range(self.position.stage, len(self.recipe.parts)):
            self._begin(number, values, optimizer)
            if not self._run_stage(stop_at_target=until_target):
                break
            values, optimizer = self.built.weights(), None
        return self._result()

    @property
    def identity(self) -> str:
        """SHA-256 of all that a checkpoint must share with the training that goes on from it."""
        about = {
            "recipe": repr(self.recipe),
            "data": recorded_sha256(self.data.folder) if self.data.folder else self.data.sha256,
            "seed": self.seed,
            "settings": repr(self.settings),
            "versions": self.framework.versions(),
            "source": provenance.source(),
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
        self.batches = Batches(
            self.data.train,
            self.recipe.batch,
            self.seed,
            self.recipe.preprocessing,
            stage.augmentation,
            self.data.maximum,
            self.recipe.remainder,
        )
        # Features of a stage that freezes its base could be computed once; here the base runs at each step.
        network = self.recipe.build(stage.network)
        self.built = self.framework.build(network, values, self.settings, training=True)
        self.built.prepare_training(stage.optimizer)
        self.rate = None
        if optimizer is not None:
            self.built.restore_optimizer(optimizer)
        elif number == 0:
            position.deterministic = self._is_deterministic(values)
            position.initial = {"validation": self.evaluation.scores(self.built, self.data.validation)}
        self.begun, self.begun_at = CLOCK() - position.elapsed_s, (CLOCK(), position.step)

    def _run_stage(self, *, stop_at_target: bool) -> bool:
        """All epochs of the stage that are left; whether the next stage follows."""
        while self.position.stage_step < self.stage.epochs * self.batches.steps_per_epoch:
            self._run_epoch()
            self._end_epoch()
            if stop_at_target and self.position.target is not None:
                return False
        return True

    # --- An epoch ---

    def _run_epoch(self) -> None:
        """What is left of an epoch, with checkpoints on the way."""
        steps, position = self.batches.steps_per_epoch, self.position
        self.unread: list[Any] = []
        self.read_at = self.told_at = saved_at = CLOCK()
        saved_step, start = position.step, position.step
        stop = start + steps - position.stage_step % steps
        with prefetched(self.batches, start, stop) as made:
            waited = position.waited_s
            for batch in made:
                position.waited_s = waited + made.waited_s
                self._step(batch)
                if (
                    self.saving.is_due(position.step - saved_step, CLOCK() - saved_at)
                    and position.step < stop
                ):
                    self._read()
                    self._save()
                    saved_at, saved_step = CLOCK(), position.step
        self._read()

    def _step(self, batch: Batch) -> None:
        """One step; its time is that of the framework alone."""
        begun = CLOCK()
        self._prepare_step()
        self.unread.append(self.built.train_step(self.built.put(batch.images, batch.labels)))
        self.position.step += 1
        self.position.stage_step += 1
        self.position.seconds += CLOCK() - begun
        if CLOCK() - self.read_at > READ_EVERY_S:
            self._read()

    def _prepare_step(self) -> None:
        """The step's learning rate, and what its dropout draws from."""
        position = self.position
        rate = self.stage.rate(position.stage_step, self.batches.steps_per_epoch, self.recipe.batch)
        if rate != self.rate:
            self.built.set_learning_rate(rate)
            self.rate = rate
        if self.draws:
            self.built.seed(draw(self.seed, position.step))

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
        if self.read_at - self.told_at > TOLD_EVERY_S:
            self.told_at = self.read_at
            self._tell_step()

    def _end_epoch(self) -> None:
        """Evaluate, record the epoch, and save."""
        position, steps = self.position, self.batches.steps_per_epoch
        images = min(steps * self.recipe.batch, len(self.data.train))
        record: dict[str, Any] = {
            "epoch": len(position.epochs) + 1,
            "stage": self.stage.name,
            "seconds": position.seconds,
            "waited_s": position.waited_s,
            "images_per_second": images / (position.seconds + position.waited_s),
            "learning_rate": self.rate,
            "train_loss": statistics.fmean(position.losses),
            "train": self.evaluation.scores(self.built, self.sample),
            "validation": self.evaluation.scores(self.built, self.data.validation),
        }
        target = self.recipe.target
        if target is not None and target.part == "test":
            record["test"] = self.evaluation.scores(self.built, self.data.test)
        record["elapsed_s"] = position.elapsed_s = CLOCK() - self.begun
        position.epochs.append(record)
        position.losses, position.seconds, position.waited_s = [], 0.0, 0.0
        if position.target is None and _is_reached(target, record):
            assert target is not None
            reached = {"reached_epoch": record["epoch"], "seconds": record["elapsed_s"]}
            position.target = {**asdict(target), **reached}
        self._save()
        self._tell_epoch(record)

    # --- Determinism ---

    def _is_deterministic(self, values: Weights) -> bool:
        """Whether the first steps give the same bits twice; afterwards the network is as it was."""
        untouched = self.built.optimizer_state()
        found = []
        for _ in range(2):
            found.append(self._bits(min(TRIED_TWICE, self.batches.steps_per_epoch)))
            self.built.load(values)
            self.built.restore_optimizer(untouched)
            self.position = Position()
            self.rate = None
        return found[0] == found[1]

    def _bits(self, steps: int) -> str:
        """SHA-256 of losses and weights after the first ``steps``."""
        total = hashlib.sha256()
        for step in range(steps):
            self.position.step = self.position.stage_step = step
            self._prepare_step()
            batch = self.batches.at(step)
            loss = float(self.built.train_step(self.built.put(batch.images, batch.labels)))
            total.update(np.float64(loss).tobytes())
        for value in self.built.weights().values():
            total.update(np.ascontiguousarray(value).tobytes())
        return total.hexdigest()

    # --- What is kept and told ---

    @property
    def _checkpoint(self) -> Path:
        return self.folder / CHECKPOINT

    def _save(self) -> None:
        self.position.elapsed_s = CLOCK() - self.begun
        built = self.built
        checkpoint.save(
            self._checkpoint, self.identity, self.position, built.weights(), built.optimizer_state()
        )

    def _result(self) -> dict[str, Any]:
        """The answer: what the epochs measured, the test, and where the weights are."""
        position, path = self.position, self.folder.with_name(f"{self.folder.name}.safetensors")
        values = self.built.weights()
        weights.save(path, {key: value.astype(np.float32) for key, value in values.items()})
        logits = self.evaluation.logits(self.built, self.data.test)["main"]
        classes = max(2, self.network.classes)
        target = self.recipe.target
        missed = {**asdict(target), "reached_epoch": None, "seconds": None} if target else None
        return {
            "versions": self.framework.versions(),
            "digest": self.network.digest,
            "dropout": self.draws,
            "steps_per_epoch": self.batches.steps_per_epoch,
            "deterministic": position.deterministic,
            "batches_sha256": self._hashed(),
            "initial": position.initial,
            "epochs": position.epochs,
            "target": position.target or missed,
            "test": scores.report(self.network.loss, logits, self.data.test.labels, classes),
            "weights": {"file": path.name, "sha256": weights.sha256(path)},
        }

    def _hashed(self) -> str:
        """SHA-256 of the first steps' batches as this process makes them."""
        digests = (self.batches.digest(step) for step in range(min(HASHED, self.batches.steps_per_epoch)))
        return hashlib.sha256("".join(digests).encode()).hexdigest()

    def _tell(self, line: str) -> None:
        with (self.folder / LOG).open("a") as log:
            log.write(f"{line}\n")

    def _tell_step(self) -> None:
        position, steps = self.position, self.batches.steps_per_epoch
        done = position.stage_step % steps or steps
        speed = done * self.recipe.batch / (position.seconds + position.waited_s)
        self._tell(
            f"epoch {len(position.epochs) + 1}/{self._epochs}, step {done}/{steps}:"
            f" loss {position.losses[-1]:.4f}, {speed:,.1f} images/s, {self._left()} left"
        )

    def _tell_epoch(self, record: dict[str, Any]) -> None:
        reached = ", ".join(_said(head, score) for head, score in record["validation"].items())
        self._tell(
            f"epoch {record['epoch']}/{self._epochs}: loss {record['train_loss']:.4f},"
            f" validation {reached}, {record['images_per_second']:,.1f} images/s, {self._left()} left"
        )

    @property
    def _epochs(self) -> int:
        return sum(stage.epochs for stage in self.recipe.parts)

    def _left(self) -> str:
        """Minutes and seconds that this process will go on, by its pace so far."""
        begun, first = self.begun_at
        done = max(1, self.position.step - first)
        seconds = (
            (CLOCK() - begun) / done * (self._epochs * self.batches.steps_per_epoch - self.position.step)
        )
        return f"{round(seconds) // 60}:{round(seconds) % 60:02d}"


def _is_reached(target: Target | None, epoch: dict[str, Any]) -> bool:
    return target is not None and epoch[target.part]["main"]["accuracy"] >= target.accuracy


def _said(head: str, score: dict[str, float | None]) -> str:
    return f"{score['accuracy']:.4f}" if head == "main" else f"{head} {score['accuracy']:.4f}"


def has_dropout(network: Network) -> bool:
    return any(isinstance(node.layer, Dropout) and node.layer.rate > 0 for node in network.nodes)


def draw(seed: int, step: int) -> int:
    """What dropout's generator starts from in ``step``: 31 bits of a stream of its own."""
    return int(weights.raw_words((5 << 96) + (seed << 64) + step, 1)[0] >> np.uint64(33))


def fixed_sample(split: Split, count: int) -> Split:
    """``count`` images of ``split``, always the same."""
    order = np.argsort(weights.raw_words(SAMPLE_KEY, len(split)), kind="stable")
    return split.chosen(np.sort(order[:count]))
