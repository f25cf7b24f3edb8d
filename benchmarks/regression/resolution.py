"""What the nights of a case can show: change with interval, margin, smallest step."""

from dataclasses import dataclass

import numpy as np

from benchmarks import intervals
from benchmarks.intervals import Interval
from benchmarks.regression.evidence import FALSE_ALARMS, SHARES, Evidence
from benchmarks.regression.expectations import WINDOW
from benchmarks.regression.metrics import SPEED, Metric

MARGINS = (0.05, 0.10)  # a change of speed that *same* excludes: four deviations of a night, within these
DEVIATIONS = 4.0
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
        half = intervals.quantile(self.freedom) * error
        value, low, high = (float(np.exp(self.apart(window) + side * half)) for side in (0, -1, 1))
        return Interval(value, low, high, "interval", window)

    @property
    def margin(self) -> float:
        """What *same* excludes, as a fraction: four deviations of a night, within the metric's bounds."""
        least, most = (self.metric.effect / SPEED.effect * margin for margin in MARGINS)
        return min(max(DEVIATIONS * float(np.sqrt(self.variance)), least), most)

    @property
    def smallest_step(self) -> float:
        """For the worse, found within three nights 95 times in 100, as a fraction of what was before."""
        power = float(intervals.quantile(self.freedom, intervals.POWER))
        step = max(self.effect, (self.limit(WINDOW) + power) * self.error(WINDOW, self.usual_forks))
        worse = -1 if self.metric.more_is_better else 1
        return abs(float(np.expm1(worse * step)))

    @property
    def bounds(self) -> tuple[float, float]:
        """The margin's ends, as logarithms."""
        return within(self.margin)

    @property
    def effect(self) -> float:
        return float(np.log1p(self.metric.effect))

    @property
    def variance(self) -> float:
        return float(self.evidence.expectation.night.variance[self.place])

    @property
    def freedom(self) -> float:
        return float(self.evidence.expectation.night.freedom[self.place])

    @property
    def fork_variance(self) -> float:
        return float(self.evidence.expectation.fork[self.place])

    @property
    def usual_forks(self) -> float:
        return float(self.evidence.expectation.forks[self.place])

    def limit(self, window: int) -> float:
        """Score that the mean of so many nights must exceed."""
        chance = FALSE_ALARMS / self.evidence.tests * SHARES[window - 1] / 2
        tail = self.evidence.expectation.tails[window - 1]
        return float(-intervals.quantile(self.freedom, chance) * tail)

    def error(self, window: int, forks: float) -> float:
        """Standard error of the mean of so many nights of so many forks, from the level."""
        one = self.evidence.expectation.of(self.place)
        return float(one.error(np.full((1, window), forks))[0])


def within(margin: float) -> tuple[float, float]:
    """The ends of a margin given as a fraction, as logarithms."""
    return float(np.log1p(-min(margin, MOST_MARGIN))), float(np.log1p(margin))
