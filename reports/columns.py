"""Rows → columns, as they stand in the page: each name of a repeated text once, numbers to six digits."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.intervals import Interval

DIGITS = 6


def short(value: Any) -> Any:
    """A float to six significant digits, whole where it is; anything else as it is."""
    if not isinstance(value, float):
        return value
    rounded = float(f"{value:.{DIGITS}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def ends(interval: Interval | None) -> list[Any] | None:
    """Value, low, high, and 1 if the ends are a range."""
    if interval is None:
        return None
    return [*(short(end) for end in (interval.value, interval.low, interval.high)), *_kind(interval)]


def _kind(interval: Interval) -> Iterable[int]:
    return () if interval.kind == "interval" else (1,)


def packed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """``rows``, which all have the same fields, by column: values, or places in a list of the values."""
    return {name: _column([row[name] for row in rows]) for name in (rows[0] if rows else ())}


def _column(values: list[Any]) -> dict[str, Any]:
    if any(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return {"values": [short(value) for value in values]}
    different: dict[str, int] = {}
    distinct: list[Any] = []
    places = []
    for value in values:
        key = repr(value)
        if key not in different:
            different[key] = len(distinct)
            distinct.append(value)
        places.append(different[key])
    return {"of": distinct, "at": places} if len(distinct) < len(values) else {"values": values}


def unpacked(column: Mapping[str, Any]) -> list[Any]:
    """A column of ``packed`` with a value a row again."""
    return [column["of"][place] for place in column["at"]] if "at" in column else list(column["values"])
