"""Same, faster, slower or undecided: tonight against the nights before, by effect and by significance.

The night is the unit. A case is suspected where the last one, two or three nights lie further from its level
than a few cases a night would by chance; its re-run, or a further night, then confirms or clears it. What is
confirmed lies so far out that, of all cases together, one night in 200 would show it by chance. *Same* needs
evidence too: the interval must lie within the case's margin. All else is undecided, and says what would
decide it. Metrics of which less is better are given as such: *slower* then means more of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks import intervals
from benchmarks.intervals import Interval
from benchmarks.regression.evidence import Evidence, evidence
from benchmarks.regression.expectations import WINDOW, Nights, expected
from benchmarks.regression.metrics import SPEED, Metric
from benchmarks.regression.nights import FEWEST
from benchmarks.regression.prospects import Prospect
from benchmarks.regression.resolution import Resolution

Verdict = Literal["same", "faster", "slower", "undecided"]

EXPLAINING = 1 / 3  # of the change must a ceiling have moved to be its reason
SEEN_AGAIN = 1 / 2  # of the change must the re-run show alone
CHANCE = 0.01  # that a ceiling that did not move is said to have


@dataclass(frozen=True)
class Judged:
    """What is said of one case tonight."""

    verdict: Verdict
    change: Interval | None  # tonight, or the nights that tell, over the nights before; None: too few
    nights: int  # that ``change`` is the mean of
    smallest_step: float | None  # that would be found within three nights 95 times in 100, as a fraction
    margin: float | None  # that ``same`` stays within; None where nothing is known
    suspected: bool  # so that a re-run is worth its time
    open: bool  # something is the matter that could be neither confirmed nor cleared
    reason: str  # why, and for undecided what would decide it


@dataclass(frozen=True)
class Case:
    """One case's nights, tonight the last, what its re-run gave alone, and how far the machine moved."""

    nights: Nights
    again: float | None = None  # the re-run's own night value; None where there was none
    ceilings: Mapping[str, float] | None = None  # those that moved, by name: logarithm of now over before
    controls: float | None = None  # the same of the cases that were re-run beside it without suspicion
    tested: int = WINDOW  # nights at the end that may be looked at together, tonight included

    @property
    def window(self) -> int:
        return min(WINDOW, self.tested, len(self.nights) - FEWEST)


def judge(cases: Sequence[Case], metric: Metric = SPEED, tests: int | None = None) -> list[Judged]:
    """A verdict on every case of one machine; ``tests``: all that are looked at tonight, of any metric."""
    enough = [place for place, case in enumerate(cases) if len(case.nights) > FEWEST]
    found: list[Judged] = [_too_few(case) for case in cases]
    every = tests or max(1, len(enough))
    for tested in range(1, WINDOW + 1):
        places = [place for place in enough if cases[place].window == tested]
        chosen = [cases[place] for place in places]
        for place, judged in zip(places, _judged(chosen, metric, every, tested), strict=True):
            found[place] = judged
    return found


def _too_few(case: Case) -> Judged:
    lacking = FEWEST + 1 - len(case.nights)
    reason = f"{len(case.nights)} nights so far: {lacking} more would give a verdict"
    return Judged("undecided", None, 0, None, None, False, False, reason)


def _judged(cases: Sequence[Case], metric: Metric, tests: int, tested: int) -> list[Judged]:
    if not cases:
        return []
    expectation = expected([case.nights.before(tested) for case in cases], metric.floor)
    last = [case.nights.last(tested) for case in cases]
    values, forks = (np.array([getattr(each, name) for each in last], float) for name in ("values", "forks"))
    found = evidence(expectation, values, forks, tests, metric.effect)
    return [_Judging(case, found, place, metric).judged() for place, case in enumerate(cases)]


