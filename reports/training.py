"""Trainings of one task side by side: accuracies with their spread, time to accuracy. Nothing about HTML."""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks import intervals
from benchmarks.intervals import Interval
from implementations.network import place
from reports.training_files import Curve, Key, Task

PARTS = ("test", "validation")  # where an accuracy counts, the first that there is


@dataclass(frozen=True)
class Learned:
    """One framework's trainings of a task, over its seeds."""

    framework: str
    seeds: int
    epochs: int
    accuracy: float  # mean over seeds, after the last epoch
    deviation: float | None  # standard deviation over seeds; None for one
    lowest: float
    highest: float
    loss: float | None  # None: it was no number any more
    seconds_per_epoch: float  # median over epochs and seeds
    waiting: float | None  # share of the training time that waited for data
    reached: int  # seeds that came to the target
    seconds_to_target: Interval | None  # over the seeds that did
    epochs_to_target: float | None  # median


@dataclass(frozen=True)
class Training:
    """One task and its curves, by framework and seed."""

    task: Task
    curves: tuple[Curve, ...]

    @property
    def keys(self) -> tuple[Key, ...]:
        """All that was recorded, (part, head, measure), in the files' order."""
        return tuple(dict.fromkeys(key for c in self.curves for epoch in c.epochs for key in epoch.values))

    @property
    def part(self) -> str:
        """The images on which an accuracy counts."""
        tested = all(curve.test is not None for curve in self.curves)
        return "test" if tested else self.watched[0]

    @property
    def watched(self) -> tuple[str, str]:
        """Part and head whose accuracy the epochs show: where the target is asked for, if it is there."""
        found = [(part, head) for part, head, measure in self.keys if measure == "accuracy"]
        parts = [*(curve.target[0] for curve in self.curves if curve.target), *PARTS]
        return min(found, key=lambda each: parts.index(each[0]) if each[0] in parts else len(parts))

    @property
    def accuracy_error(self) -> float:
        """Half the 95 % interval that the number of test images alone gives one accuracy (binomial)."""
        accuracy = max(map(self.accuracy, self.curves))
        return 1.96 * math.sqrt(accuracy * (1 - accuracy) / self.task.test_images)

    def accuracy(self, curve: Curve) -> float:
        """After the last epoch, on the images where it counts."""
        if self.part == "test" and curve.test is not None:
            return curve.test.accuracy
        return self._watched(curve)[-1]

    def loss(self, curve: Curve) -> float | None:
        if self.part == "test" and curve.test is not None:
            return curve.test.loss
        return curve.last.values.get((*self.watched, "loss"))

    @property
    def target(self) -> float:
        """The accuracy whose time is compared: the recipe's, else the highest hundredth that all reached."""
        asked = [curve.target[1] for curve in self.curves if curve.target]
        least = min(max(self._watched(curve)) for curve in self.curves)
        return max(asked) if asked else math.floor(100 * least) / 100

    @property
    def learned(self) -> tuple[Learned, ...]:
        by_framework: dict[str, list[Curve]] = defaultdict(list)
        for curve in self.curves:
            by_framework[curve.framework].append(curve)
        return tuple(self._learned(curves) for curves in by_framework.values())

    def _learned(self, curves: Sequence[Curve]) -> Learned:
        accuracies = [self.accuracy(curve) for curve in curves]
        losses = [loss for curve in curves if (loss := self.loss(curve)) is not None]
        seconds = [epoch.seconds for c in curves for epoch in c.epochs if epoch.seconds is not None]
        waited = [epoch.waited_s for c in curves for epoch in c.epochs if epoch.waited_s is not None]
        reached = [found for curve in curves if (found := self._reached(curve)) is not None]
        times = [taken for _, taken in reached if taken > 0]
        return Learned(
            framework=curves[0].framework,
            seeds=len(curves),
            epochs=max(curve.last.number for curve in curves),
            accuracy=statistics.fmean(accuracies),
            deviation=statistics.stdev(accuracies) if len(accuracies) > 1 else None,
            lowest=min(accuracies),
            highest=max(accuracies),
            loss=statistics.fmean(losses) if len(losses) == len(curves) else None,
            seconds_per_epoch=statistics.median(seconds),
            waiting=sum(waited) / sum(seconds) if waited and sum(seconds) else None,
            reached=len(reached),
            seconds_to_target=intervals.of_forks(times) if times else None,
            epochs_to_target=statistics.median(number for number, _ in reached) if reached else None,
        )

    def _reached(self, curve: Curve) -> tuple[int, float] | None:
        """Epoch and seconds after which the target was first reached."""
        values = zip(curve.epochs, self._watched(curve), strict=True)
        return next(((e.number, e.elapsed_s) for e, value in values if value >= self.target), None)

    def _watched(self, curve: Curve) -> list[float]:
        return [float(epoch.values.get((*self.watched, "accuracy")) or 0.0) for epoch in curve.epochs]


def grouped(found: Iterable[tuple[Task, Curve]]) -> tuple[Training, ...]:
    """Curves of the same task together, by the table of adapters, then by seed."""
    tasks: dict[Task, list[Curve]] = defaultdict(list)
    for task, curve in found:
        tasks[task].append(curve)
    return tuple(Training(task, tuple(sorted(tasks[task], key=_order))) for task in tasks)


def _order(curve: Curve) -> tuple[tuple[int, str], int]:
    return place(curve.framework), curve.seed
