"""What the nights of a case can show: change with interval, margin, smallest step, what would decide."""

from dataclasses import dataclass

import numpy as np

from benchmarks import intervals
from benchmarks.evidence import FALSE_ALARMS, LONE, SHARES, Evidence
from benchmarks.expectations import WINDOW
from benchmarks.intervals import Interval
from benchmarks.metrics import SPEED, Metric

MARGINS = (0.05, 0.10)  # a change of speed that *same* excludes: four deviations of a night, within these
DEVIATIONS = 4.0
MOST_NIGHTS = 100
MOST_MARGIN = 0.9  # a margin of 100 % and more has no lower end


@dataclass(frozen=True)
class Resolution:
    """Of the case at ``place`` of the evidence."""

    evidence: Evidence
    place: int
    metric: Metric

    def apart(self, window: int) -> float:
        """How far the mean of the last ``window`` nights is from the level, as a logarithm."""
        return float(self.evidence.apart[self.place, window - 1])

    def interval(self, window: int) -> Interval:
        """Of the change, 95 %."""
        error = float(self.evidence.errors[self.place, window - 1])
        half = intervals.quantile(self._freedom) * error
        value, low, high = (float(np.exp(self.apart(window) + side * half)) for side in (0, -1, 1))
        return Interval(value, low, high, "interval", window)

    @property
    def margin(self) -> float:
        """What *same* excludes, as a fraction: four deviations of a night, within the metric's bounds."""
        least, most = (self.metric.effect / SPEED.effect * margin for margin in MARGINS)
        return min(max(DEVIATIONS * float(np.sqrt(self._variance)), least), most)

    @property
    def smallest_step(self) -> float:
        """For the worse, found within three nights 95 times in 100, as a fraction of what was before."""
        power = float(intervals.quantile(self._freedom, intervals.POWER))
        step = max(self._effect, (self._limit(WINDOW) + power) * self._error(WINDOW, self._usual_forks))
        worse = -1 if self.metric.more_is_better else 1
        return abs(float(np.expm1(worse * step)))

    def further(self) -> str:
        """``1 more night like it or 12 forks in a re-run would decide it``, were the change what it seems."""
        nights = next((more for more in range(1, WINDOW) if self._tells(more + 1, self._usual_forks)), None)
        counts = [round(self._usual_forks * 2**power) for power in range(1, 9)]
        forks = next((count for count in counts if self._tells(1, count) or self._excludes(count)), None)
        ways = [
            *([f"{nights} more night{'s' if nights > 1 else ''} like it"] if nights else []),
            *([self._of_forks(forks)] if forks else []),
        ]
        if not ways:
            sides = next((count for count in range(2, MOST_NIGHTS + 1) if self._decided_by(count)), None)
            ways = [f"{sides} nights a side, compared," if sides else "no affordable number of nights"]
        return f"{' or '.join(ways)} would decide it"

    def _of_forks(self, count: int) -> str:
        """Where so many forks must be made: a night alone is confirmed by its re-run only."""
        return f"{count} forks in {'a re-run (--rerun)' if self._tells(1, count) else 'a night'}"

    def _tells(self, window: int, forks: float) -> bool:
        """Whether so many nights of so many forks would be beyond chance."""
        limit = self._limit(window) * self._error(window, forks) * (LONE if window == 1 else 1)
        return abs(self.apart(1)) > max(limit, self._effect)

    def _excludes(self, forks: float) -> bool:
        """Whether a night of so many forks would keep its interval within the margin."""
        return self._within(float(intervals.quantile(self._freedom)) * self._error(1, forks))

    def _decided_by(self, nights: int) -> bool:
        """Whether so many nights, compared with as many, would tell the change or exclude one."""
        half = float(intervals.quantile(2 * nights - 2)) * float(np.sqrt(2 * self._variance / nights))
        return self._within(half) or abs(self.apart(1)) > max(half, self._effect)

    def _within(self, half: float) -> bool:
        return abs(self.apart(1)) + half <= -float(np.log1p(-min(self.margin, MOST_MARGIN)))

    @property
    def _effect(self) -> float:
        return float(np.log1p(self.metric.effect))

    @property
    def _variance(self) -> float:
        return float(self.evidence.expectation.night.variance[self.place])

    @property
    def _freedom(self) -> float:
        return float(self.evidence.expectation.night.freedom[self.place])

    @property
    def _usual_forks(self) -> float:
        return float(self.evidence.expectation.forks[self.place])

    def _limit(self, window: int) -> float:
        """Score that the mean of so many nights must exceed."""
        chance = FALSE_ALARMS / self.evidence.tests * SHARES[window - 1] / 2
        tail = self.evidence.expectation.tails[window - 1]
        return float(-intervals.quantile(self._freedom, chance) * tail)

    def _error(self, window: int, forks: float) -> float:
        """Standard error of the mean of so many nights of so many forks, from the level."""
        one = self.evidence.expectation.of(self.place)
        return float(one.error(np.full((1, window), forks))[0])
