"""Intervals against the formulas of a textbook, written out here, and t quantiles from its table."""

import math
import statistics
import warnings
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from benchmarks import intervals

# 97.5 % quantiles of Student's t by degrees of freedom, as tables print them
T_2, T_4 = 4.302653, 2.776445
TABLE = 1e-6  # the table's last digit, relative
EXACT = 1e-12  # a few roundings in float64

ABOVE = [200.0, 210.0, 190.0, 205.0, 260.0]
BELOW = [100.0, 105.0, 94.0]


def welch(above: Sequence[float], below: Sequence[float]) -> tuple[float, float]:
    """Ends of the 95 % interval of the ratio: Welch 1947, degrees of freedom by Satterthwaite 1946."""
    x, y = [math.log(value) for value in above], [math.log(value) for value in below]
    u, v = statistics.variance(x) / len(x), statistics.variance(y) / len(y)
    freedom = (u + v) ** 2 / (u**2 / (len(x) - 1) + v**2 / (len(y) - 1))
    half = float(stats.t.ppf(0.975, freedom)) * math.sqrt(u + v)
    apart = statistics.fmean(x) - statistics.fmean(y)
    return math.exp(apart - half), math.exp(apart + half)


# --- Width, and what a narrower one takes ------------------------------------------------


def test_a_width_is_the_further_end() -> None:
    assert intervals.Interval(2.0, 1.8, 2.3, "interval", 3).width == pytest.approx(0.15)  # 2.3 / 2 - 1
    assert intervals.Interval(2.0, 1.6, 2.3, "interval", 3).width == pytest.approx(0.2)  # 1 - 1.6 / 2


def test_a_range_has_no_width() -> None:
    assert intervals.of_forks([1.0, 1.0]).width == math.inf


@pytest.mark.parametrize("precision", [0.015, 0.03, 0.1])
def test_the_forks_needed_reach_the_precision_and_one_fewer_does_not(precision: float) -> None:
    needed = intervals.forks_needed(ABOVE, BELOW, precision)
    assert needed is not None

    def half(forks: int) -> float:
        x, y = (statistics.variance([math.log(v) for v in side]) for side in (ABOVE, BELOW))
        freedom = (forks - 1) * (x + y) ** 2 / (x**2 + y**2)  # Satterthwaite with equal numbers
        return float(stats.t.ppf(0.975, freedom)) * math.sqrt((x + y) / forks)

    assert half(needed) <= math.log1p(precision) < half(needed - 1)


# --- What could have been seen ------------------------------------------------------------


@pytest.mark.parametrize(("forks", "sigma"), [(3, 0.01), (6, 0.02), (30, 0.03)])
def test_the_smallest_step_is_seen_95_times_in_100(forks: int, sigma: float) -> None:
    generator = np.random.default_rng(1)
    z = np.linspace(-1, 1, forks)
    z /= z.std(ddof=1)  # forks that spread exactly as they do on average
    step = intervals.smallest_step(np.exp(sigma * z), np.exp(sigma * z))
    runs = 4000
    slow, fast = generator.normal(0, sigma, (2, runs, forks))
    seen = [
        intervals.ratio(np.exp(s + math.log1p(step)), np.exp(f)).low > 1
        for s, f in zip(slow, fast, strict=True)
    ]
    # Three standard errors of 4,000 runs below; above, what the cautious degrees of freedom add at 3 forks.
    assert 0.94 <= np.mean(seen) <= 0.995


def test_two_forks_would_show_no_step() -> None:
    assert intervals.smallest_step([1.0, 1.1], [1.0, 1.2, 1.1]) == math.inf


def test_forks_without_any_spread_need_no_more_than_an_interval_does() -> None:
    assert intervals.forks_needed([2.0, 2.0], [1.0, 1.0], 0.01) == 3


@pytest.mark.parametrize(("above", "below"), [([1.0], [1.0, 1.1]), ([1.0, 1.1], [1.0])])
def test_one_fork_tells_nothing_of_how_many_are_needed(above: list[float], below: list[float]) -> None:
    assert intervals.forks_needed(above, below, 0.03) is None


