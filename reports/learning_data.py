"""Trainings as rows of the page's tables and as curves. Nothing about HTML."""

from collections.abc import Iterable, Sequence
from typing import Any

from reports.columns import ends, short
from reports.queries import Report
from reports.sameness_data import BAD, GOOD, cell
from reports.training import Learned, Training
from reports.training_files import Curve

Row = dict[str, Any]


def rows(reports: Sequence[Report]) -> dict[str, list[Row]]:
    """Rows by table."""
    trainings = [(report.origin, training) for report in reports for training in report.trainings]
    return {
        "learned": [{**origin, **_learned(t, found)} for origin, t in trainings for found in t.learned],
        "samples": [
            {**origin, **row} for origin, t in trainings for curve in _firsts(t) for row in _samples(t, curve)
        ],
    }


def _learned(training: Training, found: Learned) -> Row:
    everyone = found.reached == found.seeds
    return {
        "network": training.task.network,
        "recipe": _recipe(training),
        "data": training.task.data,
        "name": found.framework,
        "seeds": found.seeds,
        "epochs": found.epochs,
        "accuracy": found.accuracy,
        "deviation": found.deviation,
        "lowest": found.lowest if found.seeds > 1 else None,
        "highest": found.highest if found.seeds > 1 else None,
        "loss": found.loss,
        "seconds": found.seconds_per_epoch,
        "waiting": found.waiting,
        "target": training.target,
        "reached": cell(f"{found.reached} of {found.seeds}", found.reached, tone=GOOD if everyone else BAD),
        "to_target": ends(found.seconds_to_target),
        "epochs_to_target": found.epochs_to_target,
    }


def _recipe(training: Training) -> str:
    task = training.task
    return f"{task.recipe}, {task.scale}" if task.scale else task.recipe


def _firsts(training: Training) -> Iterable[Curve]:
    """Each framework's first seed."""
    seen: set[str] = set()
    for curve in training.curves:
        if curve.framework not in seen:
            seen.add(curve.framework)
            yield curve


def _samples(training: Training, curve: Curve) -> Iterable[Row]:
    for sample in curve.test.samples if curve.test else ():
        right = sample.label == sample.predicted
        label, predicted = (_class(training, number) for number in (sample.label, sample.predicted))
        yield {
            "training": _recipe(training),
            "network": training.task.network,
            "name": curve.framework,
            "index": sample.index,
            "label": label,
            "predicted": cell(
                f"{'✓' if right else '✗'} {predicted}", int(right), tone=GOOD if right else BAD
            ),
            "probability": sample.probability,
        }


def _class(training: Training, number: int) -> str:
    names = training.task.classes
    return names[number] if 0 <= number < len(names) else str(number)


def training(training: Training) -> Row:
    """One task's curves, and the confusion of each framework's first seed."""
    task = training.task
    return {
        "title": f"{_recipe(training)} on {task.data}",
        "network": task.network,
        "about": _about(training),
        "classes": list(task.classes),
        "keys": [list(key) for key in training.keys],
        "curves": [_curve(training, curve) for curve in training.curves],
        "confusions": [
            {"name": c.framework, "seed": c.seed, "counts": [list(row) for row in c.test.confusion]}
            for c in _firsts(training)
            if c.test and c.test.confusion
        ],
    }


def _about(training: Training) -> str:
    task = training.task
    seeds = sorted({curve.seed for curve in training.curves})
    named = f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds"
    schedule = f", {task.schedule}" if task.schedule else ""
    return (
        f"{task.data}: {task.train_images:,} training and {task.test_images:,} test images. {task.network}, "
        f"{task.optimizer}{schedule}, batch {task.batch}, {task.steps_per_epoch:,} steps an epoch, {named}. "
        f"{task.test_images:,} test images tell one accuracy to ±{training.accuracy_error:.3f} "
        "(95\N{NO-BREAK SPACE}%): "
        "smaller differences of single runs say nothing about a framework."
    )


def _curve(training: Training, curve: Curve) -> Row:
    return {
        "name": curve.framework,
        "seed": curve.seed,
        "epoch": [epoch.number for epoch in curve.epochs],
        "elapsed": [short(epoch.elapsed_s) for epoch in curve.epochs],
        "rate": [short(epoch.learning_rate) for epoch in curve.epochs],
        "stage": [epoch.stage for epoch in curve.epochs],
        "values": [[short(epoch.values.get(key)) for epoch in curve.epochs] for key in training.keys],
    }
