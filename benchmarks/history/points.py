"""From the rows of forks to points: what counts, what was measured beside it, and with what."""

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from benchmarks import comparisons, results
from benchmarks.history import filters as asking
from benchmarks.history import schema
from benchmarks.history.series import ForkRow, Point

ABOUT = ("system", "python", "cpu", "governor", "cpu_limit", "memory_limit_gib")  # of a machine
FORK = ("series_id", "run_id", "setup_id", "certificate", "images_per_second", "disturbances", "number")
Build = tuple[int, str, str]  # series, run, label
Proofs = Mapping[tuple[str, str], Mapping[str, float]]  # largest differences by run and certificate


class Asked:
    """The rows behind an answer: forks alone are many, so all else is read once and joined here."""

    def __init__(self, connection: Connection, filters: Mapping[str, Any]) -> None:
        self.forks = connection.execute(_query(filters)).all()
        self.series = {row.id: _key(row) for row in connection.execute(select(schema.SERIES))}
        self.runs = {row.id: row for row in connection.execute(select(schema.RUNS))}
        self.setups = {row.id: row for row in connection.execute(select(schema.SETUPS))}
        self.proofs = proofs(connection)
        self.ceilings = _ceilings(connection)
        self.environments: dict[tuple[str, int], Mapping[str, str]] = {}

    def points(self) -> dict[int, list[Point]]:
        """The points of each series, the oldest first."""
        found: dict[int, list[Point]] = defaultdict(list)
        for (series, run, label), forks in sorted(self._builds().items(), key=self._age):
            found[series].append(self._point(run, label, sorted(forks, key=lambda fork: fork[6])))
        return found

    def rows(self) -> list[ForkRow]:
        """Every proven fork by itself, by age of its run, series and number."""
        builds = sorted(self._builds().items(), key=self._age)
        return [self._row(fork) for _, forks in builds for fork in sorted(forks, key=lambda one: one[6])]

    def _row(self, fork: Any) -> ForkRow:
        about, setup = self.runs[fork.run_id], self.setups[fork.setup_id]
        return ForkRow(
            run=fork.run_id,
            started=utc(about.started),
            commit=about.commit_id,
            key=self.series[fork.series_id],
            label=setup.label,
            versions=setup.versions,
            number=fork.number,
            images_per_second=fork.images_per_second,
            disturbed=bool(fork.disturbances),
            metrics=dict(zip(schema.METRICS, fork[len(FORK) :], strict=True)),
        )

    def _builds(self) -> dict[Build, list[Any]]:
        """Proven forks, grouped here: the database would take longer to sort them."""
        labels = {number: setup.label for number, setup in self.setups.items()}
        found: dict[Build, list[Any]] = defaultdict(list)
        for fork in self.forks:
            if (fork[1], fork[3]) in self.proofs:
                found[fork[0], fork[1], labels[fork[2]]].append(fork)
        return found

    def _age(self, item: tuple[Build, object]) -> tuple[datetime.datetime, str, str]:
        (_, run, label), _ = item
        return self.runs[run].started, run, label

    def _point(self, run: str, label: str, forks: list[Any]) -> Point:
        counting = comparisons.counting(forks)
        last = forks[-1]
        about, setup = self.runs[run], self.setups[last.setup_id]
        return Point(
            run=run,
            started=utc(about.started),
            forks=tuple([fork[4] for fork in counting]),
            metrics=_metrics(counting),
            versions=setup.versions,
            commit=about.commit_id,
            disturbed=len([fork for fork in forks if fork[5]]),
            ceilings=self.ceilings.get(run, {}),
            sameness=self.proofs[run, last.certificate],
            environment=self._environment(run, last.setup_id),
            switches=setup.switches,
            label=label,
            preset=about.preset,
        )

    def _environment(self, run: str, setup: int) -> Mapping[str, str]:
        if (run, setup) not in self.environments:
            self.environments[run, setup] = _environment(self.runs[run], self.setups[setup])
        return self.environments[run, setup]


def _query(filters: Mapping[str, Any]) -> Any:
    forks, runs, series, setups = schema.FORKS.c, schema.RUNS.c, schema.SERIES.c, schema.SETUPS.c
    columns = [forks[name] for name in (*FORK, *schema.METRICS)]
    joined = (
        select(*columns)
        .join(schema.RUNS, forks.run_id == runs.id)
        .join(schema.SERIES, forks.series_id == series.id)
        .join(schema.SETUPS, forks.setup_id == setups.id)
    )
    return asking.of_forks(joined, filters)


def _key(row: Row[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in results.KEY}


def _metrics(forks: Sequence[Any]) -> dict[str, tuple[float, ...]]:
    """What could be known of all forks."""
    columns = zip(*[fork[len(FORK) :] for fork in forks], strict=True)
    found = zip(schema.METRICS, columns, strict=True)
    return {name: values for name, values in found if None not in values}


def _environment(about: Row[Any], setup: Row[Any]) -> dict[str, str]:
    machine = {name: about.machine.get(name) for name in ABOUT}
    driver = {"driver": (about.gpu or {}).get("driver")}
    found = {**machine, **driver, **setup.environment}
    return {name: str(value) for name, value in found.items() if value is not None}


def proofs(connection: Connection) -> Proofs:
    """The largest differences that every proof found that holds."""
    table = schema.CERTIFICATES.c
    query = select(table.run_id, table.certificate, table.largest).where(table.passed)
    return {(row.run_id, row.certificate): row.largest for row in connection.execute(query)}


def _ceilings(connection: Connection) -> dict[str, dict[str, float]]:
    """The highest of all frameworks, by run."""
    found: dict[str, dict[str, float]] = {}
    for row in connection.execute(select(schema.CEILINGS.c.run_id, schema.CEILINGS.c.reached)):
        highest = found.setdefault(row.run_id, {})
        highest |= {name: max(value, highest.get(name, 0.0)) for name, value in row.reached.items()}
    return found


def utc(moment: datetime.datetime) -> datetime.datetime:
    """``moment`` as databases keep it, with its zone."""
    return moment.replace(tzinfo=datetime.UTC)
