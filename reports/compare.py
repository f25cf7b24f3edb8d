"""Two selections side by side: a ratio with its interval and a verdict for every case, and their mean."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import intervals
from benchmarks.history.series import Series
from benchmarks.intervals import Interval
from benchmarks.regression import pairs
from benchmarks.regression.nights import value_of_forks
from benchmarks.regression.pairs import Told
from implementations.errors import UserError
from reports.selections import Selection
from reports.tables import Table

WORK = ("network", "task", "batch", "framework", "exporter")
# What must be alike, or a ratio means something else; each may be what both selections name.
ALIKE = ("machine", "device_model", "provider", "digest", "precision", "policy", "threads", "method_version")
HEADINGS = ("case", "A images/s", "B images/s", "A / B", "95 % interval", "verdict", "why")
NAMED_TOGETHER = {"framework": ("framework", "exporter"), "policy": ("policy", "precision")}


@dataclass(frozen=True)
class Row:
    """One case on both sides."""

    case: str
    above: tuple[float, ...]
    below: tuple[float, ...]
    unit: str  # "forks", or "nights" where both sides have enough of them
    unlike: tuple[str, ...]  # what differs that should not, in words

    @property
    def told(self) -> Told:
        return pairs.told(self.above, self.below, self.unit)


@dataclass(frozen=True)
class Compared:
    """All cases that both sides have."""

    names: tuple[str, str]
    rows: tuple[Row, ...]
    alone: tuple[str, ...]  # cases of one side only

    @property
    def mean(self) -> Interval:
        return intervals.mean_ratio([(row.above, row.below) for row in self.rows])


def compared(a: Selection, b: Selection, force: bool = False) -> Compared:
    """Every case of ``a`` and ``b``; ``UserError`` if none is shared, or what must be alike is not."""
    free = {field for name in a.fields & b.fields for field in NAMED_TOGETHER.get(name, (name,))}
    above, below = (_by_case(side, free) for side in (a, b))
    shared = [case for case in above if case in below]
    if not shared:
        raise UserError(
            "the two have no case in common",
            given=f"{a.text} and {b.text}",
            allowed=f"selections that share {', '.join(name for name in WORK if name not in free)}",
            todo=f"ask for others; A has {_listed(above)}; B has {_listed(below)}",
        )
    rows = [row for case in shared for row in _rows(case, above[case], below[case], free)]
    unlike = next((row for row in rows if row.unlike), None)
    if unlike is not None and not force:
        raise UserError(
            "the two are not alike, so their ratio would mean something else",
            given=f"{unlike.case}: {'; '.join(unlike.unlike)}",
            allowed=f"the same {', '.join(ALIKE)} on both sides, or a difference that both filters name",
            todo="narrow the selections, or compare all the same with --force",
        )
    alone = [
        f"{_shown(c)} ({n})"
        for n, s, o in (("A", above, below), ("B", below, above))
        for c in s
        if c not in o
    ]
    return Compared((a.text, b.text), tuple(rows), tuple(alone))


def _by_case(side: Selection, free: set[str]) -> dict[tuple[Any, ...], list[Series]]:
    found: dict[tuple[Any, ...], list[Series]] = defaultdict(list)
    for series in side.series:
        for one in _builds(series):
            found[tuple(one.key[name] for name in WORK if name not in free)].append(one)
    return dict(sorted(found.items(), key=lambda item: str(item[0])))


def _builds(series: Series) -> Iterator[Series]:
    """A series for each labelled build in it."""
    for label in dict.fromkeys(point.label for point in series.points):
        points = tuple(point for point in series.points if point.label == label)
        named = {**series.key, "framework": f"{series.key['framework']}@{label}"} if label else series.key
        yield Series(named, points)


def _rows(
    case: tuple[Any, ...], above: Sequence[Series], below: Sequence[Series], free: set[str]
) -> Iterator[Row]:
    """A row for each pair that is alike; where none is, for the first of either side, which says so."""
    alike = [(a, b) for a in above for b in below if not _unlike(a.key, b.key, free)]
    for a, b in alike or [(above[0], below[0])]:
        yield _row(case, a, b, _unlike(a.key, b.key, free), len(alike) > 1)


def _unlike(a: Mapping[str, Any], b: Mapping[str, Any], free: set[str]) -> tuple[str, ...]:
    names = (name for name in ALIKE if name not in free and a[name] != b[name])
    return tuple(f"{name} {_short(a[name])} against {_short(b[name])}" for name in names)


def _short(value: object) -> str:
    text = str(value)
    return f"{text[:12]}…" if len(text) > 40 else text


def _row(case: tuple[Any, ...], a: Series, b: Series, unlike: tuple[str, ...], several: bool) -> Row:
    above, below = (_nightly(series) for series in (a, b))
    unit = "nights" if min(len(above), len(below)) >= intervals.FEWEST_FORKS else "forks"
    if unit == "forks":
        above, below = (tuple(fork for point in s.points for fork in point.forks) for s in (a, b))
    added = f" {a.key['policy']} {a.key['precision']}" if several else ""
    return Row(_shown(case) + added, above, below, unit, unlike)


def _nightly(series: Series) -> tuple[float, ...]:
    """Images/s, one value a night."""
    nights: dict[Any, list[float]] = defaultdict(list)
    for point in series.points:
        nights[point.night] += point.forks
    return tuple(value_of_forks(forks) for forks in nights.values())


def _shown(case: tuple[Any, ...]) -> str:
    return " ".join(str(part) for part in case if part is not None)


def _listed(cases: Mapping[tuple[Any, ...], object]) -> str:
    names = [_shown(case) for case in cases]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


# --- What is said -----------------------------------------------------------------------------


def table(found: Compared) -> Table:
    """The comparison as a table."""
    told = [row.told for row in found.rows]
    mean = found.mean
    counts = {v: sum(t.verdict == v for t in told) for v in ("faster", "same", "slower", "undecided")}
    counted = ", ".join(f"{number} {verdict}" for verdict, number in counts.items() if number)
    answer = f"A / B = {mean.value:.3f} ({_ends(mean)}) over {len(told)} cases: A is {counted}"
    nightless = any(row.unit == "forks" for row in found.rows)
    notes = [
        f"A: {found.names[0]}",
        f"B: {found.names[1]}",
        *(
            ["Of forks, not nights: how far one night lies from the next is not in these intervals."]
            * nightless
        ),
        *([f"On one side only: {', '.join(found.alone)}"] if found.alone else []),
    ]
    return Table(
        answer, HEADINGS, [_cells(r, t) for r, t in zip(found.rows, told, strict=True)], notes, _data(found)
    )


def _cells(row: Row, told: Told) -> list[str]:
    sides = (
        f"{intervals.of_forks(side).value:,.1f} ({len(side)} {row.unit})" for side in (row.above, row.below)
    )
    why = f"NOT ALIKE: {'; '.join(row.unlike)}" if row.unlike else told.reason
    return [row.case, *sides, f"{told.ratio.value:.3f}", _ends(told.ratio), told.verdict, why]


def _ends(interval: Interval) -> str:
    named = "" if interval.kind == "interval" else "range "
    return f"{named}{interval.low:.3f} to {interval.high:.3f}"


def _data(found: Compared) -> dict[str, Any]:
    return {
        "a": found.names[0],
        "b": found.names[1],
        "geometric_mean": dataclasses.asdict(found.mean),
        "cases": [
            {
                "case": row.case,
                "unit": row.unit,
                "a": list(row.above),
                "b": list(row.below),
                **dataclasses.asdict(row.told),
                "unlike": list(row.unlike),
            }
            for row in found.rows
        ],
        "alone": list(found.alone),
    }
