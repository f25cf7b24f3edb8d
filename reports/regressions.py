"""Tonight against the nights before, for all that is watched: verdicts, what they rest on, an exit code."""

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import verdicts
from benchmarks.expectations import WINDOW
from benchmarks.metrics import SPEED
from benchmarks.nights import MOST
from benchmarks.verdicts import Case, Judged
from implementations.errors import UserError
from reports.tables import Table, percent
from reports.watched import Night, Watched, as_nights, since, steps

NONE, CONFIRMED, UNTOLD = 0, 1, 2  # exit codes
FAIL_ON = ("slower", "any", "never")
HEADINGS = ("case", "metric", "tonight", "now / before", "95 % interval", "verdict", "smallest step", "why")
MOST_REASONS = 4  # differences between two nights that are shown


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
    if not before:
        return Tonight(one.of(now))
    after = [night for night in earlier if night.date > before[-1].date]
    follows = not after  # then the baseline grows from night to night, as it does without one
    return Tonight(
        one.of([*before, *after[1 - WINDOW :], *now]), WINDOW if follows else min(WINDOW, len(after) + 1)
    )


def absent(every: Sequence[Watched], date: datetime.date) -> list[str]:
    """What was measured on the last night before ``date`` and not on that night, in words."""
    speeds = [one for one in every if one.metric is SPEED]
    before = max((n.date for one in speeds for n in one.nights if n.date < date), default=None)
    dates = {one.title: {night.date for night in one.nights} for one in speeds}
    return [title for title, made in dates.items() if before in made and date not in made]


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
        float(as_nights([each.again.forks]).values[0]) - float(np.median(each.watched.arrays().values[:-1]))
        for each in pool
        if each.control and each.again is not None and len(each.watched.nights) > 1
    ]
    faster = 1 if pool[0].watched.metric.more_is_better else -1
    return faster * float(np.median(apart)) if apart else None


def _because(one: Watched, found: Judged) -> tuple[str, ...]:
    """What the first night of the change ran with that the one before did not."""
    if found.verdict not in ("slower", "faster") or len(one.nights) <= found.nights:
        return ()
    return tuple(since(one, len(one.nights) - found.nights))


def suspects(found: Findings) -> list[Said]:
    """What is worth a re-run: what is measured by forks, and out of the ordinary."""
    return [each for each in found.said if each.judged.suspected and each.watched.machine]


# --- What is said -----------------------------------------------------------------------------


def table(found: Findings, everything: bool = False) -> Table:
    """The findings as a table: what is slower first, then what is in doubt; all of it if asked for."""
    order = {"slower": 0, "undecided": 2, "faster": 1, "same": 3}
    ranked = sorted(found.said, key=lambda each: (not each.judged.open, order[each.judged.verdict]))
    ranked.sort(key=lambda each: each.judged.verdict != "slower")
    shown = [each for each in ranked if everything or _matters(each)]
    notes = [*found.notes, *_steps_note(shown), *_absent_note(found), *_hidden_note(found, shown)]
    return Table(_answer(found), HEADINGS, [_cells(each) for each in shown], notes, _data(found))


def _matters(each: Said) -> bool:
    cleared = each.judged.suspected and each.tonight.again is not None
    return each.judged.open or cleared or each.judged.verdict in ("slower", "faster")


def _answer(found: Findings) -> str:
    worse, better = found.count("slower"), found.count("faster")
    parts = [
        f"{worse} worse" if worse else "nothing worse",
        *([f"{better} better"] if better else []),
        f"{found.count('same')} same",
        f"{found.count('undecided')} undecided",
        *([f"of which {len(found.open)} suspected"] if found.open else []),
    ]
    return f"Night of {found.date}: {', '.join(parts)} ({len(found.said)} watched)"


def _cells(each: Said) -> list[str]:
    judged, metric, night = each.judged, each.watched.metric, each.watched.nights[-1]
    change, step = judged.change, judged.smallest_step
    value = float(np.exp(as_nights([night.forks]).values[0]))
    why = judged.reason + (f"; with it: {_few(each.because)}" if each.because else "")
    return [
        each.watched.title,
        metric.name,
        f"{value:,.4g} {metric.unit} ({len(night.forks)} forks)",
        f"{change.value:.3f}" if change else "",
        f"{change.low:.3f} to {change.high:.3f}" if change else "",
        each.word,
        percent(step) if step is not None else "",
        why,
    ]


def _few(because: Sequence[str]) -> str:
    more = f" and {len(because) - MOST_REASONS} more" if len(because) > MOST_REASONS else ""
    return ", ".join(because[:MOST_REASONS]) + more


def _steps_note(shown: Sequence[Said]) -> list[str]:
    """Earlier changes of level of what is shown."""
    return [
        f"{each.watched.title} {each.watched.metric.name}: {step.ratio:.3f} times since {step.date}"
        + (f" ({_few(step.because)})" if step.because else "")
        for each in shown
        for step in steps(each.watched)
        if step.date < each.watched.nights[-each.judged.nights].date  # the verdict says that of tonight
    ]


def _absent_note(found: Findings) -> list[str]:
    return [f"Not measured tonight: {', '.join(found.absent)}"] if found.absent else []


def _hidden_note(found: Findings, shown: Sequence[Said]) -> list[str]:
    hidden = len(found.said) - len(shown)
    speeds = [each.judged.smallest_step for each in found.said if each.watched.metric is SPEED]
    seen = [step for step in speeds if step is not None]
    least = f"{percent(min(seen))} to {percent(max(seen))}, median {percent(np.median(seen))}" if seen else ""
    return [
        *([f"{hidden} more are not shown (--all shows them)."] if hidden else []),
        *([f"Smallest steps of speed that would be found within three nights: {least}."] if seen else []),
    ]


def _data(found: Findings) -> dict[str, Any]:
    return {
        "night": found.date.isoformat(),
        "verdicts": {verdict: found.count(verdict) for verdict in ("same", "faster", "slower", "undecided")},
        "open": len(found.open),
        "absent": list(found.absent),
        "notes": list(found.notes),
        "cases": [
            {
                "case": each.watched.title,
                "metric": each.watched.metric.name,
                "word": each.word,
                "because": list(each.because),
                "steps": [dataclasses.asdict(s) | {"date": s.date.isoformat()} for s in steps(each.watched)],
                **dataclasses.asdict(each.judged),
            }
            for each in found.said
        ],
    }
