"""The table that ends a training: accuracy over seeds, time, and whether frameworks learn equally well."""

import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

from benchmarks.training.equivalence import MARGIN, compare

HEADINGS = (
    "recipe",
    "data",
    "framework",
    "seeds",
    "test accuracy",
    "validation",
    "s an epoch",
    "images/s",
    "target",
    "against the first",
)
Row = Mapping[str, Any]


def table(trainings: Iterable[Row]) -> Table:
    """A row a recipe and framework: means over its seeds, spread in brackets."""
    result = Table(
        title=f"Learning (equivalent: within {100 * MARGIN:.1f} points, two one-sided tests by seed)"
    )
    for heading in HEADINGS:
        result.add_column(heading)
    for (recipe, scale, data), by_framework in _grouped(trainings).items():
        first, *_ = by_framework
        for framework, rows in by_framework.items():
            verdict = "" if framework == first else _verdict(by_framework[first], rows)
            title = recipe if scale == "full" else f"{recipe}, {scale}"
            result.add_row(title, data, framework, str(len(rows)), *_cells(rows), verdict)
        result.add_section()
    return result


def _grouped(trainings: Iterable[Row]) -> dict[tuple[str, str, str], dict[str, list[Row]]]:
    groups: dict[tuple[str, str, str], dict[str, list[Row]]] = {}
    for row in trainings:
        key = (row["recipe"], row.get("scale", "full"), row["data"]["name"])
        groups.setdefault(key, {}).setdefault(row["framework"], []).append(row)
    return groups


def _cells(rows: list[Row]) -> tuple[str, ...]:
    seconds = [epoch["seconds"] for row in rows for epoch in row["epochs"]]
    speeds = [epoch["images_per_second"] for row in rows for epoch in row["epochs"] if _is_newer(row)]
    validation = [row["epochs"][-1]["validation"]["main"]["accuracy"] for row in rows if _is_newer(row)]
    return (
        _spread([accuracy(row) for row in rows]),
        _spread(validation),
        f"{statistics.median(seconds):.1f}",
        f"{statistics.median(speeds):,.0f}" if speeds else "",
        _target(rows),
    )


def _is_newer(row: Row) -> bool:
    return "test" in row


def accuracy(row: Row) -> float:
    """Test accuracy at the end, of a result of any schema."""
    return float(row["test"]["accuracy"] if _is_newer(row) else row["epochs"][-1]["test_accuracy"])


def _target(rows: list[Row]) -> str:
    """Seconds to the target, and how many seeds reached it."""
    targets = [row["target"] for row in rows if row.get("target")]
    reached = [target["seconds"] for target in targets if target["reached_epoch"]]
    if not targets:
        return ""
    asked = f"{targets[0]['accuracy']:.3f}"
    time = f" in {_spread(reached, digits=1)} s" if reached else ""
    return f"{asked}{time} ({len(reached)} of {len(targets)})"


def _verdict(first: list[Row], rows: list[Row]) -> str:
    by_seed, others = ({row["seed"]: accuracy(row) for row in side} for side in (first, rows))
    seeds = sorted(by_seed.keys() & others.keys())
    if not seeds:
        return ""
    found = compare([others[seed] for seed in seeds], [by_seed[seed] for seed in seeds])
    ends = f" ({100 * found.low:+.2f} to {100 * found.high:+.2f})" if found.seeds > 1 else ""
    return f"{found.verdict}: {100 * found.mean:+.2f} points{ends}"


def _spread(values: list[float], digits: int = 4) -> str:
    """Mean, and standard deviation in brackets from two values on."""
    if not values:
        return ""
    spread = f" ({statistics.stdev(values):.{digits}f})" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.{digits}f}{spread}"