def test_a_precision_out_of_reach_is_said_to_be() -> None:
    assert intervals.forks_needed([1.0, 100.0], [1.0, 100.0], 0.001) is None


# --- One case -----------------------------------------------------------------------------


def test_the_value_of_a_case_is_the_geometric_mean() -> None:
    assert intervals.of_forks([2.0, 8.0, 4.0]).value == pytest.approx(4.0, rel=EXACT)  # (2·8·4)^(1/3)


def test_the_interval_of_a_case_is_students_on_logarithms() -> None:
    found = intervals.of_forks([2.0, 4.0, 8.0])
    # logarithms ln 2 apart: standard deviation ln 2, of the mean ln 2/√3
    half = T_2 * math.log(2) / math.sqrt(3)
    assert found.low == pytest.approx(4 * math.exp(-half), rel=TABLE * 2)  # half is 1.7: twice its error
    assert found.high == pytest.approx(4 * math.exp(half), rel=TABLE * 2)


def test_three_forks_make_an_interval() -> None:
    assert intervals.of_forks([1.0, 2.0, 3.0]).kind == "interval"


@pytest.mark.parametrize("medians", [[3.0], [3.0, 2.0]])
def test_fewer_than_three_forks_show_their_range(medians: list[float]) -> None:
    found = intervals.of_forks(medians)
    assert (found.kind, found.low, found.high) == ("range", min(medians), max(medians))


def test_a_case_says_its_number_of_forks() -> None:
    assert intervals.of_forks(ABOVE).forks == 5


def test_equal_forks_have_an_interval_without_width() -> None:
    found = intervals.of_forks([5.0] * 4)
    assert (found.low, found.high) == pytest.approx((5.0, 5.0), rel=EXACT)


# --- A ratio ------------------------------------------------------------------------------


def test_the_value_of_a_ratio_is_that_of_the_geometric_means() -> None:
    found = intervals.ratio([2.0, 4.0, 8.0], [1.0, 1.0, 8.0])
    assert found.value == pytest.approx(2.0, rel=EXACT)  # 4 / 2


def test_the_interval_of_a_ratio_is_welchs() -> None:
    found = intervals.ratio(ABOVE, BELOW)
    assert (found.low, found.high) == pytest.approx(welch(ABOVE, BELOW), rel=1e-9)  # SciPy's t, twice


def test_with_equal_spreads_the_ratio_has_the_tables_quantile() -> None:
    found = intervals.ratio([100 / 1.1, 100.0, 110.0], [50 / 1.1, 50.0, 55.0])
    # both logarithms have standard deviation ln 1.1, so Satterthwaite's degrees are 2 + 2
    half = T_4 * math.log(1.1) * math.sqrt(2 / 3)
    assert (found.low, found.high) == pytest.approx((2 * math.exp(-half), 2 * math.exp(half)), rel=TABLE)


def test_the_variances_are_not_pooled() -> None:
    found = intervals.ratio(ABOVE, BELOW)
    x, y = [math.log(value) for value in ABOVE], [math.log(value) for value in BELOW]
    pooled = stats.ttest_ind(x, y, equal_var=True).confidence_interval(0.95)
    assert found.low != pytest.approx(math.exp(pooled.low), rel=1e-3)


@pytest.mark.parametrize(("above", "below"), [([6.0, 9.0], [2.0, 3.0, 1.0]), ([6.0, 9.0, 12.0], [3.0])])
def test_a_ratio_with_fewer_than_three_forks_shows_its_range(above: list[float], below: list[float]) -> None:
    found = intervals.ratio(above, below)
    extremes = (min(above) / max(below), max(above) / min(below))
    assert (found.kind, found.low, found.high) == ("range", *extremes)


def test_a_ratio_says_the_smaller_number_of_forks() -> None:
    assert intervals.ratio(ABOVE, BELOW).forks == 3


