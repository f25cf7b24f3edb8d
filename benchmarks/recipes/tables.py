"""Recipes as plain tables and back: what a user's file holds, and what a child is handed.

The fields' own types say what is allowed; nothing is listed twice. Where several classes are possible
(optimizers, schedules), the table's ``kind`` says which: the class's name in lower case.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.recipes.recipe import Recipe
from implementations.errors import UserError

KIND = "kind"
ABOVE_0 = (lambda value: value > 0, "a number above 0")
FROM_1 = (lambda value: value >= 1, "a whole number from 1 up")
SHARE = (lambda value: 0 <= value < 1, "a number from 0 to below 1")
LIMITS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(
        (
            *("epochs", "batch", "every", "length", "classes"),
            *("train_images", "evaluated_images", "keep_epochs"),
        ),
        FROM_1,
    ),
    **dict.fromkeys(("learning_rate", "epsilon", "initial", "factor"), ABOVE_0),
    **dict.fromkeys(("momentum", "beta1", "beta2", "rho", "shift", "zoom"), SHARE),
    **dict.fromkeys(("rate", "final", "offset"), (lambda value: value >= 0, "a number from 0 up")),
    "accuracy": (lambda value: 0 < value <= 1, "a share above 0 and at most 1"),
}


def as_table(value: Any) -> Any:
    """``value`` (a recipe or a part of one) as dictionaries, lists, numbers and words."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {KIND: kind_of(type(value)), **{n: as_table(v) for n, v in fields.items() if v is not None}}
    if isinstance(value, Mapping):
        return dict(value)
    return [as_table(item) for item in value] if isinstance(value, tuple) else value


def kind_of(made: type) -> str:
    """The word by which a table names a class: ``adam``, ``stepped``."""
    return made.__name__.removesuffix("Rate").lower()


def from_table(table: Mapping[str, Any]) -> Recipe:
    """The recipe that ``as_table`` made ``table`` from; ``MistakesError`` for another table."""
    reader = Reader()
    recipe = reader.made(Recipe, table, "")
    if reader.mistakes:
        raise MistakesError(reader.mistakes)
    return typing.cast(Recipe, recipe)


class MistakesError(UserError):
    """All that is wrong with a table, one line each."""

    def __init__(self, errors: list[UserError]) -> None:
        first = errors[0].parts
        super().__init__(first["wrong"], given=first["given"], allowed=first["allowed"], todo=first["todo"])
        self.errors = errors
        self.args = ("\nerror: ".join(map(str, errors)),)


class Reader:
    """Makes classes from tables, and collects what is wrong instead of ending at the first mistake."""

    def __init__(self) -> None:
        self.mistakes: list[UserError] = []

    def made(self, wanted: type, table: Any, place: str) -> Any:
        """An instance of the dataclass ``wanted``; ``None`` after a mistake."""
        if not isinstance(table, Mapping):
            return self._refuse(place, table, "a table")
        before = len(self.mistakes)
        fields = {field.name: field for field in dataclasses.fields(wanted)}
        kinds, prefix = typing.get_type_hints(wanted), f"{place}." if place else ""
        for name in table.keys() - fields.keys() - {KIND}:
            self._refuse(f"{prefix}{name}", table[name], ", ".join(fields), "unknown field")
        values = {
            name: self.value(kinds[name], table[name], f"{prefix}{name}") for name in fields if name in table
        }
        for name, field in fields.items():
            if name not in table and _is_required(field):
                self._refuse(f"{prefix}{name}", "nothing", _described(kinds[name], name), "missing field")
        if len(self.mistakes) > before:
            return None
        try:
            return wanted(**values)
        except ValueError as error:
            return self._refuse(place or wanted.__name__.lower(), dict(table), str(error))

    def value(self, kind: Any, given: Any, place: str) -> Any:
        """``given`` as a value of the annotated type ``kind``; ``None`` after a mistake."""
        options = [option for option in _options(kind) if option is not type(None)]
        classes = [option for option in options if dataclasses.is_dataclass(option)]
        if classes:
            return self._one_of(classes, given, place)
        name = place.rpartition(".")[2]
        (wanted,) = options
        found = self._sequence(wanted, given, place) if typing.get_origin(wanted) is tuple else given
        fits, _ = LIMITS.get(name, (lambda value: True, ""))
        if not _is_a(wanted, found) or not fits(found):
            return self._refuse(place, given, _described(wanted, name))
        return float(found) if wanted is float else found

    def _one_of(self, classes: list[Any], given: Any, place: str) -> Any:
        named = {kind_of(option): option for option in classes}
        if len(classes) == 1:
            return self.made(classes[0], given, place)
        kind = given.get(KIND) if isinstance(given, Mapping) else None
        if kind not in named:
            return self._refuse(f"{place}.{KIND}", kind, ", ".join(named))
        return self.made(named[kind], given, place)

    def _sequence(self, kind: Any, given: Any, place: str) -> Any:
        """A tuple of classes or of plain values; what is no list is left as it is."""
        arguments = typing.get_args(kind)
        if not isinstance(given, list):
            return given
        if dataclasses.is_dataclass(arguments[0]):
            made = typing.cast(type, arguments[0])
            return tuple(self.made(made, item, f"{place}[{number}]") for number, item in enumerate(given))
        return tuple(given)

    def _refuse(self, place: str, given: Any, allowed: str, wrong: str = "wrong value") -> None:
        self.mistakes.append(UserError(f"{place}: {wrong}", given=given, allowed=allowed, todo="correct it"))


def _options(kind: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return typing.get_args(kind) if is_union else (kind,)


def _is_required(field: Any) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _is_a(kind: Any, value: Any) -> bool:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return value in arguments
    if origin is tuple:
        if not isinstance(value, tuple) or (arguments[-1] is not ... and len(value) != len(arguments)):
            return False
        return all(dataclasses.is_dataclass(arguments[0]) or _is_a(arguments[0], item) for item in value)
    if origin is not None:  # figures by name
        return isinstance(value, Mapping) and all(_is_a(float, item) for item in value.values())
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, int | float if kind is float else kind)


def _described(kind: Any, name: str) -> str:
    """What a field may hold, in words."""
    if name in LIMITS:
        return LIMITS[name][1]
    options = [option for option in _options(kind) if option is not type(None)]
    if dataclasses.is_dataclass(options[0]):
        return "a table" if len(options) == 1 else f"a table of kind {', '.join(map(kind_of, options))}"
    origin, arguments = typing.get_origin(options[0]), typing.get_args(options[0])
    if origin is typing.Literal:
        return ", ".join(map(str, arguments))
    if origin is tuple:
        count = "" if arguments[-1] is ... else f"{len(arguments)} "
        named = typing.get_args(arguments[0])
        return f"a list of {', '.join(named)}" if named else f"a list of {count}whole numbers"
    words = {int: "a whole number", float: "a number", str: "words in quotes", bool: "true or false"}
    return words.get(options[0], "a table of numbers")