@dataclass(frozen=True)
class _Judging:
    """One case of the evidence."""

    case: Case
    evidence: Evidence
    place: int
    metric: Metric

    @property
    def resolution(self) -> Resolution:
        return Resolution(self.evidence, self.place, self.metric)

    def judged(self) -> Judged:
        telling = np.flatnonzero(self.evidence.telling[self.place])
        window = int(telling[-1]) + 1 if len(telling) else 1
        suspected = bool(self.evidence.suspected[self.place] or len(telling))
        verdict, is_open, reason = self._verdict(window if len(telling) else None)
        known = self.resolution
        step, margin = known.smallest_step, known.margin
        return Judged(verdict, known.interval(window), window, step, margin, suspected, is_open, reason)

    def _verdict(self, telling: int | None) -> tuple[Verdict, bool, str]:
        """The verdict, whether a doubt is left, and why; ``telling``: the window that is beyond chance."""
        if telling is None and not self.evidence.doubtful[self.place]:
            return self._without_suspicion()
        apart = self.resolution.apart(telling or self._furthest)
        if (moved := self._machine(apart)) is not None:
            way_out = "a night on which it is as before would decide it"
            return "undecided", True, f"machine: {moved} moved too; {way_out}"
        if self.case.again is not None and not self._seen_again(apart):
            return self._cleared()
        if telling is None or (telling == 1 and self.case.again is None):
            return "undecided", True, f"suspected; {self._further(telling or self._furthest)}"
        better = (apart > 0) == self.metric.more_is_better
        how = f"over {telling} nights" if telling > 1 else "tonight and in its re-run"
        return ("faster" if better else "slower"), False, f"beyond chance {how}"

    @property
    def _furthest(self) -> int:
        """The window that is most suspicious."""
        return 1 + int(np.argmax(self.evidence.scores[self.place] / self.evidence.doubt_limits[self.place]))

    def _machine(self, apart: float) -> str | None:
        """What of the machine moved the same way and far enough to explain it; ``None`` if nothing did."""
        if not self.metric.timed:
            return None
        moved = dict(self.case.ceilings or {})
        if self.case.controls is not None:
            moved["the control"] = self.case.controls  # a speed, as the ceilings are
        gain = 1 if self.metric.more_is_better else -1  # a ceiling that falls makes times rise
        way = np.sign(apart) * gain
        explaining = [name for name, by in moved.items() if by * way >= EXPLAINING * abs(apart)]
        return " and ".join(explaining) or None

    def _further(self, window: int | None) -> str:
        """What would decide it; ``window``: the suspicious one."""
        return Prospect(self.resolution, window, self.case.again is not None).said()

    def _seen_again(self, apart: float) -> bool:
        again = float(self.case.again or 0.0) - float(self.evidence.expectation.level[self.place])
        return bool(again * np.sign(apart) >= SEEN_AGAIN * abs(apart))

    def _cleared(self) -> tuple[Verdict, bool, str]:
        verdict, _, reason = self._without_suspicion()
        return verdict, False, f"suspected, not seen again in its re-run; {reason}"

    def _without_suspicion(self) -> tuple[Verdict, bool, str]:
        interval, margin = self.resolution.interval(1), self.resolution.margin
        if 1 - margin <= interval.low and interval.high <= 1 + margin:
            return "same", False, f"any change is below {100 * margin:.0f} %"
        return "undecided", False, f"could be a change of {100 * margin:.0f} %; {self._further(None)}"


def moved(ceilings: Mapping[str, Nights]) -> dict[str, float]:
    """The machine's ceilings that are not tonight what they were: logarithm of now over before, by name.

    Held against the same nights as the cases are: a ceiling that settled sooner would be no reason any more
    while cases still are beyond chance.
    """
    names = [name for name, each in ceilings.items() if len(each) > FEWEST]
    if not names:
        return {}
    past = [ceilings[name].before(min(WINDOW, len(ceilings[name]) - FEWEST)) for name in names]
    last = np.array([ceilings[name].last(1).values for name in names])
    found = evidence(expected(past, SPEED.floor), last, np.ones(last.shape), len(names))
    limits = -intervals.quantile(found.expectation.night.freedom, CHANCE / 2)
    return {n: float(found.apart[p, 0]) for p, n in enumerate(names) if found.scores[p, 0] > limits[p]}
