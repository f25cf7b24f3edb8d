"""The page's tables as data: captions and columns. The page's script fills, filters and sorts them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Column:
    """A heading and the field below it.

    ``kind`` is how a value is shown: text, sentence, code, link, name (of a framework), names, list, lines,
    whole, quantity, percent, decimal, interval and ratio (value, low, high, kind of the ends), cell (text,
    value to sort by, note, tone).
    A column that ``varies`` is left out where it has one value only; any is, where it has none.
    """

    title: str
    field: str
    kind: str = "text"
    note: str = ""
    varies: bool = False


@dataclass(frozen=True)
class Table:
    """A table over the rows of ``source``; ``group`` is the field whose change draws a line."""

    caption: str
    source: str
    columns: tuple[Column, ...]
    group: str = ""


_RUN, _DEVICE = Column("run", "run", varies=True), Column("device", "device", varies=True)
_ORIGIN = (_RUN, _DEVICE)  # of rows that several runs on one page may all have
_WORK = (
    _RUN,
    Column("network", "network"),
    Column("task", "task"),
    Column("batch", "batch", "whole"),
    Column("policy", "policy", varies=True),
    _DEVICE,
)
_CASE = (*_WORK, Column("framework", "name", "name"), Column("precision", "precision", varies=True))


def _cases(caption: str, *columns: Column) -> Table:
    return Table(caption, "cases", (*_CASE, *columns), group="group")


TABLES = {
    "answers": Table(
        "Who is fastest at what, and how sure that is",
        "answers",
        (
            *_WORK,
            Column("fastest", "name", "name"),
            Column("images/s", "rate", "interval", "95 % interval"),
            Column("times the next", "lead", "ratio", "95 % interval"),
            Column("next", "next", "name"),
            Column("verdict", "verdict", "cell"),
        ),
    ),
    "throughput": _cases(
        "Throughput of every case",
        Column("images/s", "rate", "interval", "95 % interval"),
        Column("of the fastest", "of_fastest", "ratio", "95 % interval"),
        Column("step seen", "step", "percent"),
        Column("ms per image", "ms", "quantity"),
        Column("forks", "forks", "whole"),
    ),
    "latency": _cases(
        "Latency of single steps",
        Column("p50", "p50", "quantity", "ms a step"),
        Column("p90", "p90", "quantity", "ms"),
        Column("p99", "p99_cell", "cell", "ms"),
        Column("steps", "steps", "whole"),
    ),
    "policies": Table(
        "Policy best against policy equal, each framework with itself",
        "policies",
        (
            *(column for column in _CASE if column.field not in ("policy", "precision")),
            Column("equal", "equal_rate", "quantity", "images/s"),
            Column("best", "rate", "quantity", "images/s"),
            Column("best / equal", "gain", "ratio", "95 % interval"),
            Column("precision of best", "precision"),
        ),
    ),
    "phases": _cases(
        "What a fork spends before it measures, medians over forks",
        Column("import", "import", "quantity", "s"),
        Column("build", "build", "quantity", "s"),
        Column("first call", "first_call", "quantity", "s"),
        Column("of it compiling", "compile", "quantity", "s"),
        Column("warm-up", "warmup", "quantity", "s"),
        Column("steady", "steady"),
    ),
    "memory": _cases(
        "Peak memory, the largest of the forks",
        Column("process", "rss", "quantity", "MiB"),
        Column("device", "device_mib", "quantity", "MiB"),
        Column("needed", "held", "quantity", "MiB, by arithmetic"),
    ),
    "energy": _cases(
        "Energy of processor packages and GPU together", Column("J an image", "joules", "quantity")
    ),
    "limits": _cases(
        "How near each case comes to this machine’s ceilings",
        Column("GFLOP/s", "gflops", "quantity"),
        Column("of ceiling", "share_flop", "percent"),
        Column("GB/s", "gbytes", "quantity"),
        Column("of copy", "share_copy", "percent"),
        Column("FLOP a byte", "intensity", "quantity"),
        Column("of its limit", "share_limit", "percent", "the nearer ceiling"),
    ),
    "doubts": _cases("Numbers to look at twice", Column("why", "notes", "list")),
    "switches": _cases("Switches, as the framework reports them", Column("switches", "switches", "list")),
    "files": Table(
        "Raw results, by the SHA-256 of their bytes",
        "files",
        (
            *_ORIGIN,
            Column("file", "file", "code"),
            Column("images/s", "median", "quantity", "median"),
            Column("certificate", "certificate", "code"),
            Column("SHA-256", "sha256", "code"),
        ),
    ),
    "sameness": Table(
        "Largest difference from the reference, by level and precision",
        "sameness",
        (
            *_ORIGIN,
            Column("network", "network"),
            Column("framework", "name", "name"),
            Column("policy", "policy", varies=True),
            Column("verdict", "verdict", "cell"),
            Column("parameters", "parameters", "whole"),
        ),
        group="network",
    ),
    "findings": Table(
        "Each level in each precision and mode: how much was compared, and what is farthest off",
        "findings",
        (
            *_ORIGIN,
            Column("network", "network"),
            Column("framework", "name", "name"),
            Column("policy", "policy", varies=True),
            Column("level", "level"),
            Column("precision", "of_precision"),
            Column("mode", "mode"),
            Column("compared", "compared", "whole"),
            Column("largest difference", "largest", "cell", "bound"),
            Column("farthest off", "where", "code"),
        ),
        group="claim",
    ),
    "slips": Table(
        "Slips on purpose, and what each framework’s proof made of them",
        "slips",
        (
            Column("slip", "slip"),
            Column("network", "of_network"),
            Column("level", "level", "whole"),
            Column("first differing", "first", "code"),
        ),
    ),
    "exports": Table(
        "Exported files: what they are made of, and what writing them took",
        "exports",
        (
            *_ORIGIN,
            Column("network", "network"),
            Column("exporter", "exporter"),
            Column("verdict", "verdict", "cell"),
            Column("logits", "largest", "cell", "largest difference"),
            Column("size", "megabytes", "quantity", "MB"),
            Column("nodes", "nodes", "whole"),
            Column("written in", "seconds", "quantity", "s"),
            Column("peak", "peak", "quantity", "GiB"),
            Column("operators", "operators"),
        ),
        group="network",
    ),
    "layers": Table(
        "Layers, for one image",
        "layers",
        (
            Column("#", "index", "whole"),
            Column("layer", "layer", "code"),
            Column("type", "type"),
            Column("input", "input"),
            Column("output", "output"),
            Column("parameters", "parameters", "whole"),
            Column("multiply-adds", "multiply_adds", "whole"),
            Column("of all", "share", "percent"),
        ),
    ),
    "learned": Table(
        "After the last epoch, over seeds",
        "learned",
        (
            *_ORIGIN,
            Column("recipe", "recipe", varies=True),
            Column("data", "data", varies=True),
            Column("framework", "name", "name"),
            Column("seeds", "seeds", "whole"),
            Column("epochs", "epochs", "whole"),
            Column("accuracy", "accuracy", "decimal", "mean"),
            Column("spread", "deviation", "decimal", "standard deviation"),
            Column("lowest", "lowest", "decimal"),
            Column("highest", "highest", "decimal"),
            Column("loss", "loss", "decimal"),
            Column("s an epoch", "seconds", "quantity", "median"),
            Column("waiting for data", "waiting", "percent"),
        ),
        group="recipe",
    ),
    "targets": Table(
        "Time to accuracy",
        "learned",
        (
            *_ORIGIN,
            Column("recipe", "recipe", varies=True),
            Column("framework", "name", "name"),
            Column("accuracy", "target", "decimal"),
            Column("reached by", "reached", "cell", "seeds"),
            Column("seconds", "to_target", "interval", "interval or range over seeds"),
            Column("epochs", "epochs_to_target", "quantity", "median"),
        ),
        group="recipe",
    ),
    "samples": Table(
        "Sample predictions: a few right ones, and the surest wrong ones",
        "samples",
        (
            *_ORIGIN,
            Column("recipe", "training", varies=True),
            Column("framework", "name", "name"),
            Column("image", "index", "whole"),
            Column("is a", "label"),
            Column("taken for", "predicted", "cell"),
            Column("probability", "probability", "percent"),
        ),
    ),
    "failures": Table(
        "What ended without a result; the rest went on",
        "failures",
        (
            *_ORIGIN,
            Column("network", "network"),
            Column("task", "task"),
            Column("batch", "batch", "whole"),
            Column("framework", "name"),
            Column("forks", "forks"),
            Column("reason", "reason"),
        ),
    ),
    "runs": Table(
        "Runs, the newest first",
        "runs",
        (
            Column("run", "page", "link"),
            Column("device", "device"),
            Column("preset", "preset"),
            Column("networks", "network", "names"),
            Column("frameworks", "name", "names"),
            Column("claims proven", "claims", "cell"),
            Column("answers", "answers", "lines"),
        ),
    ),
    "history": Table(
        "Every series: its nights, its last value, its smallest visible step",
        "history",
        (
            Column("network", "network"),
            Column("task", "task"),
            Column("batch", "batch", "whole"),
            Column("recipe", "recipe", varies=True),
            Column("framework", "name", "name"),
            Column("policy", "policy", varies=True),
            Column("precision", "precision", varies=True),
            Column("device", "device", varies=True),
            Column("machine", "machine", "code"),
            Column("metric", "metric", varies=True),
            Column("nights", "nights", "whole"),
            Column("last", "last", "quantity"),
            Column("counted in", "unit", varies=True),
            Column("against before", "change", "ratio"),
            Column("verdict", "verdict", "cell"),
            Column("smallest step", "visible", "percent", "found in 3 nights"),
            Column("why", "why", "sentence"),
            Column("change points", "changes", "sentence"),
        ),
    ),
}


def as_data(extra: Mapping[str, Sequence[Column]]) -> dict[str, Any]:
    """All tables as JSON data, some with the columns of ``extra`` at their end."""
    return {
        name: {**asdict(table), "columns": [asdict(c) for c in (*table.columns, *extra.get(name, ()))]}
        for name, table in TABLES.items()
    }
