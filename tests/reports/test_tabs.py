"""Which views a page has: those that have something to show."""

from typing import Any

import pytest

from benchmarks.plan import Case
from reports import dataset, queries, tabs


def views(folder: Any) -> set[str]:
    found = tabs.of(dataset.of([queries.read(folder.path)]))
    return {view for tab in found for view in tab.views}


@pytest.mark.parametrize(("network", "there"), [("mlp", True), ("alexnet", False)])
def test_a_sweep_is_of_one_works_batch_sizes(folder: Any, network: str, there: bool) -> None:
    """One case is of the MLP at batch 1, the other at batch 8."""
    for case in (Case("mlp", "inference", 1, "pytorch"), Case(network, "inference", 8, "pytorch")):
        folder.forks(case, folder.certificate(case.network, "pytorch"), [100.0, 101.0])
    assert ("sweep" in views(folder)) == there


def test_without_a_case_there_is_no_sweep(folder: Any) -> None:
    assert "sweep" not in views(folder)
