"""Dataclasses → the data that the page's script filters, sorts and draws. Nothing about HTML."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks import intervals
from implementations.claims import titled
from implementations.network import place
from implementations.policies import BEST, EQUAL
from reports import charts, columns, headings, learning_data, sameness_data
from reports.columns import ends, short
from reports.queries import Group, Measured, Report
from reports.wording import shortened

FILTERS = {
    "run": "Run",
    "network": "Network",
    "task": "Task",
    "name": "Framework",
    "device": "Device",
    "precision": "Precision",
    "policy": "Policy",
}
Row = dict[str, Any]


def of(reports: Sequence[Report], history: Sequence[Row] = ()) -> Row:
    """All that the page's charts and tables show of ``reports`` and of ``history``."""
    prepared = {
        **sameness_data.rows(reports),
        **learning_data.rows(reports),
        "failures": [row for report in reports for row in _failures(report)],
        "history": list(history),
    }
    return {
        **bare(prepared, _names(reports, history), sameness_data.extra_columns(reports)),
        "cases": columns.packed([case for report in reports for case in _cases(report)]),
        "groups": [_group(group) for report in reports for group in report.groups],
        "policies": columns.packed([row for report in reports for row in _gains(report)]),
        "roofs": [_roofs(report) for report in reports if report.ceilings],
        "trainings": [
            {**report.origin, **learning_data.training(t)} for report in reports for t in report.trainings
        ],
    }


def bare(rows: Mapping[str, list[Row]], names: Sequence[str], extra: Mapping[str, Any] | None = None) -> Row:
    """A page's data with ``rows`` by table, and no case; ``names`` are the frameworks in it."""
    return {
        "filters": FILTERS,
        "looks": charts.looks(names),
        "cases": {},
        "groups": [],
        "policies": {},
        "rows": {name: found for name, found in rows.items() if found},
        "tables": headings.as_data(extra or {}),
        "charts": charts.specifications(),
        "roofs": [],
        "trainings": [],
    }


def _names(reports: Sequence[Report], history: Iterable[Row]) -> list[str]:
    """All frameworks' titles, by the table of adapters."""
    groups = {case.title: case.case.framework for r in reports for g in r.groups for case in g.cases}
    proofs = {titled(p.framework, p.exporter): p.framework for r in reports for p in r.proofs}
    curves = {c.framework: c.framework for r in reports for t in r.trainings for c in t.curves}
    found = {**proofs, **groups, **curves, **{row["name"]: row["name"] for row in history}}
    return sorted(found, key=lambda name: (place(found[name]), name))


# --- Measured cases -----------------------------------------------------------------------


def _cases(report: Report) -> Iterable[Row]:
    for group in report.groups:
        for case in group.cases:
            yield {**_identity(report, group, case), **_numbers(case), **_behind(case)}


def _identity(report: Report, group: Group, case: Measured) -> Row:
    return {
        **report.origin,
        "network": group.network,
        "task": group.task,
        "batch": group.batch,
        "policy": group.policy,
        "name": case.title,
        "precision": case.details.precision,
    }


def _numbers(case: Measured) -> Row:
    return {
        "rate": ends(case.throughput),
        "medians": [short(median) for median in case.medians],
        "rss": case.peak_rss_mib,
        "device_mib": case.peak_device_mib,
        **{phase: case.phases_s.get(phase) for phase in ("import", "build", "first_call", "warmup")},
        "steady": _steady(case),
        "certificates": list(case.certificates),
        "files": _named([file.name for file in case.files]),
        "sha256": [file.sha256 for file in case.files],
    }


def _named(files: Sequence[str]) -> list[str]:
    """How all names begin, then how each goes on."""
    pairs = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*files, strict=False))
    begin = "".join(letters[0] for letters in pairs)
    return [begin, *(name[len(begin) :] for name in files)]


def _steady(case: Measured) -> str:
    if case.steady == case.throughput.forks:
        return "yes"
    return f"{case.steady} of {case.throughput.forks}" if case.steady else "no"


def _behind(case: Measured) -> Row:
    found = case.details
    latency = found.latency
    return {
        "p50": latency and latency.p50 * 1e3,
        "p90": latency and latency.p90 * 1e3,
        "p99": latency and latency.p99 * 1e3,
        "indicative": bool(latency and latency.p99_is_indicative),
        "steps": latency and latency.count,
        "compile": found.compile_s,
        "gflops": found.gflop_per_s,
        "share_flop": found.share_of_ceiling,
        "gbytes": found.gbytes_per_s,
        "share_copy": found.share_of_copy,
        "intensity": found.intensity,
        "held": found.held_mib,
        "joules": found.joules_per_image,
        "switches": [f"{name} {value}" for name, value in found.switches.items()],
        "notes": list(found.notes),
    }


def _group(group: Group) -> Row:
    """How many cases it has, and every pair's ratio, the faster's to the slower's, with the step seen."""
    sides = [case.medians for case in group.cases]
    return {
        "count": len(sides),
        "pairs": [_pair(above, below) for above, below in itertools.combinations(sides, 2)],
    }


def _pair(above: Sequence[float], below: Sequence[float]) -> list[Any]:
    step = intervals.smallest_step(above, below)
    found = ends(intervals.ratio(above, below)) or []
    return [*found[:3], short(step) if math.isfinite(step) else None]


# --- Beside the cases ---------------------------------------------------------------------


def _gains(report: Report) -> Iterable[Row]:
    """What policy best is worth to each framework that has both."""
    equal = {
        (group.network, group.task, group.batch, case.title): case
        for group in report.groups
        if group.policy == EQUAL
        for case in group.cases
    }
    for group in report.groups:
        for case in group.cases if group.policy == BEST else ():
            other = equal.get((group.network, group.task, group.batch, case.title))
            if other is not None and case.case.policy == BEST:
                yield {
                    **_identity(report, group, case),
                    "policy": [EQUAL, BEST],
                    "rate": short(case.throughput.value),
                    "equal_rate": short(other.throughput.value),
                    "gain": ends(intervals.ratio(case.medians, other.medians)),
                }


def _roofs(report: Report) -> Row:
    """The run's ceilings: FLOP/s by precision, bytes/s of a copy."""
    flops = {name: short(value) for name, value in report.ceilings.items() if name != "copy"}
    return {**report.origin, "flop": flops, "copy": short(report.ceilings.get("copy"))}


def _failures(report: Report) -> Iterable[Row]:
    for failure in report.failures:
        yield {
            **report.origin,
            "network": failure.network,
            "task": failure.task,
            "batch": failure.batch,
            "name": failure.title,
            "forks": ", ".join(map(str, failure.forks)),
            "reason": shortened(failure.reason),
        }
