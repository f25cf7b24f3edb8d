"""The mutants as rows of a table: what each framework made of every slip. Nothing about HTML."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import results
from implementations.mutant_table import TASKS
from implementations.mutants import HARMLESS, MUTANTS
from implementations.network import place
from implementations.training_mutants import TRAINING_MUTANTS

LEVEL_OF_TRAININGS = 3


@dataclass(frozen=True)
class Slip:
    """One mutant; ``level`` and ``first`` are where it must be caught, none if it changes nothing."""

    slip: str
    network: str
    level: int | None
    first: str
    outcomes: tuple[bool | None, ...]  # in the order of ``Slips.frameworks``; None: not tried there


@dataclass(frozen=True)
class Slips:
    """The whole table; ``frameworks`` are those in which it was tried, with the builds of this run."""

    frameworks: tuple[str, ...]
    rows: tuple[Slip, ...]

    @property
    def escaped(self) -> int:
        """Slips that some framework's proof did not catch where it should."""
        return sum(False in row.outcomes for row in self.rows)


def read(folder: Path) -> Slips:
    """Every mutant of this checkout, with what a run's folder says of it."""
    records = sorted((_record(path) for path in (folder / "mutants").glob("*.json")), key=_place)
    found = [_by_slip(record) for record in records]
    return Slips(
        tuple(str(record["framework"]) for record in records),
        tuple(Slip(**about, outcomes=tuple(f.get(name) for f in found)) for name, about in _every()),
    )


def _every() -> Iterable[tuple[tuple[str, str], dict[str, Any]]]:
    """(kind, name) and description of every mutant, as the code has them."""
    for mutant in (*MUTANTS, *HARMLESS):
        level = None if mutant in HARMLESS else mutant.level
        about = {"slip": mutant.slip, "network": mutant.network, "level": level, "first": mutant.first}
        yield ("networks", mutant.name), about
    for training in TRAINING_MUTANTS:
        about = {"slip": training.slip, "network": "mlp", "level": LEVEL_OF_TRAININGS, "first": ""}
        yield ("trainings", training.name), about


def _record(path: Path) -> Mapping[str, Any]:
    record = results.read_json(path, "mutants' record")
    if not isinstance(record, dict) or not all(isinstance(record.get(kind), list) for kind in TASKS):
        raise results.refused(path, "the mutants' record is not one of this project's")
    return record


def _place(record: Mapping[str, Any]) -> tuple[int, str]:
    return place(record["framework"])


def _by_slip(record: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[tuple[str, str], bool]:
    """Whether each slip was caught in every way in which the framework can express it."""
    found: dict[tuple[str, str], bool] = {}
    for kind in TASKS:
        for row in record[kind]:
            key = (kind, str(row["name"]))
            found[key] = found.get(key, True) and row["caught"] is True
    return found
