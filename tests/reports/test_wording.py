from typing import Any

import pytest

from benchmarks.intervals import Interval
from benchmarks.plan import Case
from reports import wording
from reports.headlines import Headline
from reports.queries import Group, Measured

BEHIND: Any = None  # what stands behind a number is no part of the words about it
NAMES = ("pytorch", "paddle", "keras-tensorflow")
NBSP = "\N{NO-BREAK SPACE}"


def interval(value: float, low: float, high: float, forks: int = 3) -> Interval:
    return Interval(value, low, high, "interval" if forks >= 3 else "range", forks)


def group(batch: int, names: tuple[str, ...] = NAMES) -> Group:
    cases = [
        Measured(case, (12.34,), interval(12.34, 12, 13), None, None, 1, None, {}, 1, (), (), BEHIND)
        for case in (Case("mlp", "training", batch, n) for n in names)
    ]
    return Group("mlp", "training", batch, "equal", tuple(cases), ())


def headline(*leads: Interval, batches: tuple[int, ...] = (32,), of: int = 1) -> Headline:
    works = tuple(group(batch) for batch in batches)
    first, *others = works[0].cases
    return Headline("training", "equal", "cpu", works, of, first, tuple(zip(others, leads, strict=False)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0123, "0.012"),
        (0.5, "0.500"),
        (1.234, "1.23"),
        (12.34, "12.3"),
        (123.4, "123"),
        (12345.6, "12,346"),
        (1e-5, "1.00e-05"),
    ],
)
def test_quantity(value: float, text: str) -> None:
    assert wording.quantity(value) == text


def test_the_fastest_with_its_interval() -> None:
    answer = wording.answer(headline(interval(1.42, 1.3, 1.55)))
    expected = f"pytorch is fastest: 1.42 times as fast as paddle (95{NBSP}% interval 1.30 to 1.55)."
    assert str(answer) == expected


def test_a_range_is_called_a_range() -> None:
    answer = wording.answer(headline(interval(1.42, 1.3, 1.55, forks=2)))
    assert answer.evidence == "range 1.30 to 1.55 over 2 forks, too few for an interval"


def test_one_fork_has_no_interval() -> None:
    assert wording.answer(headline(interval(1.4, 1.4, 1.4, forks=1))).evidence == "one fork: no interval"


def test_an_interval_that_includes_one_is_said_plainly() -> None:
    answer = wording.answer(headline(interval(1.02, 0.95, 1.09)))
    assert answer.verdict == "This run cannot tell pytorch and paddle apart"
    assert answer.evidence == f"ratio 1.02, 95{NBSP}% interval 0.95 to 1.09"


def test_every_rival_is_named() -> None:
    answer = wording.answer(headline(interval(1.02, 0.95, 1.09), interval(1.9, 0.6, 6.0)))
    assert answer.verdict == "This run cannot tell pytorch, paddle and keras-tensorflow apart"
    assert answer.evidence == (
        f"ratio of pytorch to paddle 1.02, 95{NBSP}% interval 0.95 to 1.09; "
        f"to keras-tensorflow 1.90, 95{NBSP}% interval 0.60 to 6.00"
    )


def test_who_is_told_apart_is_no_rival() -> None:
    answer = wording.answer(headline(interval(1.3, 1.1, 1.6), interval(1.9, 0.6, 6.0)))
    assert answer.verdict == "This run cannot tell pytorch and keras-tensorflow apart"


def test_a_single_case_is_compared_with_nothing() -> None:
    assert str(wording.answer(headline())) == "pytorch alone was measured (12.3 images/s)."


def test_a_small_lead_is_not_rounded_to_none() -> None:
    assert wording.ratio(interval(1.004, 1.002, 1.006)) == ("1.004", "1.002 to 1.006")


def test_a_tiny_ratio_is_not_rounded_to_nothing() -> None:
    assert wording.ratio(interval(0.07, 0.002, 3.29)) == ("0.07", "<0.01 to 3.29")


@pytest.mark.parametrize(
    ("value", "text"), [(0.37, "37"), (1.3, "130"), (0.01, "1"), (0.0021, "0.2"), (0.00004, "0.004")]
)
def test_a_share_is_in_percent_and_never_zero(value: float, text: str) -> None:
    assert wording.share(value) == f"{text}{NBSP}%"


def test_the_scope_of_a_sentence() -> None:
    assert wording.scope(headline()) == "mlp, batch 32"
    assert wording.scope(headline(of=3)) == "mlp, batch 32, 1 of 3 comparisons"
    assert wording.scope(headline(batches=(1, 8), of=2)) == "geometric mean over 2 comparisons of mlp"
    assert wording.scope(headline(batches=(1, 8), of=5)) == "geometric mean over 2 of 5 comparisons of mlp"


def test_many_names_are_cut_short() -> None:
    assert wording.joined(["a"]) == "a"
    assert wording.joined(["a", "b", "c"]) == "a, b and c"
    assert wording.joined(["a", "b", "c", "d", "e", "f"]) == "a, b, c and 3 more"


def test_a_large_ratio_has_three_digits() -> None:
    assert wording.ratio(interval(93.341, 48.6, 179.28)) == ("93.3", "48.6 to 179")
