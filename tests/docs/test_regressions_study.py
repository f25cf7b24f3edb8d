"""The study of false alarms: what it draws from, that it runs, and that its page says what it found."""

import re

import pytest

from docs.studies import machine, regressions
from docs.studies import nights as recorded
from implementations.commandline import ROOT

PAGE = (ROOT / "docs/regressions.md").read_text(encoding="utf-8")
PROMISED_ALARMS, PROMISED_FOUND = (
    1.0,
    95.0,
)  # nights in 100 at most; steps in 100 at least, within three nights


def rows(rule: str) -> dict[str, tuple[float, float]]:
    """Nights with a false alarm and steps found by the third, in 100, by world."""
    found = {}
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == len(regressions.HEADINGS) and cells[1] == rule:
            alarms, by_the_third = (re.match(r"[\d.]+", cells[place]) for place in (2, 5))
            assert alarms is not None
            assert by_the_third is not None
            found[cells[0]] = (float(alarms[0]), float(by_the_third[0]))
    return found


def test_at_least_twenty_real_nights_of_ten_cases_were_recorded() -> None:
    cases = recorded.cases(recorded.load())
    assert len(cases) >= 10
    assert min(map(len, cases.values())) >= 20
    assert all(len(forks) >= 2 for nights in cases.values() for forks in nights)


def test_the_spreads_are_those_of_the_recorded_nights() -> None:
    (fork, night), *_ = recorded.sigmas({"a case": [[100.0, 110.0], [200.0, 220.0], [400.0, 440.0]]}).values()
    assert fork == pytest.approx(0.0674, abs=1e-4)  # log 1.1 / √2
    assert night == pytest.approx(0.6915, abs=1e-3)  # log 2, less a fork's variance over two


@pytest.mark.parametrize("forks", ["3 forks", "10 forks", "30 forks"])
def test_the_page_keeps_what_was_promised(forks: str) -> None:
    alarms, found = rows("this suite")[forks]
    assert alarms <= PROMISED_ALARMS
    assert found >= PROMISED_FOUND


def test_every_world_and_rule_stands_in_the_page() -> None:
    for rule in ("this suite", *regressions.OTHERS):
        assert list(rows(rule)) == list(regressions.worlds())


def test_a_small_study_tells_the_rules_apart() -> None:
    found = regressions.outcomes(regressions.worlds()["3 forks"], nights=20, trials=1)
    ours, simple = found["this suite"], found["10 % from last night"]
    assert ours.alarmed <= 2
    assert ours.shares[-1] > 0.9
    assert simple.alarmed == 20  # with this noise a tenth is nothing


# --- The machine ------------------------------------------------------------------------------


def test_every_event_stands_in_the_page() -> None:
    cells = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("|")]
    titles = [row[0].strip() for row in cells if len(row) == len(machine.HEADINGS) and "%" in row[1]]
    assert titles == [event.title for event in machine.EVENTS]


def test_a_machine_that_is_slower_is_blamed_on_no_case() -> None:
    found = machine.outcome(regressions.worlds()[machine.WORLD], machine.Event("", slower=0.2), trials=1)
    assert found.excused > 0.95
    assert found.slower[1] < 0.1  # half of all where ceilings settle two nights before the cases do
    assert found.without[1] > 0.95


def test_a_step_is_found_although_the_machine_is_watched() -> None:
    found = machine.outcome(regressions.worlds()[machine.WORLD], machine.Event("", steps=True), trials=1)
    assert found.slower[0] >= 0.8  # of ten
