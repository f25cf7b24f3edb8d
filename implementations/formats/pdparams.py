"""Paddle's ``.pdparams``: read by ``pickled``, written by Paddle itself."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from implementations.formats.pickled import read
from implementations.network import Array

__all__ = ["read", "write"]


def write(path: Path, arrays: Mapping[str, Array]) -> None:
    """A state dict that ``paddle.load`` reads."""
    import paddle

    paddle.save({key: paddle.to_tensor(np.array(value)) for key, value in arrays.items()}, str(path))
