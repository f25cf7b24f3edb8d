"""Intervals and ratios, pure functions. The fork is the unit: each gives one value, its median.

Throughputs are compared on a logarithmic scale, where a ratio is a difference: the 95 % interval is
Student's t for one case and Welch's t (Welch 1947) for a ratio. Under three forks there is no
interval worth the name: the range is given, and called a range.
"""

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

CONFIDENCE = 0.95
POWER = 0.95  # with which the smallest step is seen
FEWEST_FORKS = 3
MOST_FORKS = 10_000


@dataclass(frozen=True)
class Interval:
    """A value with its lower and upper end, and what these ends are."""

    value: float
    low: float
    high: float
    kind: Literal["interval", "range"]
    forks: int

    @property
    def holds_one(self) -> bool:
        """Whether both sides of a ratio may be equal."""
        return self.low <= 1 <= self.high

    @property
    def width(self) -> float:
        """How far an end is from the value, as a fraction of it; infinite for a range."""
        if self.kind == "range":
            return math.inf
        return max(self.high / self.value - 1, 1 - self.low / self.value)


def of_forks(medians: Sequence[float]) -> Interval:
    """Geometric mean of the forks' medians, with its 95 % interval."""
    logs = [math.log(median) for median in medians]
    center = math.exp(statistics.fmean(logs))
    if len(logs) < FEWEST_FORKS:
        return Interval(center, min(medians), max(medians), "range", len(logs))
    error = statistics.stdev(logs) / math.sqrt(len(logs))
    half = quantile(len(logs) - 1) * error
    return Interval(center, center * math.exp(-half), center * math.exp(half), "interval", len(logs))


def ratio(above: Sequence[float], below: Sequence[float]) -> Interval:
    """How many times ``above`` is ``below``, with its 95 % interval by Welch's t."""
    value = of_forks(above).value / of_forks(below).value
    forks = min(len(above), len(below))
    if forks < FEWEST_FORKS:
        pairs = [a / b for a, b in itertools.product(above, below)]
        return Interval(value, min(pairs), max(pairs), "range", forks)
    error, freedom = standard_error(above, below)
    half = quantile(freedom) * error
    return Interval(value, value * math.exp(-half), value * math.exp(half), "interval", forks)


def mean_ratio(pairs: Sequence[tuple[Sequence[float], Sequence[float]]]) -> Interval:
    """Geometric mean of the ratios of ``pairs``, with the 95 % interval that their forks leave it.

    It is about these pairs alone, which are independent: not what further ones would give.
    """
    ratios = [ratio(above, below) for above, below in pairs]
    count, forks = len(pairs), min(one.forks for one in ratios)
    value, low, high = (
        math.exp(statistics.fmean(math.log(getattr(one, end)) for one in ratios))
        for end in ("value", "low", "high")
    )
    if forks < FEWEST_FORKS:
        return Interval(value, low, high, "range", forks)
    errors = [standard_error(above, below) for above, below in pairs]
    spread = sum(error**2 for error, _ in errors)
    if spread == 0:
        return Interval(value, value, value, "interval", forks)
    freedom = spread**2 / sum(error**4 / freedom for error, freedom in errors)
    half = quantile(freedom) * math.sqrt(spread) / count
    return Interval(value, value * math.exp(-half), value * math.exp(half), "interval", forks)


def smallest_step(above: Sequence[float], below: Sequence[float]) -> float:
    """The least change of a ratio, as a fraction, whose interval would leave 1 out 95 times in 100.

    By the spread of these forks: an error must not hide it (95 % one way) where the interval would be left
    (95 % both ways). With the smaller side's degrees of freedom, since the interval's own vary from run to
    run: so it is rather more than 95 times. Infinite under three forks.
    """
    if min(len(above), len(below)) < FEWEST_FORKS:
        return math.inf
    error, _ = standard_error(above, below)
    freedom = min(len(above), len(below)) - 1
    return math.expm1((quantile(freedom) + quantile(freedom, POWER)) * error)


def standard_error(above: Sequence[float], below: Sequence[float]) -> tuple[float, float]:
    """Standard error of the ratio's logarithm, and its degrees of freedom (Satterthwaite 1946)."""
    u, v = (statistics.variance(map(math.log, side)) / len(side) for side in (above, below))
    if u + v == 0:  # both sides without any spread
        return 0.0, math.inf
    freedom = (u + v) ** 2 / (u**2 / (len(above) - 1) + v**2 / (len(below) - 1))
    return math.sqrt(u + v), freedom


def forks_needed(above: Sequence[float], below: Sequence[float], precision: float) -> int | None:
    """Forks of either side that a ratio within ``precision`` would take, if they spread as these do.

    ``None`` if a side has fewer than two, or if that is more than ``MOST_FORKS``.
    """
    if min(len(above), len(below)) < 2:
        return None
    x, y = (statistics.variance(map(math.log, side)) for side in (above, below))
    half = math.log1p(precision)
    for forks in range(FEWEST_FORKS, MOST_FORKS + 1):
        if x + y == 0:
            return forks
        freedom = (forks - 1) * (x + y) ** 2 / (x**2 + y**2)
        if quantile(freedom) * math.sqrt((x + y) / forks) <= half:
            return forks
    return None


def quantile(freedom: Any, below: Any = (1 + CONFIDENCE) / 2) -> Any:
    """Of Student's t, of numbers or arrays; as it is called by default, for both ends of the interval."""
    from scipy.special import stdtrit  # scipy.stats takes a second to import, which every command would wait

    found = stdtrit(freedom, below)
    return float(found) if isinstance(found, float) else found
