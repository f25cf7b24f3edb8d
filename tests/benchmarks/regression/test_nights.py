"""The spread of nights, against what it must come to for values whose spread is known."""

import math

import numpy as np
import pytest

from benchmarks.regression import nights
from benchmarks.regression.nights import Spread


def test_a_nights_value_is_the_mean_of_its_forks_logarithms() -> None:
    value, within = nights.values([100.0, 400.0])
    assert float(value) == pytest.approx(math.log(200.0), rel=1e-12)  # float64 roundings
    assert float(within) == pytest.approx(
        math.log(2) ** 2 * 2, rel=1e-12
    )  # two values, log 2 from their mean
    assert nights.value_of_forks([100.0, 400.0]) == pytest.approx(200.0, rel=1e-12)


def test_one_fork_has_no_variance() -> None:
    assert np.isnan(nights.values([100.0])[1])


@pytest.mark.parametrize("count", [9, 10, 20, 40, 60])
def test_the_variance_of_normal_nights_is_theirs(count: int) -> None:
    drawn = np.random.default_rng(1).normal(3.0, 2.0, (20_000, count))  # other draws than the calibration's
    level, spread = nights.level(drawn)
    assert level.mean() == pytest.approx(3.0, abs=0.02)  # 4 standard errors of the mean of 20,000 levels
    assert spread.variance.mean() == pytest.approx(4.0, rel=0.02)  # both sides drawn: 4 standard errors
    # Its own spread is that of chi-square with the degrees of freedom that it claims.
    assert spread.variance.var() == pytest.approx(2 * 16 / spread.freedom[0], rel=0.1)


def test_one_wild_night_moves_neither_level_nor_spread_much() -> None:
    calm = np.random.default_rng(2).normal(0.0, 0.01, 20)
    wild = calm.copy()
    wild[7] = -0.5
    (before, calmly), (after, wildly) = nights.level(calm), nights.level(wild)
    assert abs(after - before) < 0.005  # half a deviation; the plain mean moves by 0.025
    assert wildly.variance < 3 * calmly.variance
    assert wild.var() > 50 * calm.var()  # what an ordinary variance would have become


def test_like_cases_lend_each_other_their_nights() -> None:
    generator = np.random.default_rng(3)
    own = Spread(generator.chisquare(9, 100) / 9, np.full(100, 9.0))  # all of variance 1
    together = nights.pooled(own, floor=1e-6)
    assert np.ptp(together.variance) < 0.3 * np.ptp(own.variance)
    assert together.freedom.min() > 50


def test_unlike_cases_keep_to_their_own() -> None:
    generator = np.random.default_rng(4)
    true = np.exp(generator.normal(0, 3, 100))
    own = Spread(true * generator.chisquare(9, 100) / 9, np.full(100, 9.0))
    together = nights.pooled(own, floor=1e-6)
    assert together.freedom.max() < 10
    assert np.median(np.abs(np.log(together.variance / own.variance))) < 0.1  # half keep 90 % of their own


def test_a_trend_is_followed_where_there_is_one() -> None:
    generator = np.random.default_rng(5)
    trend = generator.normal(0, 2, 100)
    own = Spread(np.exp(trend) * generator.chisquare(9, 100) / 9, np.full(100, 9.0))
    assert nights.pooled(own, 1e-6, trend).freedom.min() > 5 * nights.pooled(own, 1e-6).freedom.min()


def test_what_never_varies_has_the_floor() -> None:
    together = nights.pooled(Spread(np.zeros(5), np.full(5, 9.0)), floor=0.01)
    assert together.variance == pytest.approx(
        1e-4, rel=0.2
    )  # a little above: as if these variances were drawn


def test_two_cases_are_too_few_to_lend() -> None:
    own = Spread(np.array([1.0, 4.0]), np.array([9.0, 9.0]))
    assert nights.pooled(own, 1e-6).variance.tolist() == [1.0, 4.0]


def test_the_inverse_of_trigamma() -> None:
    assert nights._trigamma_inverse(math.pi**2 / 6) == pytest.approx(
        1.0, rel=1e-6
    )  # trigamma(1), a known value
