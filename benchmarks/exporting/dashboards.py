"""The last point of each series, for services that draw a line of points: their published JSON formats.

- github-action-benchmark, tool "customBiggerIsBetter": a list of {name, value, unit, range, extra}
  (https://github.com/benchmark-action/github-action-benchmark, README and src/extract.ts).
- Bencher Metric Format: {benchmark: {measure: {value, lower_value, upper_value}}}
  (https://bencher.dev/docs/reference/bencher-metric-format; latency in ns, throughput per second).
- pytest-benchmark's own, for "pytest-benchmark compare": one file a run, a round for each fork.
"""

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks import intervals, results
from benchmarks.history.series import ForkRow, Point, Series
from implementations.claims import titled

MEASURES = {  # Bencher's names of what stands beside the throughput, and its unit in ours
    "latency": ("latency_p50_s", 1e9),
    "peak-memory": ("peak_rss_bytes", 1.0),
    "device-memory": ("peak_device_bytes", 1.0),
}
UNIT = "images/s"


def name(key: Mapping[str, Any], label: str = "") -> str:
    """What a series is called where it has nothing but a name: all of its key but hashes and the method."""
    framework = f"{key['framework']}@{label}" if label else str(key["framework"])
    made = titled(framework, key["exporter"], key["policy"])
    where = f"{key['precision']} on {key['device_model']}, {key['threads']} threads"
    return f"{key['network']} {key['task']} batch {key['batch']} / {made} / {where} ({key['machine']})"


def last(series: Iterable[Series]) -> Iterator[tuple[str, Point]]:
    """(name, point): of every series its last run, of every build in it; of one name the newest."""
    newest: dict[str, Point] = {}
    for one in series:
        for point in one.points:
            if point.run == one.points[-1].run:
                title = name(one.key, point.label)
                if title not in newest or newest[title].started <= point.started:
                    newest[title] = point
    yield from newest.items()


def github_action_benchmark(series: Iterable[Series]) -> list[dict[str, Any]]:
    """An entry a series, in images/s."""
    return [_entry(title, point) for title, point in last(series)]


def _entry(title: str, point: Point) -> dict[str, Any]:
    found = intervals.of_forks(point.forks)
    versions = ", ".join(f"{package} {version}" for package, version in sorted(point.versions.items()))
    forks = f"{found.kind} of {found.forks} forks, {point.disturbed} disturbed"
    return {
        "name": title,
        "unit": UNIT,
        "value": found.value,
        "range": f"{found.low:.6g} to {found.high:.6g}",
        "extra": f"{forks}\nrun {point.run}\n{versions}",
    }


def bencher(series: Iterable[Series]) -> dict[str, dict[str, dict[str, float]]]:
    """Throughput with its interval, and medians of what stands beside it."""
    return {title: _measures(point) for title, point in last(series)}


def _measures(point: Point) -> dict[str, dict[str, float]]:
    found = intervals.of_forks(point.forks)
    throughput = {"value": found.value, "lower_value": found.low, "upper_value": found.high}
    beside = {
        measure: {"value": unit * statistics.median(point.metrics[metric])}
        for measure, (metric, unit) in MEASURES.items()
        if metric in point.metrics
    }
    return {"throughput": throughput, **beside}


# --- pytest-benchmark -----------------------------------------------------------------------


def pytest_benchmark(forks: Sequence[ForkRow]) -> dict[str, Any]:
    """What "pytest-benchmark compare" reads, of one run's forks: seconds a step, a round a fork."""
    cases: dict[str, list[ForkRow]] = {}
    for fork in forks:
        cases.setdefault(name(fork.key, fork.label), []).append(fork)
    first = forks[0]
    return {
        "machine_info": {},
        "commit_info": {"id": first.commit, "dirty": None},
        "benchmarks": [_benchmark(title, found) for title, found in cases.items()],
        "datetime": first.started.isoformat(),
        "version": "5.1.0",  # of the format
    }


def _benchmark(title: str, forks: Sequence[ForkRow]) -> dict[str, Any]:
    from pytest_benchmark.stats import Stats  # its own arithmetic, for its own columns

    stats = Stats()
    for fork in forks:
        stats.update(fork.key["batch"] / fork.images_per_second)
    key = forks[0].key
    return {
        "group": f"{key['network']} {key['task']} batch {key['batch']}",
        "name": title,
        "fullname": title,
        "params": {field: key[field] for field in results.KEY},
        "param": None,
        "extra_info": {},
        "options": {},
        "stats": {**stats.as_dict(), "data": stats.data, "iterations": 1},
    }
