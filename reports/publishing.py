"""The commands that write pages: one file of runs, or a site of many."""

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.history.queries import History
from implementations.files import replacing, require_place
from reports import headlines, page, past, queries, wording
from reports.queries import Report
from reports.sameness_data import BAD, GOOD, cell

Row = dict[str, Any]


def html(options: argparse.Namespace) -> int:
    output = options.output or options.results[0] / "report.html"
    reports = [queries.read(folder) for folder in options.results]
    require_place(output, "the report")
    write(output, page.render(reports, _history(options.history)))
    print(f"report: {output}")  # noqa: T201  # the command's answer
    return 0


def site(options: argparse.Namespace) -> int:
    """Index, a page a run, and the history's page; links are relative, so that any web host will do."""
    names = _names(options.results)
    rows = []
    for name, folder in zip(names, options.results, strict=True):
        report = queries.read(folder)
        write(options.output / "runs" / f"{name}.html", page.render([report], index="../index.html"))
        rows.append(_row(name, report))
    history = _history(options.history)
    if history:
        write(options.output / "history.html", page.listing("History", {"history": history}, "index.html"))
    newest = sorted(rows, key=lambda row: str(row["run"]), reverse=True)
    links = [("History", "history.html")] if history else []
    write(options.output / "index.html", page.listing(_heading(newest), {"runs": newest}, links=links))
    print(f"site: {options.output / 'index.html'}")  # noqa: T201  # the command's answer
    return 0


def _history(place: str | None) -> list[Row]:
    if place is None:
        return []
    history = History.open(place)
    return past.rows(history.series(), history.trainings(), history.runs())


def _names(folders: Sequence[Path]) -> list[str]:
    """A page's name for each run's folder: its own, with a number where two are alike."""
    found: list[str] = []
    for folder in folders:
        name = folder.resolve().name
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        found.append(next(free for free in itertools.chain([name], numbered) if free not in found))
    return found


def _row(name: str, report: Report) -> Row:
    """A run in the index: what it is about, and what it found."""
    held = len(report.proofs) - len(report.breaches)
    device = str(report.conditions["device_model"]) if report.conditions else report.device
    found = [f"{wording.task(one)}: {wording.answer(one)}" for one in headlines.of(report)]
    return {
        "run": report.started,
        "page": {"text": report.started[:16].replace("T", " "), "href": f"runs/{quote(name, safe='')}.html"},
        "device": device,
        "preset": report.preset,
        "network": list(dict.fromkeys(proof.network for proof in report.proofs)),
        "name": list(report.frameworks),
        "policy": list(report.policies),
        "claims": cell(f"{held} of {len(report.proofs)}", held, tone=GOOD if report.sealed else BAD),
        "answers": found,
    }


def _heading(rows: Sequence[Row]) -> str:
    devices = len({row["device"] for row in rows})
    runs = "1 run" if len(rows) == 1 else f"{len(rows)} runs"
    return f"{runs} on {'1 device' if devices == 1 else f'{devices} devices'}"


# --- Files ----------------------------------------------------------------------------------


def write(path: Path, text: str) -> None:
    """The page is there whole or not at all; ``UserError`` for what the system refuses."""
    with replacing(path, "the report") as temporary:
        temporary.write_bytes(text.encode("utf-8", "replace"))  # JSON can hold halves of characters
