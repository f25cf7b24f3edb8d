"""Same, faster, slower or undecided: tonight against the nights before, by effect and by significance.

The night is the unit. A case is suspected where the last one, two or three nights lie further from its level
than half a case a night would by chance; its re-run, or a further night, then confirms or clears it. What is
confirmed lies so far out that, of all cases together, one night in a hundred would show it by chance. *Same*
needs evidence too: the interval must lie within the case's margin. All else is undecided, and says what would
decide it. Metrics of which less is better are given as such: *slower* then means more of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks import intervals
from benchmarks.evidence import DOUBTS, FALSE_ALARMS, SHARES, Evidence, evidence
from benchmarks.expectations import WINDOW, Expectation, Nights, expected
from benchmarks.intervals import Interval
from benchmarks.metrics import SPEED, Metric
from benchmarks.nights import FEWEST

Verdict = Literal["same", "faster", "slower", "undecided"]

MARGINS = (0.05, 0.10)  # a change of speed that *same* excludes: four deviations of a night, within these
DEVIATIONS = 4.0
EXPLAINING = 1 / 3  # of the change must a ceiling have moved to be its reason
SEEN_AGAIN = 1 / 2  # of the change must the re-run show alone
CHANCE = 0.01  # that a ceiling that did not move is said to have
MOST_NIGHTS = 100
MOST_MARGIN = 0.9  # as a logarithm: a margin of 100 % and more has no lower end


@dataclass(frozen=True)
class Judged:
    """What is said of one case tonight."""

    verdict: Verdict
    change: (
        Interval | None
    )  # tonight over the nights before, or the mean of the nights that tell; None: too few
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

    def judged(self) -> Judged:
        telling = np.flatnonzero(self.evidence.telling[self.place])
        window = int(telling[-1]) + 1 if len(telling) else 1
        suspected = bool(self.evidence.suspected[self.place] or len(telling))
        verdict, is_open, reason = self._verdict(window if len(telling) else None)
        change = self._interval(window)
        return Judged(verdict, change, window, self.smallest_step, self.margin, suspected, is_open, reason)

    def _verdict(self, telling: int | None) -> tuple[Verdict, bool, str]:
        """The verdict, whether a doubt is left, and why; ``telling``: the window that is beyond chance."""
        if telling is None and not self.evidence.doubtful[self.place]:
            return self._without_suspicion()
        apart = self._apart(telling or self._furthest)
        if (moved := self._machine(apart)) is not None:
            return "undecided", True, f"machine: {moved} moved too; {self._further()}"
        if self.case.again is not None and not self._seen_again(apart):
            return self._cleared()
        if telling is None or (telling == 1 and self.case.again is None):
            return "undecided", True, f"suspected; {self._further()}"
        better = (apart > 0) == self.metric.more_is_better
        how = f"over {telling} nights" if telling > 1 else "tonight and in its re-run"
        return ("faster" if better else "slower"), False, f"beyond chance {how}"

    @property
    def _furthest(self) -> int:
        """The window that is most suspicious."""
        return 1 + int(np.argmax((self.evidence.scores / self.evidence.limits(DOUBTS))[self.place]))

    def _apart(self, window: int) -> float:
        return float(self.evidence.apart[self.place, window - 1])

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

    def _seen_again(self, apart: float) -> bool:
        again = float(self.case.again or 0.0) - float(self.evidence.expectation.level[self.place])
        return bool(again * np.sign(apart) >= SEEN_AGAIN * abs(apart))

    def _cleared(self) -> tuple[Verdict, bool, str]:
        verdict, _, reason = self._without_suspicion()
        return verdict, False, f"suspected, not seen again in its re-run; {reason}"

    def _without_suspicion(self) -> tuple[Verdict, bool, str]:
        interval, margin = self._interval(1), self.margin
        if 1 - margin <= interval.low and interval.high <= 1 + margin:
            return "same", False, f"any change is below {100 * margin:.0f} %"
        return "undecided", False, f"could be a change of {100 * margin:.0f} %; {self._further()}"

    # --- How sure ---

    def _interval(self, window: int) -> Interval:
        """Of the change, 95 %."""
        apart, error = self._apart(window), float(self.evidence.errors[self.place, window - 1])
        half = intervals.quantile(self._freedom) * error
        value, low, high = (float(np.exp(apart + side * half)) for side in (0, -1, 1))
        return Interval(value, low, high, "interval", window)

    @property
    def _freedom(self) -> float:
        return float(self.evidence.expectation.night.freedom[self.place])

    @property
    def margin(self) -> float:
        deviation = float(np.sqrt(self.evidence.expectation.night.variance[self.place]))
        least, most = (self.metric.effect / SPEED.effect * margin for margin in MARGINS)
        return min(max(DEVIATIONS * deviation, least), most)

    @property
    def smallest_step(self) -> float:
        """For the worse, found within three nights 95 times in 100, as a fraction of what was before."""
        worse = -1 if self.metric.more_is_better else 1
        return abs(float(np.expm1(worse * self._needed(WINDOW, self._usual_forks))))

    def _needed(self, window: int, forks: float) -> float:
        """Difference of logarithms that the mean of so many nights of so many forks shows 95 times in 100."""
        error = self._error(window, forks)
        limit = float(self._limit) * float(self.evidence.expectation.tails[-1])
        power = float(intervals.quantile(self._freedom, intervals.POWER))
        return max(float(np.log1p(self.metric.effect)), (limit + power) * error)

    @property
    def _limit(self) -> float:
        chance = FALSE_ALARMS / self.evidence.tests * SHARES[-1] / 2
        return float(-intervals.quantile(self._freedom, chance))

    @property
    def _usual_forks(self) -> float:
        return float(self.evidence.expectation.forks[self.place])

    def _error(self, window: int, forks: float) -> float:
        one = _one(self.evidence.expectation, self.place)
        return float(one.error(np.full((1, window), forks))[0])

    # --- What would decide it ---

    def _further(self) -> str:
        """``1 more night like it or 12 forks in a night would decide it``, were the change what it seems."""
        usual = self._usual_forks
        nights = next((more for more in range(1, WINDOW) if self._tells(more + 1, usual)), None)
        counts = [round(usual * 2**power) for power in range(1, 9)]
        forks = next((count for count in counts if self._tells(1, count) or self._excludes(count)), None)
        ways = [
            *([f"{nights} more night{'s' if nights > 1 else ''} like it"] if nights else []),
            *([f"{forks} forks in a night"] if forks else []),
        ]
        if not ways:
            sides = next((n for n in range(2, MOST_NIGHTS + 1) if self._decided_by(n)), None)
            ways = [f"{sides} nights a side, compared," if sides else "no affordable number of nights"]
        return f"{' or '.join(ways)} would decide it"

    def _tells(self, window: int, forks: float) -> bool:
        """Whether so many nights of so many forks would be beyond chance."""
        apart = abs(self._apart(1))
        return bool(
            apart >= np.log1p(self.metric.effect) and apart > self._limit * self._error(window, forks)
        )

    def _excludes(self, forks: float) -> bool:
        """Whether a night of so many forks would keep its interval within the margin."""
        half = float(intervals.quantile(self._freedom)) * self._error(1, forks)
        return abs(self._apart(1)) + half <= -np.log1p(-min(self.margin, MOST_MARGIN))

    def _decided_by(self, nights: int) -> bool:
        """Whether so many nights, compared with as many, would tell the change or exclude one."""
        variance = float(self.evidence.expectation.night.variance[self.place])
        half = float(intervals.quantile(2 * nights - 2)) * float(np.sqrt(2 * variance / nights))
        apart = abs(self._apart(1))
        excludes = apart + half <= -np.log1p(-min(self.margin, MOST_MARGIN))
        return bool(excludes or (apart >= np.log1p(self.metric.effect) and apart > half))


def _one(expectation: Expectation, place: int) -> Expectation:
    """Of one case alone."""
    part = slice(place, place + 1)
    night = type(expectation.night)(expectation.night.variance[part], expectation.night.freedom[part])
    return Expectation(
        expectation.level[part],
        expectation.settled[part],
        night,
        expectation.fork[part],
        expectation.forks[part],
        expectation.tails,
    )


def moved(ceilings: Mapping[str, Nights]) -> dict[str, float]:
    """The machine's ceilings that are not tonight what they were: logarithm of now over before, by name."""
    names = [name for name, each in ceilings.items() if len(each) > FEWEST]
    if not names:
        return {}
    past = [ceilings[name].before(1) for name in names]
    last = np.array([ceilings[name].last(1).values for name in names])
    found = evidence(expected(past, SPEED.floor), last, np.ones(last.shape), len(names))
    limits = -intervals.quantile(found.expectation.night.freedom, CHANCE / 2)
    return {n: float(found.apart[p, 0]) for p, n in enumerate(names) if found.scores[p, 0] > limits[p]}
