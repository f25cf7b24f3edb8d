"""``check --optimizers``: the rows that children measured, two tables, one exit code."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from implementations.commandline import SOMETHING_FAILED
from implementations.console import CONSOLE
from implementations.proving import Prover, in_each

TASK = "implementations.optimizer_forms:measure"
Rows = Mapping[str, Sequence[Mapping[str, Any]]]  # by framework


def run(prover: Prover, frameworks: Sequence[str]) -> int:
    """Both tables; 1 if an optimizer is not the one that its adapter declares, or a child failed."""
    rows = in_each(frameworks, lambda framework: prover.table(framework, TASK), CONSOLE.print)
    if rows:
        CONSOLE.print(every_method(rows))
        CONSOLE.print(every_form(rows))
    wrong = [(framework, row) for framework, found in rows.items() for row in found if not row["passed"]]
    for framework, row in wrong:
        line = f"{framework}: {row['method']}, decay {row['decay']}: not {row['form']!r}"
        CONSOLE.print(line, style="bold")
    return SOMETHING_FAILED if wrong or len(rows) < len(frameworks) else 0


def every_method(rows: Rows) -> Table:
    """Method and decay × framework: the largest difference from the declared form, dyadic values."""
    title = "Largest difference from the declared form in 10 steps (float64, dyadic values)"
    table = _table(title, ("method", "weight decay", *rows))
    for found in zip(*rows.values(), strict=True):
        table.add_row(found[0]["method"], found[0]["decay"], *(_dyadic(row) for row in found))
    return table


def _dyadic(row: Mapping[str, Any]) -> str:
    if not row["offered"]:
        return "not offered"
    finding = row["dyadic"]
    return f"{finding['largest']:.1e}" if finding["passed"] else f"BREACH {finding['largest']:.1e}"


def every_form(rows: Rows) -> Table:
    """Method × framework: the form, and how far it is from itself and its siblings at ordinary values."""
    title = "Forms: difference from the declared form, and from the others (ordinary values)"
    table = _table(title, ("method", *rows))
    for found in zip(*rows.values(), strict=True):
        if "ordinary" in found[0]:
            table.add_row(found[0]["method"], *(_forms(row) for row in found))
    return table


def _forms(row: Mapping[str, Any]) -> str:
    own = row["ordinary"][row["form"]]
    others = (f"{form} {apart:.1e}" for form, apart in row["ordinary"].items() if form != row["form"])
    return "\n".join((f"{row['form']} {own:.1e}", *(f"  not {other}" for other in others)))


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading)
    return table
