"""The commands that answer in a terminal: what they ask the history, and in which order."""

import argparse
import datetime
import sys
from collections.abc import Mapping, Sequence

from benchmarks import results
from benchmarks.history.queries import History
from benchmarks.history.series import RunRow
from implementations.errors import UserError
from implementations.files import new_folder
from reports import compare as comparing
from reports import regressions as judging
from reports import rerun, selections, tables, verdict_table
from reports.regressions import Findings, Tonight
from reports.watched import Watched, watched

UNJUDGED = ".unjudged"  # a re-run lies there, deeper than an import looks, until it counts


def compare(options: argparse.Namespace) -> int:
    place = options.history or results.HISTORY
    a, b = (selections.read(text, place) for text in (options.a, options.b))
    found = comparing.compared(a, b, options.force)
    _print(tables.written(comparing.table(found), options.format))
    return 0


def regressions(options: argparse.Namespace) -> int:
    """The exit code, too: 0 nothing, 1 confirmed, 2 could not be told."""
    history = History.open(options.history or results.HISTORY)
    series, made, trained = history.series(), rerun.nights_of(history.runs()), history.trainings()
    newest = judging.latest(watched(rerun.parted(series, made, None)[0], trained))
    date = options.night or newest
    if options.rerun and date != newest:
        raise _past(date, newest)
    first, again = rerun.parted(series, made, date)
    every = watched(first, trained)
    chosen = judging.tonight(every, _baseline(options, made), date)
    if not chosen:
        raise UserError(
            "that night has nothing that the baseline has too",
            given=f"{date}, baseline {options.baseline or 'all nights before'}",
            allowed=f"a night with results; the newest is {newest}",
            todo="import its run, or ask for another --night or --baseline",
        )
    found = judging.judged(chosen, date, judging.absent(every, date))
    if again:
        chosen = rerun.joined(chosen, watched(again), judging.suspects(found))
        found = judging.judged(chosen, date, found.absent)
    elif options.rerun and judging.suspects(found):
        found = _with_rerun(options, history, chosen, found)
    _print(tables.written(verdict_table.table(found, options.all), options.format))
    return found.exit_code(options.fail_on)


def _past(date: datetime.date, newest: datetime.date) -> UserError:
    return UserError(
        "a night that is over cannot be measured again",
        given=f"--night {date} --rerun",
        allowed=f"--rerun for the newest night, {newest}",
        todo="judge that night without --rerun",
    )


def _baseline(options: argparse.Namespace, made: Mapping[str, datetime.date]) -> list[Watched] | None:
    if options.baseline is None:
        return None
    selected = selections.read(options.baseline, options.history or results.HISTORY)
    series, _ = rerun.parted(selected.series, made, None)
    return watched(series, selected.trainings)


def _with_rerun(
    options: argparse.Namespace, history: History, chosen: Sequence[Tonight], found: Findings
) -> Findings:
    """The findings once more, after the suspects were measured again; their run is imported."""
    suspects = judging.suspects(found)
    asked = rerun.request(suspects, found.said, _run_of(history, found))
    rerun.labels(options.python, asked.frameworks)
    name = rerun.folder_name(found.date)
    folder = new_folder(results.FOLDER / UNJUDGED / name, "the re-run's folder")
    rerun.measure(asked, folder, options.python, _notice)
    joined = rerun.joined(chosen, watched(selections.read(str(folder)).series), suspects)
    folder = folder.replace(new_folder(results.FOLDER / name, "the re-run's folder"))
    history.import_paths([folder], _notice)
    note = f"{len(suspects)} suspected, measured again into {folder}"
    judged = judging.judged(joined, found.date, found.absent)
    return Findings(judged.date, judged.said, judged.absent, (note,))


def _run_of(history: History, found: Findings) -> RunRow:
    """Tonight's run that most of what is watched comes from."""
    named = [run for each in found.said for run in each.watched.nights[-1].runs]
    most = max(dict.fromkeys(named), key=named.count)
    return next(run for run in history.runs() if run.id == most)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _notice(line: str) -> None:
    sys.stderr.write(tables.plain(line) + "\n")
