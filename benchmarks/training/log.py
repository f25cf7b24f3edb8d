"""What a training says while it runs: lines in a log, which the parent follows."""

from pathlib import Path
from typing import Any

from benchmarks.measure import CLOCK
from benchmarks.recipes.recipe import Recipe
from benchmarks.training.checkpoint import Position

LOG = "log.txt"
TOLD_EVERY_S = 10.0


class Log:
    """Lines about one training; the time that is left is told by this process's own pace."""

    def __init__(self, path: Path, recipe: Recipe, steps_per_epoch: int) -> None:
        self.path, self.recipe, self.steps = path, recipe, steps_per_epoch
        self.epochs = sum(stage.epochs for stage in recipe.parts)
        self.told_at = self.begun = CLOCK()
        self.first = 0

    def begin(self, step: int) -> None:
        """The first step of this process follows, after ``step`` others."""
        self.told_at = self.begun = CLOCK()
        self.first = step

    def line(self, text: str) -> None:
        with self.path.open("a") as log:
            log.write(f"{text}\n")

    def step(self, position: Position) -> None:
        """Where the epoch stands, if that was not told just now."""
        if CLOCK() - self.told_at < TOLD_EVERY_S or not position.losses:
            return
        self.told_at = CLOCK()
        done = len(position.losses)
        speed = done * self.recipe.batch / (position.seconds + position.waited_s)
        self.line(
            f"epoch {len(position.epochs) + 1}/{self.epochs}, step {done}/{self.steps}:"
            f" loss {position.losses[-1]:.4f}, {speed:,.1f} images/s, {self._left(position.step)} left"
        )

    def epoch(self, position: Position) -> None:
        """What the last epoch came to."""
        record = position.epochs[-1]
        stage = f", {record['stage']}" if len(self.recipe.parts) > 1 else ""
        reached, tested = (_accuracies(record.get(part, {})) for part in ("validation", "test"))
        tested = tested and f", test {tested}"
        self.line(
            f"epoch {record['epoch']}/{self.epochs}{stage}: loss {record['train_loss']:.4f},"
            f" validation accuracy {reached}{tested}, {record['images_per_second']:,.1f} images/s,"
            f" {self._left(position.step)} left"
        )

    def _left(self, step: int) -> str:
        """Minutes and seconds."""
        done = max(1, step - self.first)
        seconds = (CLOCK() - self.begun) / done * (self.epochs * self.steps - step)
        return f"{round(seconds) // 60}:{round(seconds) % 60:02d}"


def _accuracies(heads: dict[str, Any]) -> str:
    return ", ".join(_said(head, score) for head, score in heads.items())


def _said(head: str, score: dict[str, Any]) -> str:
    return f"{score['accuracy']:.4f}" if head == "main" else f"{head} {score['accuracy']:.4f}"
