"""Training results as they are read from files, of every schema so far. Nothing about HTML."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from benchmarks import results

NEWEST = results.TRAINING_VERSION
COUNT = {"type": "integer", "minimum": 1}
TEXT = {"type": "string"}
FINITE = {"type": "number", "minimum": -1e300, "maximum": 1e300}
LOSS = {"anyOf": [FINITE, {"type": "null"}]}  # null: the loss was no number any more
SHARE = {"type": "number", "minimum": 0, "maximum": 1}
OBJECT = {"type": "object"}
ANY: dict[str, Any] = {}
MAIN, WEIGHTED = "main", "all heads, weighted"

Key = tuple[str, str, str]  # part, head, measure


def _fields(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _listed(**properties: Any) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": _fields(**properties)}


VERSION = {"type": "integer", "minimum": 1, "maximum": NEWEST}
COMMON = {
    "schema_version": VERSION,
    "recipe": TEXT,
    "framework": TEXT,
    "versions": {"type": "object", "additionalProperties": TEXT},
    "network": TEXT,
    "digest": TEXT,
    "optimizer": ANY,
    "batch": COUNT,
    "seed": {"type": "integer"},
    "steps_per_epoch": COUNT,
}
HEAD = {**_fields(accuracy=SHARE), "additionalProperties": LOSS}  # whatever else a recipe chose to record
HEADS = {"type": "object", "minProperties": 1, "additionalProperties": HEAD}
FIRST = _fields(
    **COMMON,
    data=_fields(title=TEXT, train_images=COUNT, test_images=COUNT, sha256=TEXT),
    initial=_fields(test_loss=LOSS, test_accuracy=SHARE),
    epochs=_listed(epoch=COUNT, train_loss=LOSS, test_loss=LOSS, test_accuracy=SHARE, seconds=FINITE),
)
EPOCH = _fields(
    epoch=COUNT,
    seconds=FINITE,
    elapsed_s=FINITE,
    learning_rate=FINITE,
    train_loss=LOSS,
    train=HEADS,
    validation=HEADS,
)
EPOCH["properties"]["test"] = HEADS  # only where a recipe asks for it
THIRD = _fields(
    **COMMON,
    scale=TEXT,
    data=_fields(title=TEXT, train_images=COUNT, test_images=COUNT, sha256=TEXT),
    initial=_fields(validation=HEADS),
    epochs={"type": "array", "minItems": 1, "items": EPOCH},
    target={"anyOf": [_fields(accuracy=SHARE, part=TEXT), {"type": "null"}]},
    test={"anyOf": [_fields(loss=LOSS, accuracy=SHARE), {"type": "null"}]},
)


@dataclass(frozen=True)
class Epoch:
    """The state after an epoch; epoch 0 is before the first step."""

    number: int
    values: Mapping[Key, float | None]
    seconds: float | None = None  # of its training steps alone
    elapsed_s: float = 0.0  # from the first step
    learning_rate: float | None = None
    stage: str = ""
    waited_s: float | None = None  # for data


@dataclass(frozen=True)
class Sample:
    """One test image and what was predicted for it."""

    index: int
    label: int
    predicted: int
    probability: float


@dataclass(frozen=True)
class Test:
    """The trained network on the test images."""

    loss: float | None
    accuracy: float
    top5: float | None
    confusion: tuple[tuple[int, ...], ...]  # rows are true classes; empty if not recorded
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Curve:
    """One training: a framework and a seed."""

    framework: str
    seed: int
    versions: Mapping[str, str]
    certificate: str
    epochs: tuple[Epoch, ...]  # from epoch 0
    target: tuple[str, float] | None  # part and accuracy it was to reach
    test: Test | None
    deterministic: bool | None

    @property
    def last(self) -> Epoch:
        return self.epochs[-1]


@dataclass(frozen=True)
class Task:
    """What curves must share to be laid over each other."""

    recipe: str
    scale: str
    network: str
    digest: str
    data: str  # title
    data_sha256: str
    classes: tuple[str, ...]
    train_images: int
    test_images: int
    optimizer: str
    schedule: str
    batch: int
    steps_per_epoch: int


def read(folder: Path) -> list[tuple[Task, Curve]]:
    """Every training of a run; ``UserError`` for a damaged file."""
    return [_read_one(path) for path in sorted((folder / "training").glob("*.json"))]


def _read_one(path: Path) -> tuple[Task, Curve]:
    content = results.read_json(path, "training's result")
    newer = isinstance(content, dict) and content.get("schema_version") in range(3, NEWEST + 1)
    error = next(jsonschema.Draft202012Validator(THIRD if newer else FIRST).iter_errors(content), None)
    if error is not None:
        place = "/".join(map(str, error.absolute_path)) or "the top"
        wrong = f"the training's result is not one of this project's ({place}: {error.message[:120]})"
        raise results.refused(path, wrong)
    return _task(content), _curve(path, content, newer)


def _task(content: Mapping[str, Any]) -> Task:
    data = content["data"]
    return Task(
        scale=str(content.get("scale", "")),
        data=data["title"],
        data_sha256=data["sha256"],
        classes=tuple(map(str, data.get("classes", ()))),
        train_images=data["train_images"],
        test_images=data["test_images"],
        optimizer=_words(content["optimizer"]),
        schedule=_words(content.get("schedule")),
        **{name: content[name] for name in ("recipe", "network", "digest", "batch", "steps_per_epoch")},
    )


def _words(value: Any) -> str:
    """An optimizer or schedule, which is text or a table: ``step (every 8, factor 0.96)``."""
    if not isinstance(value, dict):
        return "" if value is None else str(value)
    settings = ", ".join(f"{name} {setting}" for name, setting in value.items() if name != "kind")
    kind = str(value.get("kind", ""))
    return f"{kind} ({settings})" if kind and settings else kind or settings


def _curve(path: Path, content: Mapping[str, Any], newer: bool) -> Curve:
    target = content.get("target")
    try:
        return Curve(
            framework=content["framework"],
            seed=content["seed"],
            versions=content["versions"],
            certificate=str(content.get("certificate")),
            epochs=_epochs(content) if newer else _first_epochs(content),
            target=(str(target["part"]), float(target["accuracy"])) if target else None,
            test=_test(content.get("test")),
            deterministic=content.get("deterministic"),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        wrong = f"the training's result lacks something ({type(error).__name__}: {error})"
        raise results.refused(path, wrong) from None


def _first_epochs(content: Mapping[str, Any]) -> tuple[Epoch, ...]:
    """Of schema 1 and 2, which have one head, one seed, and the test images in each epoch."""
    elapsed = itertools.accumulate(epoch["seconds"] for epoch in content["epochs"])
    return (
        Epoch(0, _tested(content["initial"])),
        *(
            Epoch(epoch["epoch"], _tested(epoch), epoch["seconds"], taken)
            for epoch, taken in zip(content["epochs"], elapsed, strict=True)
        ),
    )


def _tested(state: Mapping[str, Any]) -> dict[Key, float | None]:
    found = {("test", MAIN, name): state[f"test_{name}"] for name in ("accuracy", "loss")}
    return {**found, **_stepped(state)}


def _stepped(state: Mapping[str, Any]) -> dict[Key, float | None]:
    return {("training steps", WEIGHTED, "loss"): state["train_loss"]} if "train_loss" in state else {}


def _epochs(content: Mapping[str, Any]) -> tuple[Epoch, ...]:
    return (
        Epoch(0, dict(_of_heads("validation", content["initial"]["validation"]))),
        *(
            Epoch(
                number=epoch["epoch"],
                values={
                    **dict(_of_heads("validation", epoch["validation"])),
                    **dict(_of_heads("test", epoch.get("test", {}))),
                    **dict(_of_heads("training", epoch["train"])),
                    **_stepped(epoch),
                },
                seconds=epoch["seconds"],
                elapsed_s=epoch["elapsed_s"],
                learning_rate=epoch["learning_rate"],
                stage=str(epoch.get("stage") or ""),
                waited_s=epoch.get("waited_s"),
            )
            for epoch in content["epochs"]
        ),
    )


def _of_heads(part: str, heads: Mapping[str, Any]) -> Iterable[tuple[Key, float | None]]:
    for head, values in heads.items():
        for measure in sorted(values):
            yield (part, head, measure), values[measure]


def _test(found: Mapping[str, Any] | None) -> Test | None:
    if found is None:
        return None
    return Test(
        loss=found["loss"],
        accuracy=found["accuracy"],
        top5=found.get("top5"),
        confusion=tuple(tuple(int(count) for count in row) for row in found.get("confusion") or ()),
        samples=tuple(_sample(sample) for sample in found.get("samples") or ()),
    )


def _sample(found: Mapping[str, Any]) -> Sample:
    index, label, predicted = (int(found[name]) for name in ("index", "label", "predicted"))
    return Sample(index, label, predicted, float(found["probability"]))
