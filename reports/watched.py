"""Series of the history as nights: every metric watched of every case, and what each night ran with."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.history.series import Point, Series, TrainingRow
from benchmarks.regression import changes, nights
from benchmarks.regression.expectations import Nights
from benchmarks.regression.metrics import METRICS, SPEED, Metric
from benchmarks.regression.nights import Values

CASE = ("network", "task", "batch", "framework", "exporter", "policy")
LONGEST = 12  # characters of a commit


@dataclass(frozen=True)
class Night:
    """One night of one metric: a value a fork, of all runs of that night."""

    date: datetime.date
    forks: tuple[float, ...]
    runs: tuple[str, ...]
    state: Mapping[str, str]  # versions, commit, machine, switches
    ceilings: Mapping[str, float]

    def __add__(self, other: "Night") -> "Night":
        ceilings = {
            name: max(self.ceilings.get(name, 0.0), other.ceilings.get(name, 0.0))
            for name in {*self.ceilings, *other.ceilings}
        }
        return replace(
            self,
            forks=self.forks + other.forks,
            runs=tuple(dict.fromkeys(self.runs + other.runs)),
            state=other.state,
            ceilings=ceilings,
        )


@dataclass(frozen=True)
class Watched:
    """One metric of one case, night by night, the oldest first."""

    case: tuple[Any, ...]  # network, task, batch, framework, exporter, policy
    identity: tuple[Any, ...]  # of the series, whole
    machine: str
    metric: Metric
    nights: tuple[Night, ...]
    among_machines: bool = False  # whether more than one is watched, so that a title must name it

    @property
    def title(self) -> str:
        title = " ".join(str(part) for part in self.case if part is not None)
        return f"{title} ({self.machine})" if self.among_machines and self.machine else title

    def arrays(self) -> Nights:
        """What verdicts are made of."""
        return as_nights([night.forks for night in self.nights])

    def of(self, chosen: Iterable[Night]) -> "Watched":
        return replace(self, nights=tuple(chosen))


def as_nights(forks: Sequence[Sequence[float]]) -> Nights:
    """(nights,) values of nights with any number of forks each."""
    pairs = [nights.values(values) for values in forks]
    values, within = (np.array([float(pair[place]) for pair in pairs]) for place in (0, 1))
    return Nights(values, within, np.array([len(each) for each in forks], float))


def watched(series: Iterable[Series], trainings: Iterable[TrainingRow] = ()) -> list[Watched]:
    """All that is watched of ``series`` and ``trainings``."""
    found = [
        one for each in series for label, points in _builds(each) for one in _of_points(each, label, points)
    ]
    if len({one.machine for one in found}) > 1:
        found = [replace(one, among_machines=True) for one in found]
    return [*found, *_of_trainings(trainings)]


def _builds(series: Series) -> Iterator[tuple[str, list[Point]]]:
    builds: dict[str, list[Point]] = defaultdict(list)
    for point in series.points:
        builds[point.label].append(point)
    yield from builds.items()


def _of_points(series: Series, label: str, points: Sequence[Point]) -> Iterator[Watched]:
    key = {
        **series.key,
        "framework": f"{series.key['framework']}@{label}" if label else series.key["framework"],
    }
    identity, case = tuple(key.values()), tuple(key[name] for name in CASE)
    for metric in METRICS.values():
        made = [night for point in points if (night := _night(point, metric)) is not None]
        if made and max(max(night.forks) for night in made) >= metric.least:
            yield Watched(case, identity, str(series.key["machine"]), metric, _merged(made))


def _night(point: Point, metric: Metric) -> Night | None:
    """A point as a night of one metric; ``None`` where it was not measured, or is no number above 0."""
    if metric is SPEED:
        values = point.forks
    elif metric.name == "difference":
        values = (max(point.sameness.values()),) if point.sameness else ()
    else:
        values = point.metrics.get(metric.name, ())
    if not values or min(values) <= 0:
        return None
    return Night(point.night, tuple(values), (point.run,), _state(point), point.ceilings)


def _state(point: Point) -> dict[str, str]:
    return {
        **point.versions,
        **point.environment,
        **{f"switch {name}": value for name, value in point.switches.items()},
        "commit": point.commit[:LONGEST],
    }


def _merged(made: Iterable[Night]) -> tuple[Night, ...]:
    """One of each date."""
    dates: dict[datetime.date, Night] = {}
    for night in made:
        dates[night.date] = dates[night.date] + night if night.date in dates else night
    return tuple(dates[date] for date in sorted(dates))


def _of_trainings(trainings: Iterable[TrainingRow]) -> Iterator[Watched]:
    found: dict[tuple[Any, ...], list[Night]] = defaultdict(list)
    for row in trainings:
        case = (row.network, "accuracy", row.batch, row.framework, None, row.recipe)
        identity = (*case, row.scale, row.digest, row.optimizer, row.seed, row.data_sha256)
        state = {**row.versions, "commit": row.commit[:LONGEST]}
        error = max(1 - row.test_accuracy, 1e-6)
        found[identity].append(Night(row.night, (error,), (row.run,), state, {}))
    for identity, made in found.items():
        yield Watched(identity[:6], identity, "", METRICS["error"], _merged(made))


# --- Along the history ------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """Where a level changed for good: the new one's first night, by how much, and what changed with it."""

    date: datetime.date
    ratio: float  # new level over old
    because: tuple[str, ...]  # what differs from the night before; empty if nothing that is recorded does


def steps(one: Watched) -> list[Step]:
    """All changes of level along the nights of ``one``, the oldest first."""
    values = one.arrays().values
    if len(values) < 2 * changes.SHORTEST:
        return []
    return [
        Step(one.nights[change.night].date, change.ratio, tuple(since(one, change.night)))
        for change in changes.changes(values, deviation(values, one.metric.floor))
    ]


def deviation(values: Values, floor: float) -> float:
    """Of one night, by the differences from night to night, which a step hardly touches."""
    return max(floor, float(np.sqrt(nights.level(np.diff(values))[1].variance / 2)))


def since(one: Watched, night: int) -> list[str]:
    """What the ``night``-th night ran with that the one before did not."""
    return changes.attributed([each.state for each in one.nights], night)
