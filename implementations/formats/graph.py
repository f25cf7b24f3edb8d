"""The initialisers of an ONNX file whose names are parameters."""

from pathlib import Path

import numpy as np
import onnx

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
    for tensor in file.model.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise DamagedError(f"{tensor.name!r} lies in another file")
    surplus = {name: Entry((), what, lambda: np.zeros(0)) for name, what in file.others.items()}
    return {name: _entry(value) for name, value in file.parameters.items()} | surplus


def _entry(value: Array) -> Entry:
    return Entry(value.shape, str(value.dtype), lambda: value)
