"""How far tonight lies from what was expected, and how far is beyond chance when many cases are looked at.

The last one, two and three nights are looked at, since a step that one night cannot tell three can. The
chances of a false alarm are shared between these windows and between all cases of a night.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmarks import intervals
from benchmarks.regression.expectations import Expectation
from benchmarks.regression.nights import Values

# Of nights: with any, as the thresholds are set. Simulated it is 0.2 to 0.5 %, and more where tails are heavy
# (docs/regressions.md).
FALSE_ALARMS = 0.005
DOUBTS = 0.05  # nights on which any case is left suspected
RERUNS = 4.0  # cases run again in a night on which nothing changed
LIKELIEST = 0.05  # chance at most that one such case is
SHARES = np.array([0.1, 0.2, 0.7])  # of these chances, for the means of one, two and three nights
EVEN = np.full(len(SHARES), 1 / len(SHARES))  # a re-run is worth most on the first night
LONE = 1.5  # times as far out must one night alone be: nights have heavier tails than any formula
EFFECT = 0.02  # the least change of speed that is worth a word
LEANING = 1 / 3  # of the change must every night of it show


@dataclass(frozen=True)
class Evidence:
    """Of (cases,) at once, by number of last nights (window): how far, and how far in standard errors."""

    expectation: Expectation
    apart: Values  # (cases, windows) differences of logarithms
    errors: Values  # (cases, windows)
    nights: Values  # (cases, windows) of single nights, the oldest first
    tests: int  # cases that the chances are shared between
    effect: float = EFFECT  # the least change that is worth a word

    @cached_property
    def scores(self) -> Values:
        return np.asarray(np.abs(self.apart) / self.errors)

    def limits(self, chance: float, shares: Values = SHARES) -> Values:
        """(cases, windows) scores that all tests together exceed on ``chance`` nights."""
        each = np.minimum(chance / self.tests, LIKELIEST) * shares[: self.apart.shape[1]] / 2
        return np.asarray(-intervals.quantile(self.expectation.night.freedom[:, None], each))

    @cached_property
    def alarm_limits(self) -> Values:
        limits = self.limits(FALSE_ALARMS) * self.expectation.tails[: self.apart.shape[1]]
        limits[:, 0] *= LONE
        return limits

    @cached_property
    def doubt_limits(self) -> Values:
        return self.limits(DOUBTS)

    @property
    def _matters(self) -> NDArray[np.bool_]:
        """(cases, windows) whether the change is worth a word."""
        return np.asarray(np.abs(self.apart) >= np.log1p(self.effect))

    @cached_property
    def suspected(self) -> Values:
        """(cases,) whether any window is so far out that the case is run again."""
        return np.asarray((self._matters & (self.scores > self.limits(RERUNS, EVEN))).any(axis=1))

    @cached_property
    def doubtful(self) -> Values:
        """(cases,) whether any window is so far out that it cannot be passed over."""
        return np.asarray((self._matters & (self.scores > self.doubt_limits)).any(axis=1))

    @cached_property
    def telling(self) -> Values:
        """(cases, windows) whether a window is beyond chance, large enough, and in each of its nights."""
        beyond = self._matters & (self.scores > self.alarm_limits)
        for window in range(1, self.apart.shape[1] + 1):
            change = self.apart[:, window - 1, None]
            shown = self.nights[:, -window:] * np.sign(change) >= LEANING * np.abs(change)
            beyond[:, window - 1] &= shown.all(axis=1)
        return np.asarray(beyond)


def evidence(
    expectation: Expectation, last: Values, forks: Values, tests: int, effect: float = EFFECT
) -> Evidence:
    """What the (cases, nights) ``last`` values of so many ``forks`` say, the newest at the end.

    A night of more forks has more to say in the mean.
    """
    apart = last - expectation.level[:, None]
    weights = 1 / expectation.night_variance(forks)
    windows = range(1, last.shape[1] + 1)
    means = [np.average(apart[:, -w:], axis=1, weights=weights[:, -w:]) for w in windows]
    errors = [expectation.error(forks[:, -w:]) for w in windows]
    return Evidence(expectation, np.stack(means, axis=1), np.stack(errors, axis=1), apart, tests, effect)
