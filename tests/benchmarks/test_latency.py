"""Percentiles of latencies, with their number."""

import dataclasses
from collections.abc import Sequence

import pytest
from made_forks import fork_of

from benchmarks import latency
from benchmarks.plan import Case
from benchmarks.results import Fork

CASE = Case("mlp", "training", 32, "pytorch")


@pytest.mark.parametrize(("steps", "count"), [(1, 3), (2, 0)])
def test_blocks_of_one_step_are_latencies(steps: int, count: int) -> None:
    made = fork_of(CASE, 10)
    fields = {**made.fields, "steps_per_block": steps}
    blocks = dataclasses.replace(made, fields=fields, seconds=(1.0, 2.0, 3.0))
    assert blocks.latencies == (1.0, 2.0, 3.0)[:count]


def fork(seconds: Sequence[float]) -> Fork:
    made = fork_of(CASE, 10)
    return dataclasses.replace(made, fields={**made.fields, "latencies_s": list(seconds)})


def test_percentiles_are_taken_over_all_forks() -> None:
    found = latency.of_forks([fork([n / 100 for n in range(50)]), fork([n / 100 for n in range(50, 101)])])
    assert found is not None
    # of 0, 0.01 … 1 the p-th percentile is p / 100
    assert (found.p50, found.p90, found.p99, found.count) == pytest.approx((0.5, 0.9, 0.99, 101))


@pytest.mark.parametrize(("count", "indicative"), [(999, True), (1000, False)])
def test_p99_of_fewer_than_a_thousand_is_indicative(count: int, indicative: bool) -> None:
    found = latency.of_forks([fork([1.0] * count)])
    assert found is not None
    assert found.p99_is_indicative is indicative


@pytest.mark.parametrize("forks", [[], [fork([])], [fork([1.0])], [fork_of(CASE, 10)]])
def test_without_two_latencies_there_are_no_percentiles(forks: list[Fork]) -> None:
    assert latency.of_forks(forks) is None