@pytest.mark.parametrize("factor", [1e-3, 7.0, 1e6])
def test_the_unit_of_throughput_does_not_change_a_ratio(factor: float) -> None:
    found = intervals.ratio([factor * x for x in ABOVE], [factor * x for x in BELOW])
    expected = intervals.ratio(ABOVE, BELOW)
    ends = (expected.value, expected.low, expected.high)
    assert (found.value, found.low, found.high) == pytest.approx(ends, rel=1e-11)  # logarithms up to 20


@pytest.mark.parametrize(("above", "below"), [(ABOVE, BELOW), ([6.0, 9.0], [2.0, 3.0])])
def test_exchanging_the_sides_inverts_a_ratio(above: list[float], below: list[float]) -> None:
    found, other = intervals.ratio(above, below), intervals.ratio(below, above)
    inverse = (1 / other.value, 1 / other.high, 1 / other.low)
    assert (found.value, found.low, found.high) == pytest.approx(inverse, rel=1e-11)  # SciPy's t, twice


def test_overlapping_forks_leave_open_who_is_faster() -> None:
    found = intervals.ratio([90.0, 100.0, 110.0], [95.0, 105.0, 100.0])
    assert found.low < 1 < found.high


@pytest.mark.parametrize(
    ("above", "below", "value"), [([3.0] * 3, [2.0] * 3, 1.5), ([1.1] * 3, [1.1] * 4, 1.0)]
)
def test_sides_without_spread_have_a_ratio_without_width(
    above: list[float], below: list[float], value: float
) -> None:
    found = intervals.ratio(above, below)
    assert (found.value, found.low, found.high) == pytest.approx((value,) * 3, rel=EXACT)


@pytest.mark.parametrize("above", [[3.0] * 3, [3.0, 3.1, 3.2]])
def test_a_side_without_spread_is_no_reason_for_a_warning(above: list[float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it would stand on the user's terminal, between the tables
        intervals.ratio(above, [2.0] * 3)


def test_ratio_agrees_with_scipy() -> None:
    """SciPy's own Welch interval on the same logarithms: another implementation of the same method."""
    above, below = [101.0, 98.5, 103.2, 99.9], [80.1, 84.9, 79.2]
    result = stats.ttest_ind(np.log(above), np.log(below), equal_var=False).confidence_interval(0.95)
    found = intervals.ratio(above, below)
    assert (found.low, found.high) == pytest.approx((np.exp(result.low), np.exp(result.high)), rel=1e-9)


# --- Several ratios together --------------------------------------------------------------


def test_the_mean_of_one_ratio_is_that_ratio() -> None:
    mean, alone = intervals.mean_ratio([(ABOVE, BELOW)]), intervals.ratio(ABOVE, BELOW)
    assert (mean.value, mean.low, mean.high) == pytest.approx((alone.value, alone.low, alone.high), rel=EXACT)


def test_the_mean_of_ratios_is_geometric_and_its_error_that_of_a_mean() -> None:
    up, down = (ABOVE, BELOW), (BELOW, ABOVE)
    mean = intervals.mean_ratio([up, down])
    assert mean.value == pytest.approx(1.0, rel=EXACT)
    x, y = ([math.log(value) for value in side] for side in up)
    u, v = statistics.variance(x) / len(x), statistics.variance(y) / len(y)
    each = (u + v) ** 2 / (u**2 / (len(x) - 1) + v**2 / (len(y) - 1))
    half = float(stats.t.ppf(0.975, 2 * each)) * math.sqrt(2 * (u + v)) / 2  # equal errors: twice the freedom
    assert math.log(mean.high) == pytest.approx(half, rel=EXACT)


def test_a_mean_with_too_few_forks_in_it_is_a_range() -> None:
    mean = intervals.mean_ratio([(ABOVE, BELOW), ([2.0, 2.0], [1.0, 1.0])])
    assert (mean.kind, mean.low, mean.high) == (
        "range",
        pytest.approx(2.0),
        intervals.ratio(ABOVE, BELOW).value,
    )
