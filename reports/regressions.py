"""Tonight against the nights before, for all that is watched: verdicts, what they rest on, an exit code."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.regression import changes, verdicts
from benchmarks.regression.expectations import WINDOW
from benchmarks.regression.metrics import SPEED
from benchmarks.regression.nights import FEWEST, MOST
from benchmarks.regression.verdicts import Case, Judged
from implementations.errors import UserError
from reports.watched import Night, Watched, as_nights, deviation, since

NONE, CONFIRMED, UNTOLD = 0, 1, 2  # exit codes
FAIL_ON = ("slower", "any", "never")


@dataclass(frozen=True)
class Tonight:
    """One watched case with the nights that it is held against, tonight the last."""

    watched: Watched
    tested: int = WINDOW  # nights at the end that are no part of the baseline, or may be looked at together
    again: Night | None = None  # its re-run alone
    control: bool = False  # run again beside the suspects, without being one


@dataclass(frozen=True)
class Said:
    """A verdict on one watched case."""

    tonight: Tonight
    judged: Judged
    because: tuple[str, ...]  # what changed with it, where it is slower or faster

    @property
    def watched(self) -> Watched:
        return self.tonight.watched

    @property
    def word(self) -> str:
        """The verdict in the metric's own words."""
        better, worse = self.watched.metric.words
        return {"faster": better, "slower": worse}.get(self.judged.verdict, self.judged.verdict)


@dataclass(frozen=True)
class Findings:
    """All verdicts of a night."""

    date: datetime.date
    said: tuple[Said, ...]
    absent: tuple[str, ...]  # what the nights before had and tonight has not
    notes: tuple[str, ...] = ()

    def count(self, verdict: str) -> int:
        return sum(each.judged.verdict == verdict for each in self.said)

    @property
    def open(self) -> list[Said]:
        return [each for each in self.said if each.judged.open]

    def exit_code(self, fail_on: str = "slower") -> int:
        """1 if something is confirmed; 2 if a suspicion is left, or nothing at all could be told; else 0."""
        bad = {"slower": ("slower",), "any": ("slower", "faster"), "never": ()}[fail_on]
        if any(self.count(verdict) for verdict in bad):
            return CONFIRMED
        told = len(self.said) - self.count("undecided")
        return UNTOLD if self.open or not told else NONE


# --- Which nights -----------------------------------------------------------------------------


def tonight(
    every: Sequence[Watched], baseline: Iterable[Watched] | None, date: datetime.date
) -> list[Tonight]:
    """What was measured on the night ``date``, with the nights of ``baseline``; ``None``: all before it."""
    chosen = None if baseline is None else {(one.identity, one.metric): one for one in baseline}
    found = []
    for one in every:
        now = [night for night in one.nights if night.date == date]
        earlier = [night for night in one.nights if night.date < date]
        if now and chosen is None:
            found.append(Tonight(one.of([*earlier, *now])))
        elif now and chosen is not None and (one.identity, one.metric) in chosen:
            found.append(_against(one, earlier, now, chosen[one.identity, one.metric]))
    return found


def _against(one: Watched, earlier: Sequence[Night], now: Sequence[Night], baseline: Watched) -> Tonight:
    """The baseline's nights, and after them the last ones that are none of it."""
    before = [night for night in baseline.nights if night.date < now[0].date]
    if len(before) < FEWEST:  # nights after it must not fill up the level that they are held against
        return Tonight(one.of([*before, *now]))
    after = [night for night in earlier if night.date > before[-1].date]
    follows = not after  # then the baseline grows from night to night, as it does without one
    return Tonight(
        one.of([*before, *after[1 - WINDOW :], *now]), WINDOW if follows else min(WINDOW, len(after) + 1)
    )


def absent(every: Sequence[Watched], date: datetime.date) -> list[str]:
    """What was measured on the last night before ``date`` and not on that night, in words."""
    speeds = [one for one in every if one.metric is SPEED]
    before = max((n.date for one in speeds for n in one.nights if n.date < date), default=None)
    measured = [(one.title, {night.date for night in one.nights}) for one in speeds]
    return list(dict.fromkeys(name for name, made in measured if before in made and date not in made))


