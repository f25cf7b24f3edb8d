"""Training results as curves that may be laid over each other. Nothing about HTML."""

import math
import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from benchmarks import results
from implementations.network import place

COUNT = {"type": "integer", "minimum": 1}
TEXT = {"type": "string"}
FINITE = {"type": "number", "minimum": -1e300, "maximum": 1e300}
LOSS = {"anyOf": [FINITE, {"type": "null"}]}  # null: the loss was no number any more
SHARE = {"type": "number", "minimum": 0, "maximum": 1}


def _fields(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


SCHEMA = _fields(
    schema_version={"type": "integer", "minimum": 1, "maximum": results.SCHEMA_VERSION},
    recipe=TEXT,
    framework=TEXT,
    versions={"type": "object", "additionalProperties": TEXT},
    network=TEXT,
    digest=TEXT,
    data=_fields(title=TEXT, train_images=COUNT, test_images=COUNT, sha256=TEXT),
    optimizer=TEXT,
    batch=COUNT,
    seed={"type": "integer"},
    steps_per_epoch=COUNT,
    initial=_fields(test_loss=LOSS, test_accuracy=SHARE),
    epochs={
        "type": "array",
        "minItems": 1,
        "items": _fields(epoch=COUNT, train_loss=LOSS, test_loss=LOSS, test_accuracy=SHARE, seconds=FINITE),
    },
)


@dataclass(frozen=True)
class Epoch:
    """The state after an epoch; epoch 0 is before the first step."""

    number: int
    train_loss: float | None  # mean over the epoch's steps
    test_loss: float | None
    test_accuracy: float  # 0 to 1
    seconds: float | None


@dataclass(frozen=True)
class Curve:
    """One framework's training."""

    framework: str
    versions: Mapping[str, str]
    certificate: str
    epochs: tuple[Epoch, ...]  # from epoch 0

    @property
    def last(self) -> Epoch:
        return self.epochs[-1]

    @property
    def seconds_per_epoch(self) -> float:
        """Median over the epochs."""
        return statistics.median(epoch.seconds for epoch in self.epochs if epoch.seconds is not None)


@dataclass(frozen=True)
class Task:
    """What curves must share to be laid over each other."""

    recipe: str
    network: str
    digest: str
    data: str  # title
    data_sha256: str
    train_images: int
    test_images: int
    optimizer: str
    batch: int
    seed: int
    steps_per_epoch: int


@dataclass(frozen=True)
class Training:
    """One task and its curves, by framework."""

    task: Task
    curves: tuple[Curve, ...]

    @property
    def accuracy_error(self) -> float:
        """Half the 95 % interval that the number of test images alone gives one accuracy (binomial)."""
        accuracy = max(curve.last.test_accuracy for curve in self.curves)
        return 1.96 * math.sqrt(accuracy * (1 - accuracy) / self.task.test_images)


def read(folder: Path) -> list[tuple[Task, Curve]]:
    """Every training of a run; ``UserError`` for a damaged file."""
    return [_read_one(path) for path in sorted((folder / "training").glob("*.json"))]


def grouped(found: list[tuple[Task, Curve]]) -> tuple[Training, ...]:
    """Curves of the same task together, in the order of the table of adapters."""
    tasks: dict[Task, list[Curve]] = defaultdict(list)
    for task, curve in found:
        tasks[task].append(curve)
    ordered = {task: sorted(curves, key=lambda c: place(c.framework)) for task, curves in tasks.items()}
    return tuple(Training(task, tuple(curves)) for task, curves in ordered.items())


def _read_one(path: Path) -> tuple[Task, Curve]:
    content = results.read_json(path, "training's result")
    error = next(jsonschema.Draft202012Validator(SCHEMA).iter_errors(content), None)
    if error is not None:
        place = "/".join(map(str, error.absolute_path)) or "the top"
        wrong = f"the training's result is not one of this project's ({place}: {error.message[:120]})"
        raise results.refused(path, wrong)
    data = content["data"]
    names = ("recipe", "network", "digest", "optimizer", "batch", "seed", "steps_per_epoch")
    task = Task(
        data=data["title"],
        data_sha256=data["sha256"],
        train_images=data["train_images"],
        test_images=data["test_images"],
        **{name: content[name] for name in names},
    )
    start = Epoch(0, None, content["initial"]["test_loss"], content["initial"]["test_accuracy"], None)
    epochs = (start, *(_epoch(epoch) for epoch in content["epochs"]))
    return task, Curve(content["framework"], content["versions"], str(content.get("certificate")), epochs)


def _epoch(content: Mapping[str, Any]) -> Epoch:
    names = ("train_loss", "test_loss", "test_accuracy", "seconds")
    return Epoch(content["epoch"], *(content[name] for name in names))
