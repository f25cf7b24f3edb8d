"""Runs tonight's suspects again: their networks in their frameworks, what else that brings as the control."""

import datetime
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import plan, results
from benchmarks.history.series import Point, RunRow, Series
from benchmarks.regression import changes
from benchmarks.regression.prospects import RERUN
from implementations.commandline import ROOT, Notice
from implementations.errors import UserError
from implementations.network import plain
from reports.regressions import Said, Tonight
from reports.watched import Night, Watched

NAME = re.compile(r"rerun-of-(\d{4}-\d\d-\d\d)-")  # of a re-run's folder


@dataclass(frozen=True)
class Request:
    """What ``python -m benchmarks run`` is asked for."""

    run: RunRow  # of tonight, whose preset, device and threads it shares
    networks: tuple[str, ...]
    frameworks: tuple[str, ...]
    policies: tuple[str, ...]

    def command(self, output: Path, pythons: Sequence[str] = ()) -> list[str]:
        chosen = {"--network": self.networks, "--framework": self.frameworks, "--policy": self.policies}
        return [
            *(sys.executable, "-m", "benchmarks", "run", "--preset", self.run.preset),
            *(word for option, values in chosen.items() for value in values for word in (option, value)),
            *("--device", self.run.device.partition(":")[0], "--threads", str(self.run.threads)),
            *("--forks", str(RERUN), "--budget", "0", "--no-training", "--output", str(output)),
            *(f"--python={python}" for python in pythons),
        ]


def request(suspects: Sequence[Said], others: Iterable[Said], run: RunRow) -> Request:
    """The run that measures ``suspects`` again, and at least one case of the same machine beside them."""
    if run.preset not in plan.PRESETS:
        raise UserError(
            "tonight's run cannot be repeated: its preset is not known here",
            given=run.preset,
            allowed=", ".join(plan.PRESETS),
            todo="judge without --rerun",
        )
    cases = [each.watched.case for each in suspects]
    networks, frameworks, policies = (_each(case[place] for case in cases) for place in (0, 3, 5))
    suspected = set(cases)
    beside = [each for each in others if each.watched.case not in suspected and each.watched.machine]
    if beside and not any(
        case[0] in networks and case[3] in frameworks and case[5] in policies
        for case in (each.watched.case for each in beside)
    ):
        steadiest = min(beside, key=lambda each: each.judged.smallest_step or float("inf"))
        networks, frameworks, policies = (
            _each([*chosen, steadiest.watched.case[place]])
            for chosen, place in ((networks, 0), (frameworks, 3), (policies, 5))
        )
    if any(case[4] for case in cases):  # a file is measured where the framework that exports it takes part
        frameworks = _each([*frameworks, *(case[4] for case in cases if case[4])])
    return Request(run, networks, frameworks, policies)


def _each(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def measure(asked: Request, output: Path, pythons: Sequence[str], notice: Notice) -> None:
    """Make that run into ``output``; ``UserError`` if it could not be made."""
    command = asked.command(output, pythons)
    notice(f"re-run: {' '.join(command[1:])}")
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=sys.stderr)
    if done.returncode not in (0, 1):  # 1: some of it failed, the rest counts
        raise UserError(
            "the re-run ended early",
            given=f"exit code {done.returncode}",
            allowed="0, or 1 where a fork failed",
            todo="see what it says above, or judge without --rerun",
        )


def joined(chosen: Sequence[Tonight], again: Sequence[Watched], suspects: Sequence[Said]) -> list[Tonight]:
    """Tonight with the re-run's forks added to it; ``UserError`` if those ran another build."""
    made = {(one.identity, one.metric): one.nights[-1] for one in again}
    suspected = {each.watched.identity for each in suspects}
    return [
        _joined(each, made.get((each.watched.identity, each.watched.metric)), suspected) for each in chosen
    ]


def _joined(each: Tonight, again: Night | None, suspected: set[tuple[Any, ...]]) -> Tonight:
    if again is None:
        return each
    *before, now = each.watched.nights
    _require_same_build(each.watched, now.state, again.state)
    together = each.watched.of([*before, now + again])
    return replace(each, watched=together, again=again, control=each.watched.identity not in suspected)


def _require_same_build(one: Watched, now: Mapping[str, str], again: Mapping[str, str]) -> None:
    differences = changes.differences(now, again)
    if differences:
        raise UserError(
            "the re-run ran something else than tonight's run",
            given=f"{one.title}: {', '.join(differences[:3])}",
            allowed="the same versions, commit and machine",
            todo="re-run where tonight's builds are installed, naming them with --python FRAMEWORK=PATH",
        )


def labels(pythons: Sequence[str], frameworks: Iterable[str]) -> None:
    """``UserError`` if a labelled build is to be run again and nothing says where it is."""
    named = {python.partition("=")[0] for python in pythons}
    for framework in frameworks:
        if framework != plain(framework) and framework not in named:
            raise UserError(
                "the re-run does not know where this build is",
                given=framework,
                allowed="--python FRAMEWORK@LABEL=PATH for every labelled build",
                todo=f"add --python {framework}=PATH, or judge without --rerun",
            )


# --- Which night a re-run belongs to ----------------------------------------------------------


def folder_name(date: datetime.date) -> str:
    """The name of a new re-run's folder, which says the night that it is made for."""
    return f"rerun-of-{date}-{results.stamp()}"


def nights_of(runs: Iterable[RunRow]) -> dict[str, datetime.date]:
    """The night that each re-run was made for, by the run's id."""
    found = {run.id: NAME.match(run.folder) for run in runs}
    return {run: datetime.date.fromisoformat(match[1]) for run, match in found.items() if match}


def parted(
    series: Iterable[Series], made: Mapping[str, datetime.date], date: datetime.date | None
) -> tuple[list[Series], list[Series]]:
    """``series`` without the re-runs of ``date``, and those alone; each in the night it was made for."""
    every = list(series)
    return list(_part(every, made, date, False)), list(_part(every, made, date, True))


def _part(
    series: Iterable[Series], made: Mapping[str, datetime.date], date: datetime.date | None, wanted: bool
) -> Iterator[Series]:
    for one in series:
        of_date = [(date is not None and made.get(point.run) == date, point) for point in one.points]
        points = tuple(_dated(point, made) for is_again, point in of_date if is_again == wanted)
        if points:
            yield replace(one, points=points)


def _dated(point: Point, made: Mapping[str, datetime.date]) -> Point:
    if (night := made.get(point.run)) is None:
        return point
    return replace(point, started=datetime.datetime.combine(night, datetime.time(), datetime.UTC))
