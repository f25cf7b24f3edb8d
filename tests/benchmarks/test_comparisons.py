"""What is compared, which forks count, and which are added: on forks whose medians are chosen here."""

import dataclasses
import math
from collections.abc import Sequence

import pytest
from made_forks import fork_of

from benchmarks import comparisons
from benchmarks.comparisons import Comparison
from benchmarks.plan import Case
from benchmarks.results import Fork

WORK = ("mlp", "training", 32, "equal")
A, B, C = (Case("mlp", "training", 32, name) for name in ("pytorch", "keras-tensorflow", "paddle"))
OTHER = Case("mlp", "inference", 32, "pytorch")
BUSY = ("other processes took 40% of the cores' time",)


def forks(case: Case, medians: Sequence[float], disturbed: Sequence[int] = ()) -> list[Fork]:
    return [fork_of(case, m, BUSY if i in disturbed else ()) for i, m in enumerate(medians)]


def compared(*groups: list[Fork]) -> list[Comparison]:
    return comparisons.comparisons(fork for group in groups for fork in group)


def test_cases_of_one_work_stand_together_the_fastest_first() -> None:
    (found,) = compared(forks(A, [10, 11, 12]), forks(B, [20, 21, 22]), forks(C, [5, 6, 7]))
    assert (found.work, list(found.forks)) == (WORK, [B, A, C])


def test_other_work_is_another_comparison() -> None:
    assert [c.work for c in compared(forks(A, [1]), forks(OTHER, [1]))] == [OTHER.work, WORK]


def test_only_the_fastest_has_no_ratio_to_the_fastest() -> None:
    (found,) = compared(forks(A, [10, 11, 12]), forks(B, [20, 22, 24]))
    assert found.of_fastest(B) is None
    ratio = found.of_fastest(A)
    assert ratio is not None
    assert ratio.value == pytest.approx(0.5)  # each fork of B is twice one of A


def test_what_infers_only_belongs_to_both_policies() -> None:
    exported = Case("mlp", "inference", 32, "onnxruntime", "pytorch")
    best = Case("mlp", "inference", 32, "pytorch", policy="best")
    found = compared(forks(exported, [30]), forks(OTHER, [10]), forks(best, [20]))
    assert [list(c.forks) for c in found] == [[exported, best], [exported, OTHER]]


def test_under_a_policy_of_its_own_it_belongs_there_alone() -> None:
    exported = Case("mlp", "inference", 32, "onnxruntime", "pytorch")
    own = Case("mlp", "inference", 32, "onnxruntime", "pytorch", "best")
    assert [list(c.forks) for c in compared(forks(exported, [30]), forks(own, [40]))] == [[own], [exported]]


# --- Which forks count --------------------------------------------------------------------


def test_a_disturbed_fork_does_not_count_where_enough_others_do() -> None:
    (found,) = compared(forks(A, [10, 10, 90, 10], disturbed=[2]))
    assert found.medians(A) == (10, 10, 10)


def test_disturbed_forks_count_where_the_others_are_too_few_for_an_interval() -> None:
    (found,) = compared(forks(A, [10, 10, 90], disturbed=[2]))
    assert found.medians(A) == (10, 10, 90)


def test_each_disturbed_fork_of_the_first_is_to_be_repeated_once() -> None:
    three = numbered(forks(A, [10, 10, 10], disturbed=[0, 2]))
    assert comparisons.to_repeat(three, first=3) == [A, A]
    five = numbered(forks(A, [10] * 5, disturbed=[0, 2, 3, 4]))  # the repetitions were disturbed too
    assert comparisons.to_repeat(five, first=3) == []


def test_undisturbed_forks_are_not_repeated() -> None:
    assert comparisons.to_repeat(numbered(forks(A, [10, 20, 30])), first=3) == []


def numbered(made: list[Fork]) -> list[Fork]:
    numbers = enumerate(made, start=1)
    return [dataclasses.replace(f, attributes={**f.attributes, "fork": n}) for n, f in numbers]


# --- Which forks are added ----------------------------------------------------------------


def test_nothing_is_added_where_every_ratio_is_narrow() -> None:
    narrow = compared(forks(A, [100, 100.1, 100.2]), forks(B, [200, 200.1, 200.2]))
    assert comparisons.widest(narrow, 0.03) == []


def test_both_sides_of_a_wide_ratio_get_a_fork() -> None:
    wide = compared(forks(A, [100, 110, 120]), forks(B, [200, 200.1, 200.2]))
    assert comparisons.widest(wide, 0.03) == [A, B]


def test_the_widest_ratio_comes_first_and_no_case_twice() -> None:
    found = compared(forks(A, [100, 101, 110]), forks(B, [200, 200.1, 200.2]), forks(C, [50, 60, 80]))
    assert comparisons.widest(found, 0.03) == [C, B, A]


def test_a_ratio_that_is_narrow_enough_gets_none() -> None:
    found = compared(forks(A, [100, 100, 100.1]), forks(B, [200, 200.1, 200.2]), forks(C, [50, 60, 80]))
    assert comparisons.widest(found, 0.03) == [C, B]


def test_two_forks_are_no_interval_and_so_too_wide() -> None:
    assert comparisons.widest(compared(forks(A, [100, 100]), forks(B, [200, 200])), 0.5) == [A, B]


def test_a_case_that_is_compared_with_nothing_gets_none() -> None:
    assert comparisons.widest(compared(forks(A, [1, 2, 3])), 0.03) == []


# --- How narrow it became -----------------------------------------------------------------


def test_the_precision_counts_ratios_and_names_the_widest() -> None:
    found = compared(forks(A, [100, 110, 120]), forks(B, [200, 200.1, 200.2]), forks(C, [50, 50, 50.1]))
    reached = comparisons.precision_of(found, precision=0.03, target=0.015)
    (comparison,) = found
    ratio = comparison.of_fastest(A)
    assert ratio is not None
    assert (reached.ratios, reached.reached, reached.widest) == (2, 1, ratio.width)


def test_the_price_is_the_forks_that_each_side_lacks() -> None:
    found = compared(forks(A, [100, 110, 120]), forks(B, [200, 200.1, 200.2]))
    needed = comparisons.intervals.forks_needed([100, 110, 120], [200, 200.1, 200.2], 0.015)
    assert needed is not None
    reached = comparisons.precision_of(found, precision=0.03, target=0.015)
    assert reached.forks_to_target == 2 * (needed - 3)


def test_no_price_is_named_where_no_spread_is_known() -> None:
    reached = comparisons.precision_of(compared(forks(A, [1]), forks(B, [2])), 0.03, 0.015)
    assert (reached.forks_to_target, reached.widest) == (None, math.inf)


def test_nothing_compared_needs_nothing() -> None:
    reached = comparisons.precision_of([], 0.03, 0.015)
    assert (reached.ratios, reached.widest, reached.forks_to_target) == (0, 0.0, 0)


@pytest.mark.parametrize(
    ("width", "shown"), [(0.03, "±3.0 %"), (0.0149, "±1.5 %"), (math.inf, "no interval yet")]
)
def test_a_width_is_shown_in_percent(width: float, shown: str) -> None:
    assert comparisons.shown_width(width) == shown
