"""The verdicts of a night as a table: what is worse first, then what is in doubt; and the same as data."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.regression.metrics import SPEED
from reports.regressions import Findings, Said
from reports.tables import Table, percent
from reports.watched import as_nights, steps

HEADINGS = ("case", "metric", "tonight", "now / before", "95 % interval", "verdict", "smallest step", "why")
MOST_REASONS = 4  # differences between two nights that are shown


def table(found: Findings, everything: bool = False) -> Table:
    """The findings as a table: what is slower first, then what is in doubt; all of it if asked for."""
    order = {"slower": 0, "undecided": 2, "faster": 1, "same": 3}
    ranked = sorted(found.said, key=lambda each: (not each.judged.open, order[each.judged.verdict]))
    ranked.sort(key=lambda each: each.judged.verdict != "slower")
    shown = [each for each in ranked if everything or _matters(each)]
    notes = [*found.notes, *_steps_note(shown), *_absent_note(found), *_hidden_note(found, shown)]
    return Table(_answer(found), HEADINGS, [_cells(each) for each in shown], notes, _data(found))


def _matters(each: Said) -> bool:
    cleared = each.judged.suspected and each.tonight.again is not None
    return each.judged.open or cleared or each.judged.verdict in ("slower", "faster")


def _answer(found: Findings) -> str:
    worse, better = found.count("slower"), found.count("faster")
    parts = [
        f"{worse} worse" if worse else "nothing worse",
        *([f"{better} better"] if better else []),
        f"{found.count('same')} same",
        f"{found.count('undecided')} undecided",
        *([f"of which {len(found.open)} suspected"] if found.open else []),
    ]
    return f"Night of {found.date}: {', '.join(parts)} ({len(found.said)} watched)"


def _cells(each: Said) -> list[str]:
    judged, metric, night = each.judged, each.watched.metric, each.watched.nights[-1]
    change, step = judged.change, judged.smallest_step
    value = float(np.exp(as_nights([night.forks]).values[0]))
    why = judged.reason + (f"; with it: {_few(each.because)}" if each.because else "")
    return [
        each.watched.title,
        metric.name,
        f"{value:,.4g} {metric.unit} ({len(night.forks)} forks)",
        f"{change.value:.3f}" if change else "",
        f"{change.low:.3f} to {change.high:.3f}" if change else "",
        each.word,
        percent(step) if step is not None else "",
        why,
    ]


def _few(because: Sequence[str]) -> str:
    more = f" and {len(because) - MOST_REASONS} more" if len(because) > MOST_REASONS else ""
    return ", ".join(because[:MOST_REASONS]) + more


def _steps_note(shown: Sequence[Said]) -> list[str]:
    """Earlier changes of level of what is shown."""
    return [
        f"{each.watched.title} {each.watched.metric.name}: {step.ratio:.3f} times since {step.date}"
        + (f" ({_few(step.because)})" if step.because else "")
        for each in shown
        for step in steps(each.watched)
        if step.date < each.watched.nights[-each.judged.nights].date  # the verdict says that of tonight
    ]


def _absent_note(found: Findings) -> list[str]:
    return [f"Not measured tonight: {', '.join(found.absent)}"] if found.absent else []


def _hidden_note(found: Findings, shown: Sequence[Said]) -> list[str]:
    hidden = len(found.said) - len(shown)
    speeds = [each.judged.smallest_step for each in found.said if each.watched.metric is SPEED]
    seen = [step for step in speeds if step is not None]
    least = f"{percent(min(seen))} to {percent(max(seen))}, median {percent(np.median(seen))}" if seen else ""
    return [
        *([f"{hidden} more are not shown (--all shows them)."] if hidden else []),
        *([f"Smallest steps of speed that would be found within three nights: {least}."] if seen else []),
    ]


def _data(found: Findings) -> dict[str, Any]:
    return {
        "night": found.date.isoformat(),
        "verdicts": {verdict: found.count(verdict) for verdict in ("same", "faster", "slower", "undecided")},
        "open": len(found.open),
        "absent": list(found.absent),
        "notes": list(found.notes),
        "cases": [
            {
                "case": each.watched.title,
                "machine": each.watched.machine,
                "metric": each.watched.metric.name,
                "word": each.word,
                "because": list(each.because),
                "steps": [dataclasses.asdict(s) | {"date": s.date.isoformat()} for s in steps(each.watched)],
                **dataclasses.asdict(each.judged),
            }
            for each in found.said
        ],
    }
