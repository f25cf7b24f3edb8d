"""Tonight against the nights before: which nights, which verdicts, what is said, which exit code."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from made_series import made_point, made_series, nightly

from benchmarks.history.series import Series
from benchmarks.regression.metrics import METRICS, SPEED
from implementations.errors import UserError
from reports import regressions
from reports.regressions import Findings, Tonight, absent, judged, latest, tonight
from reports.tables import written
from reports.verdict_table import table
from reports.watched import Night, Watched, steps, watched

NIGHTS = 30
CALM = [nightly(NIGHTS, seed=seed, batch=seed) for seed in range(1, 9)]


def last(every: Sequence[Watched]) -> datetime.date:
    return latest(every)


def findings(*series: Series, baseline: Sequence[Series] | None = None) -> Findings:
    every = watched(series)
    chosen = tonight(every, None if baseline is None else watched(baseline), last(every))
    return judged(chosen, last(every), absent(every, last(every)))


def verdicts(found: Findings) -> dict[str, int]:
    return {
        name: found.count(name) for name in ("same", "faster", "slower", "undecided") if found.count(name)
    }


# --- Verdicts and exit codes ------------------------------------------------------------------


def test_nothing_new_is_exit_code_0() -> None:
    found = findings(*CALM)
    assert verdicts(found) == {"same": 8}
    assert found.exit_code() == 0


def test_a_slow_down_two_nights_old_is_exit_code_1_and_says_what_came_with_it() -> None:
    new = {NIGHTS - 2: {"versions": {"torch": "2.14.0"}}}
    found = findings(*CALM, nightly(NIGHTS, steps={NIGHTS - 2: 0.85}, fields=new))
    (said,) = [each for each in found.said if each.judged.verdict == "slower"]
    assert said.because == ("torch 2.13.0 → 2.14.0",)
    assert (found.exit_code("slower"), found.exit_code("never")) == (1, 0)


def test_a_speed_up_fails_only_if_asked_to() -> None:
    found = findings(*CALM, nightly(NIGHTS, steps={NIGHTS - 2: 1.2}))
    assert (found.exit_code("slower"), found.exit_code("any")) == (0, 1)


def test_a_suspicion_that_is_left_is_exit_code_2() -> None:
    found = findings(*CALM, nightly(NIGHTS, steps={NIGHTS - 1: 0.85}))
    assert [each.judged.open for each in found.said].count(True) == 1
    assert found.exit_code() == 2


def test_too_few_nights_for_anything_is_exit_code_2() -> None:
    assert findings(nightly(5)).exit_code() == 2


def test_more_memory_is_worse_in_its_own_words() -> None:
    def with_memory(peak: int) -> dict[str, Any]:
        return {"metrics": {"peak_rss_bytes": (peak,) * 3}}

    fields = {0: with_memory(10**9), NIGHTS - 2: with_memory(2 * 10**9)}
    found = findings(*CALM, nightly(NIGHTS, fields=fields))
    (said,) = [each for each in found.said if each.judged.verdict == "slower"]
    assert (said.watched.metric, said.word) == (METRICS["peak_rss_bytes"], "more memory")


def test_ceilings_that_fell_with_it_are_the_machine() -> None:
    fields = {0: {"ceilings": {"copy": 1e10}}, NIGHTS - 1: {"ceilings": {"copy": 8e9}}}
    series = [nightly(NIGHTS, seed=s, batch=s, steps={NIGHTS - 1: 0.8}, fields=fields) for s in range(1, 9)]
    found = findings(*series)
    assert verdicts(found) == {"undecided": 8}
    assert all(each.judged.reason.startswith("machine: copy moved too") for each in found.said)
    assert found.exit_code() == 2


# --- Which nights -----------------------------------------------------------------------------


def test_runs_of_one_night_are_one_night() -> None:
    evening = made_point(0, [100.0, 101.0])
    late = replace(evening, run="late", started=evening.started + datetime.timedelta(hours=3), forks=(102.0,))
    (one,) = watched([made_series([evening, late])])
    (night,) = one.nights
    assert (night.forks, night.runs) == ((100.0, 101.0, 102.0), ("run-0", "late"))


def test_a_baseline_is_held_against_tonight_across_the_nights_between() -> None:
    whole = nightly(NIGHTS, steps={15: 0.8})
    old = made_series(whole.points[:15])
    found = findings(*CALM, whole, baseline=[*CALM, old])
    (said,) = [each for each in found.said if each.judged.verdict == "slower"]
    assert len(said.watched.nights) == 15 + 3  # the baseline's, and the last three
    assert said.judged.nights == 3


@pytest.mark.parametrize("few", [8, 9])
def test_nights_after_a_short_baseline_are_no_part_of_its_level(few: int) -> None:
    short = [made_series(one.points[:few], batch=seed) for seed, one in enumerate(CALM, start=1)]
    found = findings(*CALM, baseline=short)
    assert verdicts(found) == {"undecided": 8}


def test_without_a_baseline_a_level_that_has_lasted_is_the_level() -> None:
    found = findings(*CALM, nightly(NIGHTS, steps={15: 0.8}))
    assert found.count("slower") == 0


def test_tonight_is_no_part_of_its_own_baseline() -> None:
    every = watched(CALM)
    (first, *_) = tonight(every, every, last(every))
    assert len({night.date for night in first.watched.nights}) == NIGHTS


def test_a_night_can_be_asked_for() -> None:
    every = watched(CALM)
    date = last(every) - datetime.timedelta(days=5)
    assert all(each.watched.nights[-1].date == date for each in tonight(every, None, date))


def test_what_vanished_is_named() -> None:
    gone = made_series(nightly(NIGHTS - 1).points, network="vgg16")
    assert findings(*CALM, gone).absent == ("vgg16 inference 32 pytorch equal",)


def test_what_vanished_from_one_of_two_machines_is_named_with_it() -> None:
    gone, kept = made_series(nightly(NIGHTS - 1).points, machine="old"), nightly(NIGHTS, machine="new")
    assert findings(gone, kept).absent == ("mlp inference 32 pytorch equal (old)",)


def test_cases_of_two_machines_are_told_apart() -> None:
    found = table(findings(*(nightly(NIGHTS, machine=name) for name in ("old", "new"))), everything=True)
    assert [case["machine"] for case in json.loads(written(found, "json"))["cases"]] == ["old", "new"]
    assert len({row[0] for row in found.rows}) == 2


def test_an_empty_history_is_refused() -> None:
    with pytest.raises(UserError, match="nothing to judge"):
        latest([])


# --- The re-run -------------------------------------------------------------------------------


def rerun(found: Findings, by: float, controls: float = 1.0) -> Findings:
    """Judged again, with a re-run in which suspects were ``by`` times as fast as before all this."""
    suspected = {each.watched.identity for each in regressions.suspects(found)}
    chosen = []
    for each in found.said:
        *before, now = each.watched.nights
        is_suspect = each.watched.identity in suspected
        forks = tuple(1000.0 * (by if is_suspect else controls) * wobble for wobble in (0.997, 1.0, 1.003))
        again = Night(now.date, forks, ("rerun",), now.state, now.ceilings)
        chosen.append(Tonight(each.watched.of([*before, now + again]), 3, again, not is_suspect))
    return judged(chosen, found.date)


@pytest.mark.parametrize(("by", "code"), [(0.85, 1), (1.0, 0)])
def test_a_re_run_confirms_or_clears(by: float, code: int) -> None:
    suspicious = findings(*CALM, nightly(NIGHTS, steps={NIGHTS - 1: 0.85}))
    found = rerun(suspicious, by)
    assert found.exit_code() == code
    assert len(table(found).rows) == 1  # what was cleared is shown, too


def test_a_control_that_is_slow_in_the_re_run_leaves_it_open() -> None:
    suspicious = findings(*CALM, nightly(NIGHTS, steps={NIGHTS - 1: 0.85}))
    found = rerun(suspicious, 0.85, controls=0.9)
    assert found.count("slower") == 0
    assert any(each.judged.reason.startswith("machine: the control") for each in found.open)


def test_a_control_that_became_slower_long_ago_excuses_nothing() -> None:
    old = [nightly(NIGHTS, seed=seed, batch=seed, steps={20: 0.8}) for seed in range(1, 9)]
    suspicious = findings(*old, nightly(NIGHTS, steps={NIGHTS - 1: 0.85}))
    assert rerun(suspicious, 0.85, controls=0.8).exit_code() == 1


# --- What is watched, and what is said --------------------------------------------------------


def test_what_takes_no_time_to_compile_is_not_watched() -> None:
    points = [made_point(night, [1.0], metrics={"compile_s": (0.001,)}) for night in range(3)]
    assert [one.metric for one in watched([made_series(points)])] == [SPEED]


def test_a_difference_from_the_reference_is_watched() -> None:
    point = made_point(0, [1.0], sameness={"level 1 float32": 1e-6, "level 2 float32": 3e-6})
    (_, one) = watched([made_series([point])])
    assert (one.metric.name, one.nights[0].forks) == ("difference", (3e-6,))


def test_builds_are_watched_apart() -> None:
    points = [made_point(0, [1.0], label=label) for label in ("old", "new")]
    assert [one.case[3] for one in watched([made_series(points)])] == ["pytorch@old", "pytorch@new"]


def test_steps_along_a_history_are_dated_and_attributed() -> None:
    series = nightly(NIGHTS, steps={10: 0.8}, fields={10: {"environment": {"driver": "570"}}})
    (step,) = steps(watched([series])[0])
    assert (step.date, step.because) == (datetime.date(2026, 1, 12), ("driver none → 570",))
    assert step.ratio == pytest.approx(0.8, abs=0.02)


def test_the_table_shows_what_matters_and_counts_the_rest() -> None:
    found = table(findings(*CALM, nightly(NIGHTS, steps={NIGHTS - 2: 0.85})))
    assert found.answer == "Night of 2026-01-31: 1 worse, 8 same, 0 undecided (9 watched)"
    assert [row[5] for row in found.rows] == ["slower"]
    assert "8 more are not shown (--all shows them)." in found.notes
    assert len(table(findings(*CALM), everything=True).rows) == 8


def test_every_row_of_the_data_states_its_smallest_step() -> None:
    data = json.loads(written(table(findings(*CALM)), "json"))
    assert all(0 < case["smallest_step"] < 0.1 for case in data["cases"])


def test_a_hostile_version_does_nothing_in_markdown() -> None:
    new = {NIGHTS - 2: {"versions": {"torch": "<script>|x"}}}
    found = table(findings(*CALM, nightly(NIGHTS, steps={NIGHTS - 2: 0.85}, fields=new)))
    assert "<script>" not in written(found, "markdown").replace("\\<script\\>", "")
