import math
import statistics

import numpy as np
import pytest
from scipy import stats

from benchmarks.training.equivalence import FEWEST_SEEDS, MARGIN, compare

BASE = [0.87 + 0.003 * math.sin(number) for number in range(12)]


def shifted(by: float, spread: float = 0.0) -> list[float]:
    return [value + by + spread * math.cos(7 * number) for number, value in enumerate(BASE)]


@pytest.mark.parametrize(("by", "spread"), [(0.0, 0.002), (0.003, 0.004), (-0.004, 0.003), (0.01, 0.01)])
def test_p_is_the_larger_of_two_one_sided_t_tests(by: float, spread: float) -> None:
    differences = np.array(shifted(by, spread)) - BASE
    above = stats.ttest_1samp(differences, -MARGIN, alternative="greater").pvalue
    below = stats.ttest_1samp(differences, MARGIN, alternative="less").pvalue
    assert compare(shifted(by, spread), BASE).p == pytest.approx(max(above, below), rel=1e-9)


@pytest.mark.parametrize(("by", "spread"), [(0.0, 0.002), (0.003, 0.004), (0.01, 0.01)])
def test_the_interval_holds_90_percent(by: float, spread: float) -> None:
    found = compare(shifted(by, spread), BASE)
    differences = np.array(shifted(by, spread)) - BASE
    low, high = stats.ttest_1samp(differences, 0).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)
    assert found.mean == pytest.approx(statistics.fmean(differences), rel=1e-9)


def test_small_differences_of_enough_seeds_are_equivalent() -> None:
    assert compare(shifted(0.001, 0.002), BASE).verdict == "equivalent"


def test_equal_accuracies_are_equivalent() -> None:
    found = compare(BASE, BASE)
    assert (found.verdict, found.p, found.mean) == ("equivalent", 0.0, 0.0)


def test_a_clear_difference_is_different_in_either_direction() -> None:
    assert compare(shifted(0.02, 0.002), BASE).verdict == "different"
    assert compare(shifted(-0.02, 0.002), BASE).verdict == "different"


def test_a_difference_at_the_margin_is_undecided() -> None:
    assert compare(shifted(MARGIN, 0.002), BASE).verdict == "undecided"


def test_a_wide_spread_is_undecided() -> None:
    assert compare(shifted(0.0, 0.02), BASE).verdict == "undecided"


@pytest.mark.parametrize("seeds", [1, 2, FEWEST_SEEDS - 1])
def test_fewer_than_ten_seeds_may_only_say_undecided(seeds: int) -> None:
    assert compare(BASE[:seeds], BASE[:seeds]).verdict == "undecided"
    assert compare(shifted(0.5)[:seeds], BASE[:seeds]).verdict == "undecided"


def test_a_verdict_follows_the_pairs_and_not_the_means() -> None:
    """Seeds that differ by points among themselves do not hide that frameworks agree on each."""
    spread = [0.8 + 0.02 * number for number in range(10)]
    assert compare([value + 0.0005 for value in spread], spread).verdict == "equivalent"
    assert compare(list(reversed(spread)), spread).verdict == "undecided"


def test_false_equivalence_is_as_rare_as_it_claims() -> None:
    """At the margin itself 5 % of all runs may say equivalent: 2,000 simulated ones, ±2 points allowed."""
    draws = np.random.default_rng(0)
    noise = draws.normal(MARGIN, 0.002, (2000, 10))
    said = sum(compare(row.tolist(), [0.0] * 10).verdict == "equivalent" for row in noise)
    assert 0.03 < said / 2000 < 0.07


def test_unpaired_rows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shorter"):
        compare(BASE, BASE[:-1])
