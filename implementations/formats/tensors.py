"""safetensors, whoever wrote them."""

from collections.abc import Mapping
from pathlib import Path

from implementations import weights
from implementations.errors import UserError
from implementations.formats.entries import DamagedError, Entries, Entry
from implementations.network import Array

NAMES = {"F32": "float32", "F64": "float64", "F16": "float16", "BF16": "bfloat16", "I64": "int64"}


def read(path: Path) -> Entries:
    """The arrays by key; each is read from the mapped file when it is asked for."""
    try:
        file = weights.WeightFile(path)
    except UserError as error:  # its advice is for a file of the cache
        raise DamagedError(error.wrong) from None
    return {key: _entry(file, key) for key in file}


def write(path: Path, arrays: Mapping[str, Array]) -> None:
    """``arrays`` under their keys."""
    weights.save(path, arrays)


def _entry(file: weights.WeightFile, key: str) -> Entry:
    kind = file.dtype(key)
    return Entry(file.shape(key), NAMES.get(kind, kind), lambda: file[key])
