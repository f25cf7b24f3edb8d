"""The initialisers of an ONNX file whose names are parameters."""

from pathlib import Path

import numpy as np

from implementations.formats.entries import DamagedError, Entries, Entry
from implementations.network import Array
from implementations.onnx_file import OnnxFile
from implementations.spec import Network


def read(path: Path, network: Network) -> Entries:
    """Parameters by path, in the specification's layout; ``DamagedError`` where they lie in other files."""
    file = OnnxFile(path, network)
    names = [tensor.name for tensor in file.model.graph.initializer]
    if len(set(names)) < len(names):
        raise DamagedError("it holds an initialiser twice")
    if file.elsewhere:
        raise DamagedError(f"{file.elsewhere!r} lies in another file")
    if unsure := file.of_unknown_layout:
        raise DamagedError(f"{unsure!r} is not what a layer multiplies by: its layout cannot be known")
    surplus = {name: Entry((), what, lambda: np.zeros(0)) for name, what in file.others.items()}
    return {name: _entry(value) for name, value in file.parameters.items()} | surplus


def _entry(value: Array) -> Entry:
    return Entry(value.shape, str(value.dtype), lambda: value)
