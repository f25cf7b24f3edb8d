"""Arrays out of a pickle without unpickling it: the form that Paddle's ``.pdparams`` have.

A pickle is a program. This reads the few instructions that write down data, notes a call instead of
making it, and recognises the calls that describe a NumPy array; anything else is refused by name.
Nothing is imported, called or executed.
"""

import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from implementations.formats.entries import DamagedError, Entries, Entry
from implementations.network import Array

STRUCTURE = "StructuredToParameterName@@"  # Paddle's own table of names: no weights
FLOAT32 = "float32"
DIMENSIONS = 8


@dataclass
class Symbol:
    """A function or class by name; never looked up."""

    name: str


@dataclass
class Call:
    """A call that was asked for, and the state that was to be set on its result; never made."""

    function: Any
    arguments: Any
    state: Any = None


def read(path: Path) -> Entries:
    """The arrays of a pickled dictionary by key; ``DamagedError`` for any other content."""
    top = _Data().of(path.read_bytes())
    if not isinstance(top, dict):
        raise DamagedError(f"it holds {_shown(top)} where a dictionary of arrays should be")
    return {key: _entry(key, value) for key, value in top.items() if key != STRUCTURE}


# --- Instructions -------------------------------------------------------------------------

INTEGERS = {"BININT", "BININT1", "BININT2", "LONG1", "LONG4"}
TEXTS = {"BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
BYTES = {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8"}
PLAIN = {"BINFLOAT", *INTEGERS, *TEXTS, *BYTES}
CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
MARK = object()


class _Data:
    """The data that a pickle writes down."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def of(self, content: bytes) -> Any:
        for instruction, argument, _ in pickletools.genops(content):
            if instruction.name == "STOP":
                return self.stack.pop()
            self._follow(instruction.name, argument)
        raise DamagedError("it is cut short")

    def _follow(self, name: str, argument: Any) -> None:
        if name in PLAIN:
            self.stack.append(argument)
        elif name in CONSTANTS:
            self.stack.append(CONSTANTS[name])
        elif name in TUPLES:
            self._fold(lambda items: tuple(items), count=TUPLES[name])
        elif name not in ("PROTO", "FRAME"):
            step = STEPS.get(name)
            if step is None:
                raise DamagedError(f"the instruction {name} is none that writes down arrays")
            step(self, argument)

    def _fold(self, make: Callable[[list[Any]], Any], count: int) -> None:
        items = [self.stack.pop() for _ in range(count)][::-1]
        self.stack.append(make(items))

    def _since_mark(self) -> list[Any]:
        items: list[Any] = []
        while (item := self.stack.pop()) is not MARK:
            items.append(item)
        return items[::-1]

    def _set(self, pairs: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict:
            raise DamagedError("it sets items of what is no dictionary")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if type(key) is not str:
                raise DamagedError(f"the key {_shown(key)} is no text")
            if key in target:
                raise DamagedError(f"the key {key[:60]!r} comes twice")
            target[key] = value

    def _build(self) -> None:
        state = self.stack.pop()
        if not isinstance(self.stack[-1], Call):
            raise DamagedError("it sets the state of what no call made")
        self.stack[-1].state = state


def _symbol(names: list[Any]) -> Symbol:
    if not all(type(name) is str for name in names):
        raise DamagedError("a function's name is no text")
    return Symbol(".".join(names))


Step = Callable[[_Data, Any], Any]
STEPS: dict[str, Step] = {
    "MARK": lambda data, _: data.stack.append(MARK),
    "EMPTY_DICT": lambda data, _: data.stack.append({}),
    "EMPTY_TUPLE": lambda data, _: data.stack.append(()),
    "TUPLE": lambda data, _: data.stack.append(tuple(data._since_mark())),
    "SETITEM": lambda data, _: data._set([data.stack.pop() for _ in range(2)][::-1]),
    "SETITEMS": lambda data, _: data._set(data._since_mark()),
    "MEMOIZE": lambda data, _: data.memo.__setitem__(len(data.memo), data.stack[-1]),
    "BINPUT": lambda data, place: data.memo.__setitem__(place, data.stack[-1]),
    "LONG_BINPUT": lambda data, place: data.memo.__setitem__(place, data.stack[-1]),
    "BINGET": lambda data, place: data.stack.append(data.memo[place]),
    "LONG_BINGET": lambda data, place: data.stack.append(data.memo[place]),
    "GLOBAL": lambda data, name: data.stack.append(Symbol(name.replace(" ", "."))),
    "STACK_GLOBAL": lambda data, _: data._fold(_symbol, 2),
    "REDUCE": lambda data, _: data._fold(lambda pair: Call(*pair), 2),
    "BUILD": lambda data, _: data._build(),
}


# --- What the calls describe --------------------------------------------------------------


def _entry(key: str, value: Any) -> Entry:
    if _is_call(value, "builtins.tuple", "__builtin__.tuple"):  # Paddle's tensors: (name, array)
        ((_, value),) = value.arguments
    if not _is_call(value, "numpy._core.multiarray._reconstruct", "numpy.core.multiarray._reconstruct"):
        return Entry((), _shown(value), lambda: np.zeros(0))
    match value.state:
        case (1, tuple(shape), Call() as dtype, bool(is_column_major), content):
            return _array(key, shape, dtype, is_column_major, _bytes(key, content))
    raise DamagedError(f"{key!r} describes no array")


def _array(key: str, shape: tuple[Any, ...], dtype: Call, is_column_major: bool, content: bytes) -> Entry:
    # Larger ones would only be multiplied: that alone can take hours.
    if len(shape) > DIMENSIONS or not all(type(size) is int and 0 <= size < 1 << 40 for size in shape):
        raise DamagedError(f"{key!r} has no shape")
    kind = _dtype(dtype)
    if kind == FLOAT32 and len(content) != 4 * math.prod(shape):
        raise DamagedError(f"{key!r} has {len(content)} bytes for the shape {list(shape)}")

    def values() -> Array:
        return np.frombuffer(content, "<f4").reshape(shape, order="F" if is_column_major else "C")

    return Entry(shape, kind, values)


def _dtype(call: Call) -> str:
    """``float32`` for little-endian single precision, else the code as it stands there."""
    if not _is_call(call, "numpy.dtype") or not isinstance(call.state, tuple) or len(call.state) < 2:
        raise DamagedError("an array's type is described otherwise than NumPy does")
    order, code = call.state[1], call.arguments[0] if call.arguments else None
    if type(order) is not str or type(code) is not str:
        raise DamagedError("an array's type has no name")
    return FLOAT32 if (order, code) == ("<", "f4") else f"{order}{code}"


def _bytes(key: str, content: Any) -> bytes:
    if _is_call(content, "_codecs.encode"):  # how bytes are written before protocol 3
        text, coding = content.arguments
        if type(text) is str and coding == "latin1":
            return text.encode("latin1")
    if type(content) is not bytes:
        raise DamagedError(f"{key!r} has no bytes")
    return content


def _is_call(value: Any, *names: str) -> bool:
    return (
        isinstance(value, Call)
        and isinstance(value.function, Symbol)
        and value.function.name in names
        and isinstance(value.arguments, tuple)
    )


def _shown(value: Any) -> str:
    if isinstance(value, Call):
        return f"a call of {_shown(value.function)}"
    return value.name if isinstance(value, Symbol) else f"a {type(value).__name__}"
