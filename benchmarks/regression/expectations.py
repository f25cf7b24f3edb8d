"""What the nights before lead to expect of tonight: for every case its level, and how far a night strays.

Cases of one machine and one metric are looked at together, since they lend each other degrees of freedom.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks import intervals
from benchmarks.regression import changes, nights
from benchmarks.regression.nights import Spread, Values

WINDOW = 3  # nights within which a step is to be found
TAIL = 0.004  # of all residuals: how far out these lie tells of tails heavier than the normal
TAIL_VALUES = 10  # at least, beyond that place
LEAST_NIGHT = (
    0.5  # of a night's usual variance, however many forks it has: how much of it is theirs is estimated
)


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

    def of(self, place: int) -> "Expectation":
        """Of one case alone."""
        part = slice(place, place + 1)
        night = Spread(self.night.variance[part], self.night.freedom[part])
        each = (self.level, self.settled, self.fork, self.forks)
        level, settled, fork, forks = (values[part] for values in each)
        return Expectation(level, settled, night, fork, forks, self.tails)

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
    """What ``past``, the nights before of every case, leads to expect; ``floor``: least deviation."""
    groups = _by_length(past)
    fork, forks = _forks(past, groups, floor)
    noise = nights.pooled(_together(groups, [nights.level(np.diff(g.values))[1] for g in groups], 2.0), floor)
    settled = [_settled(group, np.sqrt(noise.variance[group.places])) for group in groups]
    levels = [nights.level(values) for values, _ in settled]
    level, since = np.empty(len(past)), np.empty(len(past))
    for group, (found, _), (_, lasting) in zip(groups, levels, settled, strict=True):
        level[group.places], since[group.places] = found, lasting
    night = nights.pooled(_together(groups, [spread for _, spread in levels]), floor, np.log(fork / forks))
    residuals = [
        (values - level[g.places, None]) / np.sqrt(night.variance[g.places, None])
        for g, (values, _) in zip(groups, settled, strict=True)
    ]
    return Expectation(level, since, night, fork, forks, _tails(residuals, float(np.median(night.freedom))))


@dataclass(frozen=True)
class _Group:
    """Cases with equally many nights, computed at once: (cases, nights) arrays, and their places."""

    places: NDArray[np.intp]
    values: Values
    within: Values
    forks: Values


def _by_length(past: Sequence[Nights]) -> list[_Group]:
    lengths: dict[int, list[int]] = defaultdict(list)
    for place, each in enumerate(past):
        lengths[len(each)].append(place)
    return [
        _Group(
            np.array(places),
            *(
                np.array([getattr(past[p], name) for p in places], float)
                for name in ("values", "within", "forks")
            ),
        )
        for places in lengths.values()
    ]


def _together(groups: Sequence[_Group], spreads: Sequence[Spread], of: float = 1.0) -> Spread:
    """The spreads of all cases in their order, of values that are the difference of ``of`` nights."""
    variance, freedom = (np.empty(sum(len(group.places) for group in groups)) for _ in range(2))
    for group, spread in zip(groups, spreads, strict=True):
        variance[group.places], freedom[group.places] = spread.variance / of, spread.freedom
    return Spread(variance, freedom)


def _forks(past: Sequence[Nights], groups: Sequence[_Group], floor: float) -> tuple[Values, Values]:
    """Variance of one fork and usual number of forks of every case; of single forks the floor is taken."""
    forks, freedom, summed = (np.empty(len(past)) for _ in range(3))
    for group in groups:
        forks[group.places] = 1 / (1 / group.forks).mean(axis=1)
        freedom[group.places] = (group.forks - 1).sum(axis=1)
        summed[group.places] = np.where(group.forks > 1, group.within * (group.forks - 1), 0.0).sum(axis=1)
    if not (freedom > 0).all():
        return np.where(freedom > 0, summed / np.maximum(freedom, 1), floor**2), forks
    return nights.pooled(Spread(summed / freedom, freedom), floor).variance, forks


def _settled(group: _Group, deviation: Values) -> tuple[Values, Values]:
    """Values with older levels moved onto the newest, and how many nights that one has lasted."""
    values, since = group.values.copy(), np.full(len(group.places), float(group.values.shape[1]))
    for place in np.flatnonzero(changes.stepped(values, deviation)):
        values[place], since[place] = changes.settled(values[place], float(deviation[place]))
    return values, since


def _tails(residuals: Sequence[Values], freedom: float) -> Values:
    """How much further out than Student's t says the nights before have been; 1 at least."""
    found = np.ones(WINDOW)
    length = 1 / np.mean([1 / group.shape[1] for group in residuals])
    for window in range(1, WINDOW + 1):
        out = np.concatenate([np.abs(_means(group, window)).ravel() for group in residuals])
        share = max(TAIL, TAIL_VALUES / max(1, len(out)))
        if share < 1 / TAIL_VALUES:
            away = np.sqrt(1 - window / length)  # the level is their own mean
            normal = -intervals.quantile(freedom, share / 2) * away
            found[window - 1] = max(1.0, float(np.quantile(out, 1 - share)) / normal)
    return found


def _means(values: Values, window: int) -> Values:
    """Means of ``window`` consecutive values, as far out as one value's would be."""
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    return np.asarray((sums[:, window:] - sums[:, :-window]) / np.sqrt(window))
