"""Which views a page has, in tabs: only those that have something to show. Nothing about HTML."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from reports import columns


@dataclass(frozen=True)
class Tab:
    """A tab with its views, from top to bottom."""

    name: str
    title: str
    views: tuple[str, ...]


TABS = (
    Tab("overview", "Overview", ("runs", "answers", "doubts", "failures")),
    Tab("speed", "Speed", ("throughput", "latency", "sweep", "policies", "phases")),
    Tab("limits", "Limits", ("limits", "roofline", "memory", "energy")),
    Tab("learning", "Learning", ("learned", "curves", "rates", "confusions", "samples")),
    Tab("sameness", "Sameness", ("sameness", "slips", "exports")),
    Tab("networks", "Networks", ("layers",)),
    Tab("history", "History", ("history",)),
    Tab("about", "Machine and method", ("machine", "switches", "files", "method")),
)
ALWAYS = ("failures", "sameness", "slips", "machine", "method")
_WORK = ("network", "task", "policy", "device", "run")  # whose batch sizes make one sweep


def of(data: Mapping[str, Any], always: Collection[str] = ALWAYS) -> tuple[Tab, ...]:
    """The tabs of a page with ``data``: views that it has something for, and those there ``always``."""

    def shown(view: str) -> bool:
        return view in always or (view in _NEEDS and bool(_NEEDS[view](data)))

    kept = (Tab(tab.name, tab.title, tuple(filter(shown, tab.views))) for tab in TABS)
    return tuple(tab for tab in kept if tab.views)


def _cases(field: str) -> Any:
    """Whether any case has something in ``field``."""

    def found(data: Mapping[str, Any]) -> bool:
        column = data["cases"].get(field, {})
        return any(value not in (None, []) for value in column.get("values", column.get("of", ())))

    return found


def _rows(table: str) -> Any:
    return lambda data: data["rows"].get(table)


def _sweeps(data: Mapping[str, Any]) -> bool:
    """Whether anything was measured at more than one batch size."""
    if not data["cases"]:
        return False
    works = list(zip(*(columns.unpacked(data["cases"][name]) for name in _WORK), strict=True))
    sizes = zip(works, columns.unpacked(data["cases"]["batch"]), strict=True)
    return len(set(sizes)) > len(set(works))


_NEEDS = {
    "answers": _cases("network"),
    "throughput": _cases("network"),
    "latency": _cases("p50"),
    "phases": _cases("network"),
    "limits": _cases("gflops"),
    "memory": _cases("rss"),
    "energy": _cases("joules"),
    "doubts": _cases("notes"),
    "switches": _cases("switches"),
    "files": _cases("files"),
    "sweep": _sweeps,
    "policies": lambda data: data["policies"],
    "roofline": lambda data: data["roofs"] and _cases("gflops")(data),
    "curves": lambda data: data["trainings"],
    "rates": lambda data: any(
        r is not None for t in data["trainings"] for c in t["curves"] for r in c["rate"]
    ),
    "confusions": lambda data: any(training["confusions"] for training in data["trainings"]),
    "learned": _rows("learned"),
    "samples": _rows("samples"),
    "exports": _rows("exports"),
    "layers": _rows("layers"),
    "history": _rows("history"),
    "runs": _rows("runs"),
}
