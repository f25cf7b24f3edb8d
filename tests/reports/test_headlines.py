"""One answer a task: over which works, by how much."""

import math
from typing import Any

import pytest
from scipy import stats

from benchmarks import intervals
from benchmarks.plan import Case
from reports import headlines, queries

ABOVE = [[100.0, 102.0, 98.0], [50.0, 50.5, 49.5]]
BELOW = [[50.0, 51.0, 50.5], [20.0, 20.4, 19.9]]


def found(folder: Any, rates: dict[Case, list[float]]) -> list[headlines.Headline]:
    for case, values in rates.items():
        folder.forks(case, folder.certificate(case.network, case.framework), values)
    return list(headlines.of(queries.read(folder.path)))


def case(batch: int, framework: str, task: Any = "inference") -> Case:
    return Case("mlp", task, batch, framework)


def test_a_mean_of_ratios_is_welchs_t_of_their_mean_logarithm() -> None:
    mean = intervals.mean_ratio(list(zip(ABOVE, BELOW, strict=True)))
    logs = [[math.log(value) for value in side] for side in (*ABOVE, *BELOW)]
    variances = [stats.tvar(side) / 3 for side in logs]
    spread = sum(variances)
    freedom = spread**2 / sum(variance**2 / 2 for variance in variances)  # Satterthwaite over all four sides
    center = (sum(map(math.fsum, logs[:2])) - sum(map(math.fsum, logs[2:]))) / 6
    half = stats.t.ppf(0.975, freedom) * math.sqrt(spread) / 2
    assert mean.value == pytest.approx(math.exp(center))
    assert (mean.low, mean.high) == pytest.approx((math.exp(center - half), math.exp(center + half)))


def test_a_mean_of_one_ratio_is_that_ratio() -> None:
    assert intervals.mean_ratio([(ABOVE[0], BELOW[0])]).low == pytest.approx(
        intervals.ratio(ABOVE[0], BELOW[0]).low
    )


def test_a_mean_with_two_forks_somewhere_is_a_range() -> None:
    assert intervals.mean_ratio([(ABOVE[0], BELOW[0]), ([2.0, 4.0], [1.0, 1.0])]).kind == "range"


def test_a_headline_is_the_mean_over_the_works_of_a_task(folder: Any) -> None:
    rates = {}
    for number, batch in enumerate((1, 8)):
        rates |= {case(batch, "pytorch"): ABOVE[number], case(batch, "paddle"): BELOW[number]}
    (one,) = found(folder, rates)
    assert (one.first.title, len(one.works), one.of) == ("pytorch", 2, 2)
    ((other, lead),) = one.others
    assert other.title == "paddle"
    assert lead.value == pytest.approx(intervals.mean_ratio(list(zip(ABOVE, BELOW, strict=True))).value)


def test_works_that_lack_a_rival_are_left_out_and_counted(folder: Any) -> None:
    rates = {case(1, "pytorch"): ABOVE[0], case(1, "paddle"): BELOW[0], case(8, "pytorch"): ABOVE[1]}
    (one,) = found(folder, rates)
    assert ([work.batch for work in one.works], one.of) == ([1], 2)
    assert [other.title for other, _ in one.others] == ["paddle"]


def test_each_task_has_a_headline_of_its_own(folder: Any) -> None:
    rates = {case(1, "pytorch"): ABOVE[0], case(1, "pytorch", "training"): BELOW[0]}
    assert [one.task for one in found(folder, rates)] == ["inference", "training"]
