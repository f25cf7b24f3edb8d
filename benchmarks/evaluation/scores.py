"""How good logits are: the metrics of every head, confusion, samples. NumPy float64 throughout."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.data.batches import filled
from benchmarks.data.images import Split
from benchmarks.data.preprocessing import Preprocessing
from benchmarks.recipes.recipe import METRICS, TOP, Metric
from implementations.network import Array, Built
from implementations.spec import Loss

Logits = NDArray[np.float64]
Labels = NDArray[np.int64]
LARGEST_BATCH = 1000
VALUES = 2**23  # input values of one batch: what GoogLeNet makes of 55 images of 224×224 fits into memory
RIGHT, WRONG = 3, 6  # samples that a result shows


@dataclass(frozen=True)
class Evaluation:
    """How splits of one data set are fed to a network for evaluation."""

    preprocessing: Preprocessing
    maximum: int
    rule: Loss
    batch: int
    metrics: tuple[Metric, ...] = METRICS

    def logits(self, built: Built, split: Split) -> dict[str, Logits]:
        """(n, classes) float64 of every head that was built, in inference mode."""
        found: dict[str, list[Array]] = {}
        for images, count in filled(split, self.batch, self.preprocessing, self.maximum):
            for head, logits in built.head_outputs(images).items():
                found.setdefault(head, []).append(logits[:count])
        return {head: np.concatenate(parts).astype(np.float64) for head, parts in found.items()}

    def scores(self, built: Built, split: Split) -> dict[str, dict[str, float | None]]:
        """The metrics of every head on ``split``."""
        logits = self.logits(built, split).items()
        return {head: of_head(self.rule, values, split.labels, self.metrics) for head, values in logits}


def batch_for(shape: tuple[int, ...], images: int) -> int:
    """How many images of ``shape`` are evaluated at a time, of ``images`` in all."""
    return max(1, min(LARGEST_BATCH, images, VALUES // int(np.prod(shape))))


def of_head(
    rule: Loss, logits: Logits, labels: Labels, metrics: Sequence[Metric] = METRICS
) -> dict[str, float | None]:
    """Means over the images: losses (``None`` where they are no numbers), shares from 0 to 1."""
    return {name: _METRICS[name](rule, logits, labels) for name in metrics}


def losses(rule: Loss, logits: Logits, labels: Labels) -> Logits:
    """(n,) what ``rule`` says of each image."""
    return _squares(rule, logits, labels) if rule.kind == "squared" else _entropies(rule, logits, labels)


def _squares(rule: Loss, logits: Logits, labels: Labels) -> Logits:
    """(n,) squared differences from the label's row, the mean over the classes."""
    shares = probabilities(rule, logits)
    return np.asarray(((shares - np.eye(shares.shape[1])[labels]) ** 2).mean(axis=1))


def _entropies(rule: Loss, logits: Logits, labels: Labels) -> Logits:
    """(n,) cross-entropies."""
    if rule.kind == "sigmoid":
        flat = logits.reshape(-1)
        return np.asarray(np.logaddexp(0, flat) - flat * labels)
    shifted = logits - logits.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(labels)), labels]
    return np.asarray(np.log(np.exp(shifted).sum(axis=1)) - picked)


def predicted(rule: Loss, logits: Logits) -> Labels:
    """(n,) classes."""
    if rule.kind == "sigmoid":
        return (logits.reshape(-1) > 0).astype(np.int64)
    return np.asarray(logits.argmax(axis=1), np.int64)


def probabilities(rule: Loss, logits: Logits) -> Logits:
    """(n, classes); two classes for one sigmoid unit."""
    if rule.kind == "sigmoid":
        second = np.exp(-np.logaddexp(0, -logits.reshape(-1)))
        return np.stack([1 - second, second], axis=1)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def report(rule: Loss, logits: Logits, labels: Labels, classes: int) -> dict[str, Any]:
    """What a result says of the test images: scores, top-5 accuracy, confusion, samples."""
    shares, found = probabilities(rule, logits), predicted(rule, logits)
    return {
        **of_head(rule, logits, labels),
        "top5": _top5(rule, logits, labels),
        "confusion": confusion(found, labels, classes).tolist(),
        "samples": _samples(shares, found, labels),
    }


def confusion(found: Labels, labels: Labels, classes: int) -> Labels:
    """(classes, classes) counts: a row a true class, a column a predicted one."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, found), 1)
    return counts


def _accuracy(rule: Loss, logits: Logits, labels: Labels) -> float:
    return float((predicted(rule, logits) == labels).mean())


def _top5(rule: Loss, logits: Logits, labels: Labels) -> float | None:
    """The share of images whose class is among the five likeliest; none where there are no more."""
    shares = probabilities(rule, logits)
    if shares.shape[1] <= TOP:
        return None
    best = np.argsort(-shares, axis=1, kind="stable")[:, :TOP]
    return float((best == labels[:, None]).any(axis=1).mean())


def _samples(shares: Logits, found: Labels, labels: Labels) -> list[dict[str, Any]]:
    """The first images that were recognised, and the surest mistakes."""
    surest = np.argsort(-shares.max(axis=1), kind="stable")
    right = np.flatnonzero(found == labels)[:RIGHT]
    wrong = [index for index in surest if found[index] != labels[index]][:WRONG]
    return [
        {
            "index": int(index),
            "label": int(labels[index]),
            "predicted": int(found[index]),
            "probability": float(shares[index, found[index]]) if np.isfinite(shares[index]).all() else None,
        }
        for index in (*right, *wrong)
    ]


def _mean_of(
    each: Callable[[Loss, Logits, Labels], Logits],
) -> Callable[[Loss, Logits, Labels], float | None]:
    """The metric that is the mean of ``each`` image's, ``None`` where it is no number."""

    def mean(rule: Loss, logits: Logits, labels: Labels) -> float | None:
        found = float(each(rule, logits, labels).mean())
        return found if np.isfinite(found) else None

    return mean


_METRICS: dict[Metric, Callable[[Loss, Logits, Labels], float | None]] = {
    "loss": _mean_of(losses),
    "accuracy": _accuracy,
    "top5": _top5,
    "cross_entropy": _mean_of(_entropies),
    "mean_squared_error": _mean_of(_squares),
}
