"""What of the history is asked for: ``framework=pytorch``, ``versions.torch=2.13.0``, ``commit=1a2b3c``."""

import datetime
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Integer, Select, false, or_

from benchmarks import results
from benchmarks.history import schema
from implementations.errors import UserError

VERSIONS = "versions."
OF_RUNS = ("run", "commit", "preset", "device", "since", "until")
LARGEST = 2**31 - 1  # of a column of whole numbers
SHORTEST = 4  # characters of a commit or a run's id


@dataclass(frozen=True)
class _Columns:
    """Where the names that may be asked for stand."""

    own: Mapping[str, Column[Any]]
    versions: Column[Any] | None = None


_FORKS = _Columns(
    {**{name: schema.SERIES.c[name] for name in results.KEY}, "label": schema.SETUPS.c.label},
    schema.SETUPS.c.versions,
)
_OF_TRAININGS = ("recipe", "network", "digest", "framework", "optimizer", "batch", "seed")
_TRAININGS = _Columns({name: schema.TRAININGS.c[name] for name in _OF_TRAININGS}, schema.TRAININGS.c.versions)


_RUNS = _Columns({})


def parsed(words: Iterable[str]) -> dict[str, str]:
    """``{"framework": "pytorch", …}`` of ``framework=pytorch`` …; ``UserError`` for anything else."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = (part.strip() for part in word.partition("="))
        if not (name and equals) or name in found:
            raise UserError(
                "the filter cannot be understood",
                given=word,
                allowed="NAME=VALUE, as framework=pytorch, each name once",
                todo="correct it",
            )
        found[name] = value
    return found


def of_forks(query: Select[Any], filters: Mapping[str, Any]) -> Select[Any]:
    """``query``, which joins forks, series, setups and runs, narrowed to what ``filters`` say.

    ``UserError`` for a name that is none, or a value that cannot be meant.
    """
    return _narrowed(query, filters, _FORKS)


def of_trainings(query: Select[Any], filters: Mapping[str, Any]) -> Select[Any]:
    """The same of ``query`` over trainings and runs."""
    return _narrowed(query, filters, _TRAININGS)


def of_runs(query: Select[Any], filters: Mapping[str, Any]) -> Select[Any]:
    """The same of ``query`` over runs."""
    return _narrowed(query, filters, _RUNS)


def _narrowed(query: Select[Any], filters: Mapping[str, Any], columns: _Columns) -> Select[Any]:
    for name, value in filters.items():
        query = query.where(_condition(name, value, columns))
    return query


def _condition(name: str, value: Any, columns: _Columns) -> ColumnElement[bool]:
    if isinstance(value, Collection) and not isinstance(value, str):
        return or_(false(), *(_condition(name, one, columns) for one in value))
    if name in columns.own:
        return _equal(columns.own[name], value)
    if columns.versions is not None and name.startswith(VERSIONS) and name != VERSIONS:
        version: ColumnElement[str] = columns.versions[name.removeprefix(VERSIONS)].as_string()
        return version == str(value)
    if name in OF_RUNS:
        return _of_run(name, str(value))
    raise UserError(
        "the history cannot be asked for this",
        given=f"{name}={value}",
        allowed=", ".join((*columns.own, *OF_RUNS, *([f"{VERSIONS}PACKAGE"] if columns.own else []))),
        todo="name one of these",
    )


def _equal(column: Column[Any], value: Any) -> ColumnElement[bool]:
    if column.nullable and value in (None, ""):
        return column.is_(None)
    if isinstance(column.type, Integer):
        digits = str(value)
        if not digits.isdecimal() or len(digits) > len(str(LARGEST)) or int(digits) > LARGEST:
            raise _odd(column.name, value, f"a whole number to {LARGEST}")
        return column == int(digits)
    return column == str(value)


def _of_run(name: str, value: str) -> ColumnElement[bool]:
    runs = schema.RUNS.c
    if name == "since":
        return runs.started >= _day(name, value)
    if name == "until":
        return runs.started <= datetime.datetime.combine(_day(name, value), datetime.time.max)
    if name == "run":
        by_id = runs.id.startswith(value.lower(), autoescape=True) if len(value) >= SHORTEST else false()
        return or_(runs.folder == value, by_id)
    if name == "commit":
        return runs.commit_id.startswith(_long(name, value).lower(), autoescape=True)
    return runs[name] == value


def _long(name: str, value: str) -> str:
    if len(value) < SHORTEST:
        raise _odd(name, value, f"at least the first {SHORTEST} characters")
    return value


def _day(name: str, value: str) -> datetime.datetime:
    try:
        return datetime.datetime.combine(datetime.date.fromisoformat(value), datetime.time())
    except ValueError:
        raise _odd(name, value, "a date as 2026-01-31") from None


def _odd(name: str, value: Any, allowed: str) -> UserError:
    return UserError(
        f"the history cannot be asked for this {name}", given=value, allowed=allowed, todo="correct it"
    )
