"""How far a series' nights lie apart: one value a night, its variance, and what other cases tell of it.

A night's value is the mean of the logarithms of its forks' values, so that a change is a ratio. All functions
work along the last axis: one series, or many of equal length at once.
"""

import functools
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]

FEWEST = 10  # nights that a variance is taken from
MOST = 60  # older ones say little about tonight
TRIMMED = 0.05  # of the nights at either end, one at least, which count as the next further in
TREND_CASES = 10  # fewer have no trend that could be told from chance
DRAWS, SEED = 20_000, 20261125


@dataclass(frozen=True)
class Spread:
    """Variance of one night's value as the forks' own and all together, with its degrees of freedom."""

    variance: Values
    freedom: Values


def values(forks: ArrayLike) -> tuple[Values, Values]:
    """Night values and the variance of one fork's logarithm, of (..., forks) results above 0."""
    logs = np.log(np.asarray(forks, float))
    within = logs.var(axis=-1, ddof=1) if logs.shape[-1] > 1 else np.full(logs.shape[:-1], np.nan)
    return logs.mean(axis=-1), within


def value_of_forks(forks: ArrayLike) -> float:
    """A night's value, not as a logarithm."""
    return float(np.exp(values(forks)[0]))


def level(nights: Values) -> tuple[Values, Spread]:
    """Mean and spread of (..., nights) values, a twentieth at either end drawn in.

    One night that something disturbed neither moves the level nor hides the next step.
    """
    drawn_in = _winsorised(nights)
    scale, freedom = _calibration(nights.shape[-1])
    variance = drawn_in.var(axis=-1, ddof=1) / scale
    return drawn_in.mean(axis=-1), Spread(variance, np.full(variance.shape, freedom))


def _winsorised(nights: Values) -> Values:
    count = nights.shape[-1]
    trimmed = max(1, int(TRIMMED * count))
    ordered = np.sort(nights, axis=-1)
    return np.clip(nights, ordered[..., trimmed, None], ordered[..., count - 1 - trimmed, None])


@functools.cache
def _calibration(count: int) -> tuple[float, float]:
    """What drawing in makes of a variance of 1, and the degrees of freedom left, of normal values.

    By simulation: there is no formula for so few.
    """
    drawn = np.random.default_rng(SEED).standard_normal((DRAWS, count))
    variances = _winsorised(drawn).var(axis=-1, ddof=1)
    scale = float(variances.mean())
    return scale, 2 * scale**2 / float(variances.var())


def pooled(found: Spread, floor: float, trend: Values | None = None) -> Spread:
    """The spread of every case, drawn towards that of all cases of its machine (Smyth 2004).

    How far depends on how alike the cases are: alike ones lend each other their nights, and unlike ones keep
    to their own. ``trend``, the logarithm of what a case's variance may go with, is followed where it tells
    anything. ``floor`` is the least standard deviation, for what hardly varies at all.
    """
    variance = np.maximum(found.variance, floor**2)
    if len(variance) < 3:
        return Spread(variance, found.freedom)
    half = found.freedom / 2
    centered = np.log(variance) - _digamma(half) + np.log(half)
    expected, lost = _expected(centered, trend)
    unlike = float(np.sum((centered - expected) ** 2) / (len(centered) - lost) - _trigamma(half).mean())
    if unlike <= 0:
        prior = np.exp(expected)
        return Spread(np.maximum(prior, floor**2), np.full(prior.shape, float(found.freedom.sum())))
    lent = 2 * _trigamma_inverse(unlike)
    prior = np.exp(expected + _digamma(lent / 2) - np.log(lent / 2))
    together = (lent * prior + found.freedom * variance) / (lent + found.freedom)
    return Spread(np.maximum(together, floor**2), found.freedom + lent)


def _expected(centered: Values, trend: Values | None) -> tuple[Values, int]:
    """What each variance's logarithm should be by the others, and the degrees of freedom that took."""
    if trend is None or len(centered) < TREND_CASES or np.ptp(trend) == 0:
        return np.full(centered.shape, centered.mean()), 1
    slope, start = np.polyfit(trend, centered, 1)
    return start + slope * trend, 2


def _digamma(x: Values | float) -> Values:
    from scipy import special  # every command would wait for it

    return cast(Values, special.digamma(x))


def _trigamma(x: Values | float) -> Values:
    from scipy import special

    return cast(Values, special.polygamma(1, x))


def _trigamma_inverse(y: float) -> float:
    """The x with trigamma(x) = ``y``; trigamma falls from infinity to 0."""
    from scipy import optimize

    return float(optimize.brentq(lambda x: float(_trigamma(x)) - y, 1e-8, 1e8))
