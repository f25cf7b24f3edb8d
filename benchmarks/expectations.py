"""What the nights before lead to expect of tonight: for every case its level, and how far a night strays.

Cases of one machine and one metric are looked at together, since they lend each other degrees of freedom.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks import changes, intervals, nights
from benchmarks.nights import Spread, Values

WINDOW = 3  # nights within which a step is to be found
TAIL = 0.004  # of all residuals: how far out these lie tells of tails heavier than the normal
TAIL_VALUES = 10  # at least, beyond that place
LEAST_NIGHT = 0.25  # of a night's usual variance, however many forks it has: forks do not change the night


@dataclass(frozen=True)
class Nights:
    """One case's nights, the oldest first: values (logarithms), variance of a fork in each, forks of each.

    The variance is NaN where a night has one fork alone.
    """

    values: Values
    within: Values
    forks: Values

    def __len__(self) -> int:
        return len(self.values)

    def before(self, tested: int) -> "Nights":
        """The nights that tonight is held against: not the last ``tested``, not those of long ago."""
        return self[max(0, len(self) - tested - nights.MOST) : len(self) - tested]

    def last(self, tested: int) -> "Nights":
        return self[len(self) - tested :]

    def __getitem__(self, part: slice) -> "Nights":
        return Nights(self.values[part], self.within[part], self.forks[part])


@dataclass(frozen=True)
class Expectation:
    """Of (cases,) at once; variances of logarithms."""

    level: Values
    settled: Values  # nights since the last change, which the level is the mean of
    night: Spread  # of one night with as many forks as usual
    fork: Values  # variance of one fork
    forks: Values  # a night has usually
    tails: Values  # (WINDOW,): how much further out than normal means of 1, 2, 3 nights have been

    def night_variance(self, forks: Values) -> Values:
        """Of (cases, nights) values with so many ``forks`` each."""
        own, night = self.fork[:, None], self.night.variance[:, None]
        with_these = night + own * (1 / forks - 1 / self.forks[:, None])
        return np.asarray(np.maximum(np.maximum(with_these, own / forks), LEAST_NIGHT * night))

    def error(self, forks: Values) -> Values:
        """Standard error of the difference between (cases, nights) nights' weighted mean and the level."""
        tested = 1 / (1 / self.night_variance(forks)).sum(axis=1)
        return np.asarray(np.sqrt(tested + self.night.variance / self.settled))


def expected(past: Sequence[Nights], floor: float) -> Expectation:
    """What ``past``, the nights before of every case, leads to expect; ``floor``: least standard deviation."""
    fork, forks = _forks(past, floor)
    noise = nights.pooled(_by_length([np.diff(each.values) for each in past], halved=True)[1], floor)
    moved = [
        changes.settled(each.values, float(deviation))
        for each, deviation in zip(past, np.sqrt(noise.variance), strict=True)
    ]
    level, own = _by_length([values for values, _ in moved])
    settled = np.array([since for _, since in moved], float)
    night = nights.pooled(own, floor, np.log(fork / forks))
    return Expectation(level, settled, night, fork, forks, _tails([v for v, _ in moved], level, night))


def _forks(past: Sequence[Nights], floor: float) -> tuple[Values, Values]:
    """Variance of one fork and usual number of forks of every case; with single forks no variance but none."""
    forks = np.array([1 / np.mean(1 / each.forks) for each in past])
    freedom = np.array([np.sum(each.forks - 1) for each in past], float)
    summed = np.array([np.nansum(each.within * (each.forks - 1)) for each in past])
    if not (freedom > 0).all():
        return np.where(freedom > 0, summed / np.maximum(freedom, 1), floor**2), forks
    return nights.pooled(Spread(summed / freedom, freedom), floor).variance, forks


def _by_length(series: Sequence[Values], halved: bool = False) -> tuple[Values, Spread]:
    """``nights.level`` of all, those of equal length at once; a difference of two nights has both's variance."""
    level, variance, freedom = (np.empty(len(series)) for _ in range(3))
    lengths: dict[int, list[int]] = defaultdict(list)
    for place, values in enumerate(series):
        lengths[len(values)].append(place)
    for places in lengths.values():
        level[places], found = nights.level(np.array([series[place] for place in places]))
        variance[places], freedom[places] = found.variance, found.freedom
    return level, Spread(variance / 2 if halved else variance, freedom)


def _tails(settled: Sequence[Values], level: Values, night: Spread) -> Values:
    """How much further out the nights before have been than Student's t says; 1 at least."""
    found = np.ones(WINDOW)
    for window in range(1, WINDOW + 1):
        apart = [_means(values - at, window) for values, at in zip(settled, level, strict=True)]
        residuals = np.abs(np.concatenate([a / d for a, d in zip(apart, np.sqrt(night.variance), strict=True)]))
        share = max(TAIL, TAIL_VALUES / max(1, len(residuals)))
        if share < 1 / TAIL_VALUES:
            away = 1 - window * np.mean([1 / len(values) for values in settled])  # the level is their own mean
            normal = -intervals.quantile(np.median(night.freedom), share / 2) * np.sqrt(away)
            found[window - 1] = max(1.0, float(np.quantile(residuals, 1 - share)) / normal)
    return found


def _means(values: Values, window: int) -> Values:
    """Means of ``window`` consecutive values, as far out as one value's would be."""
    sums = np.cumsum(np.concatenate([[0.0], values]))
    return np.asarray((sums[window:] - sums[:-window]) / np.sqrt(window))
