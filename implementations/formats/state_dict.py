"""PyTorch's state dicts, by PyTorch itself: ``weights_only`` keeps its loader from executing anything."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from implementations.formats.entries import DamagedError, Entries, Entry, collected
from implementations.network import Array

SAFE = (2, 6)  # before it, weights_only could be got round (CVE-2025-32434)
WITHIN = ("state_dict", "model")  # where training scripts keep it beside other things


def read(path: Path) -> Entries:
    """The tensors of a state dict by key, also of one within a checkpoint."""
    if tuple(map(int, torch.__version__.split(".")[:2])) < SAFE:
        raise DamagedError(f"PyTorch {torch.__version__} can be made to execute it: 2.6 or later cannot")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    for name in WITHIN:
        if isinstance(loaded, dict) and isinstance(loaded.get(name), dict):
            loaded = loaded[name]
    if not isinstance(loaded, dict):
        raise DamagedError(f"it holds a {type(loaded).__name__} where a state dict should be")
    return collected((str(key), _entry(value)) for key, value in loaded.items())


def write(path: Path, arrays: Mapping[str, Array]) -> None:
    """A state dict that ``torch.load`` reads with ``weights_only``."""
    torch.save({key: torch.from_numpy(np.array(value)) for key, value in arrays.items()}, path)


def _entry(value: Any) -> Entry:
    if not isinstance(value, torch.Tensor):
        return Entry((), f"a {type(value).__name__}", lambda: np.zeros(0))
    if value.layout is not torch.strided or value.is_quantized or value.device.type != "cpu":
        return Entry(tuple(value.shape), "no plain tensor", lambda: np.zeros(0))
    kind = str(value.dtype).removeprefix("torch.")
    return Entry(tuple(value.shape), kind, lambda: value.detach().numpy())
