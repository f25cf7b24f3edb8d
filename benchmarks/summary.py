"""The table that ends a run: throughput of every case with its interval, and the ratio to the fastest."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from rich.table import Table

from benchmarks.comparisons import comparisons
from benchmarks.intervals import Interval
from benchmarks.results import Fork, case_of

HEADINGS = ("network", "task", "batch", "framework", "forks", "images/s", "of the fastest", "step seen")


def table(forks: Iterable[Fork], failures: Iterable[dict[str, Any]] = ()) -> Table:
    """A row a case; cases that were compared stand together, the fastest first.

    "step seen" is the smallest difference to the fastest that the forks would have shown 95 times in 100.
    """
    result = Table(title="Throughput in images/s (95 % interval over forks)")
    for heading in HEADINGS:
        result.add_column(heading)
    for comparison in comparisons(forks):
        for case, counted in comparison.forks.items():
            share, step = comparison.of_fastest(case), comparison.smallest_step(case)
            cells = (
                str(len(counted)),
                shown(comparison.throughput(case)),
                shown(share) if share else "fastest",
                f"{100 * step:.1f} %" if step is not None else "",
            )
            result.add_row(case.network, case.task, str(case.batch), case.title, *cells)
        result.add_section()
    for row in _failed_rows(failures):
        result.add_row(*row)
    return result


def _failed_rows(failures: Iterable[dict[str, Any]]) -> list[tuple[str, ...]]:
    """A row a case with failed forks: how many, and the reason of the last."""
    cases: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for failure in failures:
        if failure["fork"] is not None:
            case = case_of(failure)
            cases[case.network, case.task, str(case.batch), case.title].append(failure["reason"])
    return [(*case, f"{len(reasons)} FAILED", reasons[-1], "", "") for case, reasons in cases.items()]


def shown(interval: Interval) -> str:
    """``12.3 (11.9 to 12.7)``; a range of fewer than three forks is called one."""
    digits = 3 if interval.value < 2 else 1
    ends = f"{interval.low:,.{digits}f} to {interval.high:,.{digits}f}"
    return f"{interval.value:,.{digits}f} ({'range ' if interval.kind == 'range' else ''}{ends})"
