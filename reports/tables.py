"""Rows for a terminal, a comment in Markdown, and programs: text of results is shown, never obeyed."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FORMATS = ("text", "markdown", "json")
# What Markdown, or the HTML that it may hold, would obey; a dot or an underscore within a word is none of it.
OBEYED = re.compile(r"([\\`*\[\]<>|#~&@!])")


@dataclass(frozen=True)
class Table:
    """What a command answers: one sentence, rows under headings, notes, and the same as data."""

    answer: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str]
    data: Mapping[str, Any]


def written(table: Table, form: str) -> str:
    """``table`` in one of ``FORMATS``."""
    if form == "json":
        return json.dumps(table.data, indent=1, allow_nan=False)
    return _markdown(table) if form == "markdown" else _text(table)


def _text(table: Table) -> str:
    rows = [[plain(cell) for cell in row] for row in (table.headings, *table.rows)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.headings))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(
        [plain(table.answer), "", *lines, *(["", *map(plain, table.notes)] if table.notes else [])]
    )


def _markdown(table: Table) -> str:
    lines = [table.headings, ["---"] * len(table.headings), *(list(map(escaped, row)) for row in table.rows)]
    notes = [part for note in table.notes for part in ("", escaped(note))]
    return "\n".join(
        [f"**{escaped(table.answer)}**", "", *(f"| {' | '.join(line)} |" for line in lines), *notes]
    )


def percent(fraction: float) -> str:
    """``5.3 %``."""
    return f"{100 * fraction:.1f} %"


def plain(text: str) -> str:
    """``text`` in one line, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))


def escaped(text: str) -> str:
    """``text`` in one line that Markdown shows as it stands."""
    return OBEYED.sub(r"\\\1", plain(text))
