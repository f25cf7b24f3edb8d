"""Pages under docs/ that restate what the code says are kept true."""

import re
import shlex

import pytest

from benchmarks import results
from benchmarks.__main__ import parser
from benchmarks.history import schema
from implementations.commandline import ROOT
from implementations.optimizer_forms import METHODS
from implementations.training import FORMS

OPTIMIZERS = (ROOT / "docs/optimizer-forms.md").read_text(encoding="utf-8")


def test_every_form_stands_in_the_page_with_its_formula() -> None:
    for method, forms in FORMS.items():
        for form, formula in forms.items():
            assert f"| {method.__name__} | {form} | `{formula}` |" in OPTIMIZERS


def test_every_method_was_measured() -> None:
    for method in METHODS:
        assert OPTIMIZERS.count(f"\n| {method.title} | ") >= 2  # dyadic and ordinary values


# --- docs/history.md, docs/continuous-integration.md ----------------------------------------

HISTORY = (ROOT / "docs/history.md").read_text(encoding="utf-8")
NIGHTLY = (ROOT / "docs/continuous-integration.md").read_text(encoding="utf-8")
COMMAND = re.compile(r"python -m benchmarks ((?:import|rebuild|export|run)\b[^#\n|&]*)")


def test_every_table_and_number_of_the_history_stands_in_its_page() -> None:
    for name in schema.METADATA.tables:
        assert f"| `{name}` | " in HISTORY
    for name in schema.METRICS:
        assert f"`{name}`" in HISTORY
    assert ", ".join(results.KEY) in HISTORY


@pytest.mark.parametrize("page", [HISTORY, NIGHTLY], ids=["history", "nightly"])
def test_the_commands_of_the_pages_are_understood(page: str) -> None:
    blocks = "\n".join(page.split("```")[1::2])
    found = COMMAND.findall(re.sub(r"\$\{\{.*?\}\}", "RUN", blocks))
    assert len(found) >= 3
    for line in found:
        parser().parse_args(shlex.split(line))  # raises for what no command knows
