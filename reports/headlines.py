"""The run's answers, one a task: over all works that the rivals share. Nothing about HTML."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from benchmarks import intervals
from benchmarks.intervals import Interval
from reports.queries import Group, Measured, Report

TASKS = ("inference", "training", "copy")


@dataclass(frozen=True)
class Headline:
    """Who is fastest at one task under one policy, over the works that all of them did."""

    task: str
    policy: str
    device: str
    works: tuple[Group, ...]
    of: int  # works in all
    first: Measured  # its case in the first of the works
    others: tuple[tuple[Measured, Interval], ...]  # first / other, the nearest first

    @property
    def rivals(self) -> tuple[tuple[Measured, Interval], ...]:
        """Those that the run cannot tell from the first."""
        return tuple(pair for pair in self.others if pair[1].holds_one)


def of(report: Report) -> tuple[Headline, ...]:
    """A headline for every policy and task that was measured, in this order."""
    found: dict[tuple[str, str], list[Group]] = defaultdict(list)
    for group in report.groups:
        found[group.policy, group.task].append(group)
    order = list(dict.fromkeys(policy for policy, _ in found))
    keys = sorted(found, key=lambda key: (order.index(key[0]), _place(key[1])))
    return tuple(_headline(found[key], str(report.conditions["device_model"])) for key in keys)


def _place(task: str) -> tuple[int, str]:
    return (TASKS.index(task) if task in TASKS else len(TASKS), task)


def _headline(groups: Sequence[Group], device: str) -> Headline:
    """Of the frameworks that met most often; ``groups`` are of one task and policy."""
    met = Counter(frozenset(_by_title(group)) for group in groups)
    titles = max(met, key=lambda found: (len(found) > 1, met[found], len(found)))
    works = tuple(group for group in groups if titles <= _by_title(group).keys())
    first, *others = sorted(titles, key=lambda title: (-_speed(works, title), title))
    leads = tuple((_by_title(works[0])[other], _lead(works, first, other)) for other in others)
    return Headline(
        groups[0].task, groups[0].policy, device, works, len(groups), _by_title(works[0])[first], leads
    )


def _by_title(group: Group) -> dict[str, Measured]:
    return {case.title: case for case in group.cases}


def _speed(works: Sequence[Group], title: str) -> float:
    return statistics.fmean(log(_by_title(work)[title].throughput.value) for work in works)


def _lead(works: Sequence[Group], first: str, other: str) -> Interval:
    sides = [(_by_title(work)[first].medians, _by_title(work)[other].medians) for work in works]
    return intervals.mean_ratio(sides)
