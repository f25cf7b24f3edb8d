"""The parent's side of the mutants: what every framework made of the slips, kept as certificates are.

The proof of the proof: ``check --mutants`` prints the table, and a run's report shows what is kept.
"""

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from implementations.commandline import SOMETHING_FAILED
from implementations.console import CONSOLE
from implementations.files import replacing
from implementations.proving import Prover, in_each

TASKS = {
    "networks": "implementations.mutants:prove_mutants",
    "trainings": "implementations.training_mutants:prove_mutants",
}
Record = dict[str, Any]


def run(prover: Prover, frameworks: Sequence[str]) -> int:
    """Two tables; 1 if a slip got away, something harmless did not pass, or a framework came to no end."""
    records = in_each(frameworks, lambda framework: tried(prover, framework), CONSOLE.print)
    if records:
        CONSOLE.print(of_networks({name: record["networks"] for name, record in records.items()}))
        CONSOLE.print(of_trainings({name: record["trainings"] for name, record in records.items()}))
    held = len(records) == len(frameworks) and all(caught(record) for record in records.values())
    return 0 if held else SOMETHING_FAILED


def caught(record: Record) -> bool:
    """Whether every slip was caught where it should be, and everything harmless passed."""
    return all(row["caught"] for kind in TASKS for row in record[kind])


def tried(prover: Prover, framework: str) -> Record:
    """Every slip through ``framework``'s real adapter; kept for the reports of later runs."""
    rows = {kind: prover.table(framework, task) for kind, task in TASKS.items()}
    made = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    about = {"framework": framework, **prover.surroundings(), "versions": prover.versions(framework)}
    record = {**about, **rows, "made": made}
    with replacing(prover.cache.slips(framework, prover.device), "the mutants' record") as temporary:
        temporary.write_text(json.dumps(record, indent=1))
    return record


def kept(prover: Prover, framework: str) -> Record | None:
    """What was found last, if neither code nor build nor processor has changed since."""
    wanted = {"framework": framework, **prover.surroundings()}
    try:
        record: Record = json.loads(prover.cache.slips(framework, prover.device).read_text())
        unchanged = all(record[name] == value for name, value in wanted.items())
        return record if unchanged and record["versions"] == prover.versions(framework) else None
    except (OSError, ValueError, KeyError, TypeError):  # absent or damaged: then there is none
        return None


# --- Tables -------------------------------------------------------------------------------

Rows = Mapping[str, Sequence[Mapping[str, Any]]]  # by framework


def of_networks(rows: Rows) -> Table:
    """Slip × framework, with the level and the layer that must catch it."""
    result = Table(title="Mutants: each slip must be caught at its level, in its layer")
    for heading in ("mutant", "slip", "network", "level", "first differing", *rows):
        result.add_column(heading)
    for found in zip(*rows.values(), strict=True):
        level, first = found[0]["expected"]
        shown = ("-", "nothing: it must pass") if level is None else (str(level), first)
        verdicts = ("caught" if row["caught"] else f"ESCAPED {row['found']}" for row in found)
        result.add_row(found[0]["name"], found[0]["slip"], found[0]["network"], *shown, *verdicts)
    return result


def of_trainings(rows: Rows) -> Table:
    """Slip × framework: a framework can express a slip in several ways, or in none."""
    result = Table(title="Slips of a training: each must be caught at level 3")
    for heading in ("mutant", "slip", *rows):
        result.add_column(heading)
    slips = {row["name"]: row["slip"] for found in rows.values() for row in found}
    for name, slip in slips.items():
        ways = ([row for row in found if row["name"] == name] for found in rows.values())
        result.add_row(name, slip, *map(_verdict, ways))
    return result


def _verdict(ways: Sequence[Mapping[str, Any]]) -> str:
    if not ways:
        return "-"
    return "caught" if all(row["caught"] for row in ways) else "ESCAPED"
