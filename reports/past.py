"""Series of the history as rows: nights, change points, and the verdict on the last. Nothing about HTML."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from benchmarks import results
from benchmarks.history.series import RunRow, Series, TrainingRow
from benchmarks.regression.changes import differences
from benchmarks.regression.metrics import SPEED
from implementations.claims import titled
from reports import regressions, rerun
from reports.columns import ends, short
from reports.regressions import Said
from reports.sameness_data import BAD, GOOD, cell
from reports.watched import Night, Step, Watched, steps, watched

Row = dict[str, Any]
MARKS = {"same": "=", "faster": "▲", "slower": "▼", "undecided": "○"}
TONES = {"faster": GOOD, "slower": BAD}
MOST_REASONS = 3  # differences between two nights that are named at a change point


def rows(
    series: Iterable[Series], trainings: Iterable[TrainingRow] = (), runs: Iterable[RunRow] = ()
) -> list[Row]:
    """Speed of every series, and of the other metrics what changed; what matters most first."""
    series, trainings, made = list(series), list(trainings), rerun.nights_of(runs)
    every = watched(rerun.parted(series, made, None)[0], trainings)
    if not every:
        return []
    date = regressions.latest(every)
    first, again = rerun.parted(series, made, date)
    chosen = regressions.tonight(watched(first, trainings), None, date)
    judged = regressions.judged(chosen, date)
    if again:
        joined = rerun.joined(chosen, watched(again), regressions.suspects(judged))
        judged = regressions.judged(joined, date)
    found = {(each.watched.identity, each.watched.metric.name): each for each in judged.said}
    pairs = [(one, found.get((one.identity, one.metric.name))) for one in every]
    shown = [(one, verdict) for one, verdict in pairs if one.metric is SPEED or _matters(verdict)]
    return [_row(one, verdict) for one, verdict in sorted(shown, key=_urgency)]


def _matters(said: Said | None) -> bool:
    return said is not None and (said.judged.open or said.judged.verdict in TONES)


def _urgency(pair: tuple[Watched, Said | None]) -> tuple[int, str]:
    one, said = pair
    order = ("slower", "undecided", "faster", "same")
    place = len(order) if said is None else order.index(said.judged.verdict)
    return (place if _matters(said) or said is None else place + len(order), one.title)


def _row(one: Watched, said: Said | None) -> Row:
    changes = steps(one)
    return {
        **_identity(one),
        "metric": one.metric.name,
        "unit": one.metric.unit,
        "nights": len(one.nights),
        "last": short(_middle(one.nights[-1])),
        "change": ends(said.judged.change) if said else None,
        "visible": said.judged.smallest_step if said else None,
        "verdict": _verdict(said),
        "why": said.judged.reason if said else "not measured on the last night of the history",
        "changes": "; ".join(f"{step.date}: {_change(step)}" for step in changes),
        "points": list(map(_point, [None, *one.nights], one.nights)),
        "steps": [{"night": step.date.isoformat(), "label": f"× {step.ratio:.3g}"} for step in changes],
        "levels": list(_levels(one, changes)),
    }


def _identity(one: Watched) -> Row:
    network, task, batch, framework, exporter, last = one.case
    key = dict(zip(results.KEY, one.identity, strict=True)) if len(one.identity) == len(results.KEY) else {}
    return {
        "network": network,
        "task": task,
        "batch": batch,
        "name": titled(framework, exporter),
        "policy": key.get("policy"),
        "recipe": None if key else last,  # a training's case ends with it
        "precision": key.get("precision"),
        "device": key.get("device_model"),
        "machine": one.machine if one.among_machines else None,
    }


def _verdict(said: Said | None) -> Row:
    if said is None:
        return cell("– not measured", -1)
    verdict = said.judged.verdict
    text = f"{MARKS[verdict]} {said.word}"
    order = list(MARKS).index(verdict)
    return cell(text, order, note=", ".join(said.because[:MOST_REASONS]), tone=TONES.get(verdict, ""))


def _change(step: Step) -> str:
    because = f" ({', '.join(step.because[:MOST_REASONS])})" if step.because else ""
    return f"× {step.ratio:.3g}{because}"


def _middle(night: Night) -> float:
    """A night's value: the geometric mean of its forks."""
    return float(np.exp(np.mean(np.log(night.forks))))


def _point(before: Night | None, night: Night) -> Row:
    changed = differences(before.state, night.state) if before else []
    return {
        "night": night.date.isoformat(),
        "value": short(_middle(night)),
        "forks": [short(value) for value in night.forks],
        "changed": ", ".join(changed[:MOST_REASONS]),
    }


def _levels(one: Watched, changes: Sequence[Step]) -> Iterable[Row]:
    """The mean of every level, from its first night to its last."""
    dates = [night.date for night in one.nights]
    edges = [0, *(dates.index(step.date) for step in changes), len(dates)]
    for part, (start, end) in enumerate(itertools.pairwise(edges)):
        level = float(np.exp(np.mean([np.log(_middle(night)) for night in one.nights[start:end]])))
        for place in (start, end - 1):
            yield {"night": dates[place].isoformat(), "value": short(level), "part": part}
