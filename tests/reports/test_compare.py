"""Two selections against each other: pairs, refusals, what is said."""

import json
from typing import Any

import pytest
from made_series import made_point, made_series

from implementations.errors import UserError
from reports.compare import compared, table
from reports.selections import Selection
from reports.tables import written

FAST, SLOW = [120.0, 121.0, 119.0], [100.0, 101.0, 99.0]


def selection(text: str, *series: Any, fields: tuple[str, ...] = ()) -> Selection:
    return Selection(text, frozenset(fields), series, ())


def side(text: str, forks: list[float], fields: tuple[str, ...] = (), **key: Any) -> Selection:
    return selection(text, made_series([made_point(0, forks)], **key), fields=fields)


def test_a_case_on_both_sides_has_a_ratio_and_a_verdict() -> None:
    (row,) = compared(side("a", FAST), side("b", SLOW)).rows
    assert (row.case, row.unit) == ("mlp inference 32 pytorch", "forks")
    assert row.told.ratio.value == pytest.approx(
        1.2, rel=1e-3
    )  # geometric means differ from these in the 4th digit
    assert row.told.verdict == "faster"


def test_two_frameworks_are_compared_where_both_filters_name_them() -> None:
    chosen = [side(name, FAST, fields=("framework",), framework=name) for name in ("pytorch", "paddle")]
    (row,) = compared(*chosen).rows
    assert row.case == "mlp inference 32"


def test_two_frameworks_otherwise_have_nothing_in_common() -> None:
    with pytest.raises(UserError, match="no case in common") as refused:
        compared(side("a", FAST), side("b", FAST, framework="paddle"))
    assert "A has mlp inference 32 pytorch; B has mlp inference 32 paddle" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("machine", "another"), ("digest", "1" * 64), ("policy", "best"), ("method_version", 2), ("threads", 4)],
)
def test_what_is_not_alike_is_refused_unless_forced_and_then_said_in_every_row(name: str, value: Any) -> None:
    chosen = side("a", FAST), side("b", SLOW, **{name: value})
    with pytest.raises(UserError, match=f"not alike.*{name}"):
        compared(*chosen)
    forced = table(compared(*chosen, force=True))
    assert all(row[-1].startswith("NOT ALIKE") and name in row[-1] for row in forced.rows)


def test_two_policies_are_compared_where_both_filters_name_them() -> None:
    chosen = [side(p, FAST, fields=("policy",), policy=p) for p in ("equal", "best")]
    (row,) = compared(*chosen).rows
    assert row.unlike == ()


def test_each_policy_of_two_runs_is_compared_with_its_own() -> None:
    runs = [
        selection(name, *(made_series([made_point(0, forks)], policy=p) for p in ("equal", "best")))
        for name, forks in (("a", FAST), ("b", SLOW))
    ]
    found = compared(*runs)
    assert [row.case for row in found.rows] == [
        "mlp inference 32 pytorch equal float32",
        "mlp inference 32 pytorch best float32",
    ]


def test_with_three_nights_a_side_the_night_is_the_unit() -> None:
    sides = [
        selection(n, made_series([made_point(night, forks) for night in range(3)]))
        for n, forks in (("a", FAST), ("b", SLOW))
    ]
    (row,) = compared(*sides).rows
    assert (row.unit, len(row.above)) == ("nights", 3)


def test_builds_of_one_framework_are_cases_of_their_own() -> None:
    points = [made_point(0, FAST, label="old"), made_point(0, SLOW, label="new")]
    found = compared(selection("a", made_series(points)), selection("b", made_series(points)))
    assert [row.case.split()[-1] for row in found.rows] == ["pytorch@new", "pytorch@old"]


def test_what_one_side_has_alone_is_named() -> None:
    both = side("a", FAST).series[0], side("a", FAST, batch=1).series[0]
    found = compared(selection("a", *both), side("b", SLOW))
    assert found.alone == ("mlp inference 1 pytorch (A)",)


def test_the_mean_is_over_all_cases() -> None:
    series = [made_series([made_point(0, forks)], batch=b) for b, forks in ((1, FAST), (2, SLOW))]
    swapped = [made_series([made_point(0, forks)], batch=b) for b, forks in ((1, SLOW), (2, FAST))]
    mean = compared(selection("a", *series), selection("b", *swapped)).mean
    assert mean.value == pytest.approx(1.0, rel=1e-12)
    assert mean.low < 1 < mean.high


def test_all_forms_say_the_same() -> None:
    found = table(compared(side("a", FAST), side("b", SLOW)))
    assert found.answer.startswith("A / B = 1.200 (1.")
    data = json.loads(written(found, "json"))
    assert data["cases"][0]["verdict"] == "faster"
    assert data["geometric_mean"]["kind"] == "interval"
    assert "| mlp inference 32 pytorch |" in written(found, "markdown")


def test_a_hostile_name_does_nothing_in_markdown() -> None:
    found = table(compared(side("a", FAST, network="<b>|x"), side("b", SLOW, network="<b>|x")))
    assert "<b>" not in written(found, "markdown").replace("\\<b\\>", "")
