"""Forks and trainings that ended without a result. Nothing about HTML."""

import dataclasses
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import results
from implementations.claims import titled


@dataclass(frozen=True)
class Failure:
    """Forks of one case that failed in the same way."""

    network: str
    task: str
    batch: int | None
    title: str  # of the framework
    reason: str
    forks: tuple[int, ...] = ()  # their numbers; none for a training


def read(folder: Path) -> tuple[Failure, ...]:
    """Failures of a run, those of one case and reason together; ``UserError`` for a damaged record."""
    forks: dict[Failure, list[int]] = defaultdict(list)
    for path in sorted((folder / "failures").glob("*.json")):
        content = results.read_json(path, "failure's record")
        try:
            failure = _failure(content)
            forks[failure] += [int(content["fork"])] if content.get("fork") else []
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            wrong = f"the failure's record lacks something ({type(error).__name__}: {error})"
            raise results.refused(path, wrong) from None
    return tuple(_with_forks(failure, numbers) for failure, numbers in forks.items())


def _failure(content: dict[str, Any]) -> Failure:
    batch = content.get("batch")
    return Failure(
        network=str(content["network"]),
        task=str(content["task"]),
        batch=None if batch is None else int(batch),
        title=titled(str(content["framework"]), content.get("exporter")),
        reason=str(content["reason"]),
    )


def _with_forks(failure: Failure, numbers: list[int]) -> Failure:
    return dataclasses.replace(failure, forks=tuple(sorted(numbers)))