def latest(every: Iterable[Watched]) -> datetime.date:
    """The newest night; ``UserError`` if there is none."""
    dates = [one.nights[-1].date for one in every]
    if not dates:
        raise UserError(
            "there is nothing to judge",
            given="a history without results",
            allowed="a history with at least one run",
            todo="python -m benchmarks import results",
        )
    return max(dates)


# --- Verdicts ---------------------------------------------------------------------------------


def judged(chosen: Sequence[Tonight], date: datetime.date, absent: Sequence[str] = ()) -> Findings:
    """A verdict on everything in ``chosen``; cases of one machine and metric are judged together."""
    pools: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for place, each in enumerate(chosen):
        pools[each.watched.machine, each.watched.metric].append(place)
    said: dict[int, Said] = {}
    ceilings = {machine: moved_ceilings(chosen, machine) for machine in {key[0] for key in pools}}
    for (machine, metric), places in pools.items():
        controls = _controls([chosen[place] for place in places])
        cases = [_case(chosen[place], ceilings[machine], controls) for place in places]
        for place, found in zip(places, verdicts.judge(cases, metric, len(chosen)), strict=True):
            said[place] = Said(chosen[place], found, _because(chosen[place].watched, found))
    return Findings(date, tuple(said[place] for place in range(len(chosen))), tuple(absent))


def _case(each: Tonight, ceilings: Mapping[str, float], controls: float | None) -> Case:
    again = None if each.again is None else float(as_nights([each.again.forks]).values[0])
    alone = controls if each.again is not None else None
    nights = each.watched.arrays()[
        max(0, len(each.watched.nights) - MOST - WINDOW) : len(each.watched.nights)
    ]
    return Case(nights, again, ceilings, alone, each.tested)


def moved_ceilings(chosen: Sequence[Tonight], machine: str) -> dict[str, float]:
    """The machine's ceilings that are not tonight what they were, as logarithms of now over before."""
    nights: dict[datetime.date, Night] = {}
    for each in chosen:
        if each.watched.machine == machine and each.watched.metric is SPEED:
            for night in each.watched.nights:
                nights[night.date] = nights[night.date] + night if night.date in nights else night
    newest = max(nights, default=None)
    names = nights[newest].ceilings if newest is not None else {}
    with_it = {
        name: [n.ceilings[name] for d, n in sorted(nights.items()) if name in n.ceilings] for name in names
    }
    return verdicts.moved({name: as_nights([[value] for value in found]) for name, found in with_it.items()})


def _controls(pool: Sequence[Tonight]) -> float | None:
    """How much faster the re-run's controls were than before: the machine, then, while it was re-run."""
    apart = [
        float(as_nights([each.again.forks]).values[0]) - _usual(each.watched)
        for each in pool
        if each.control and each.again is not None and len(each.watched.nights) > 1
    ]
    faster = 1 if pool[0].watched.metric.more_is_better else -1
    return faster * float(np.median(apart)) if apart else None


def _usual(one: Watched) -> float:
    """The newest level of the nights before tonight, as a logarithm."""
    values = one.arrays().before(1).values
    if len(values) < 2 * changes.SHORTEST:
        return float(np.median(values))
    return float(np.median(changes.settled(values, deviation(values, one.metric.floor))[0]))


def _because(one: Watched, found: Judged) -> tuple[str, ...]:
    """What the first night of the change ran with that the one before did not."""
    if found.verdict not in ("slower", "faster") or len(one.nights) <= found.nights:
        return ()
    return tuple(since(one, len(one.nights) - found.nights))


def suspects(found: Findings) -> list[Said]:
    """What is worth a re-run: what is measured by forks, and out of the ordinary."""
    return [each for each in found.said if each.judged.suspected and each.watched.machine]
