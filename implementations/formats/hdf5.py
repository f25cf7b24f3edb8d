"""Weights in HDF5 as Keras keeps them: ``.weights.h5``, within ``.keras``, and the older ``.h5``.

Only arrays and names are read: a model's configuration stays untouched. A key is the layer's name
and the variable's place in the layer, for Keras' own names of variables differ between versions.
"""

import io
import itertools
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from implementations.formats.entries import MOST, DamagedError, Entries, Entry, collected
from implementations.network import Array

WITHIN_KERAS = "model.weights.h5"
DEPTH = 8  # models within models
NO_PARAMETERS = "seed_generator"  # the state of a dropout layer's random numbers
STATE = (2,)  # its shape
BESIDE = {"optimizer", "optimizer_weights"}  # groups that are no part of the network


def read(path: Path) -> Entries:
    """What ``path`` holds by ``LAYER/PLACE``; ``DamagedError`` if it is neither form."""
    is_model = path.suffix.lower() == ".keras"
    file: Any = h5py.File(io.BytesIO(_unpacked(path)) if is_model else path, "r")
    weights = _held(file, "model_weights") if "model_weights" in file else file
    read: set[int] = set()
    if "layer_names" in weights.attrs or "layer_names0" in weights.attrs:
        found = collected(_of_old_layers(weights, read))
    elif "layers" not in file:
        raise DamagedError("it holds neither 'layers' nor the attribute 'layer_names'")
    else:
        found = collected(_of_layers(_held(file, "layers"), DEPTH, itertools.count(), read))
    if left := weights.visititems(lambda name, each: name if _is_left(name, each, read) else None):
        raise DamagedError(f"it holds {left!r}, which belongs to no layer")
    return found


def _is_left(name: str, each: Any, read: set[int]) -> bool:
    """Whether an array was not ``read`` although it may be a parameter."""
    if not isinstance(each, h5py.Dataset):
        return False
    parts = name.split("/")
    is_state = NO_PARAMETERS in parts and each.shape == STATE
    return not (is_state or parts[0] in BESIDE or _place(each) in read)


def _place(dataset: Any) -> int:
    """Where it lies in the file, by whatever name it is reached."""
    return int(h5py.h5o.get_info(dataset.id).addr)


def write(path: Path, arrays: Mapping[str, Array]) -> None:
    """The older form, with ``arrays`` by ``LAYER/PLACE``: what Keras' published files are."""
    layers: dict[str, list[Array]] = {}
    for key, value in arrays.items():
        layers.setdefault(key.rpartition("/")[0], []).append(value)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array(list(layers), "S")
        for layer, values in layers.items():
            names = [f"{layer}/variable_{place}:0" for place in range(len(values))]
            group = file.create_group(layer)
            group.attrs["weight_names"] = np.array(names, "S")
            for name, value in zip(names, values, strict=True):
                group.create_dataset(name, data=value)


def _unpacked(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        if archive.namelist().count(WITHIN_KERAS) > 1:
            raise DamagedError(f"it holds {WITHIN_KERAS} twice")
        if archive.getinfo(WITHIN_KERAS).file_size > path.stat().st_size:
            raise DamagedError(f"{WITHIN_KERAS} is compressed, which Keras does not do")
        return archive.read(WITHIN_KERAS)


def _of_layers(group: Any, depth: int, visits: Iterator[int], read: set[int]) -> Iterator[tuple[str, Entry]]:
    """Keras 3: ``…/vars/0``, 1 …; the attribute ``name`` is the layer's."""
    if depth == 0 or next(visits) > MOST:  # one group may be linked from many places
        raise DamagedError("its groups lie too deep, or are too many")
    for name, within in _members(group):
        if not isinstance(within, h5py.Group) or name == NO_PARAMETERS:
            continue
        if "vars" not in within:
            yield from _of_layers(within, depth - 1, visits, read)
            continue
        variables = _held(within, "vars")
        layer = str(variables.attrs.get("name", name))
        for place, dataset in _members(variables):
            yield f"{layer}/{place}", _entry(dataset, read)
        nested = [
            each for each, found in _members(within) if each != "vars" and isinstance(found, h5py.Group)
        ]
        for each in nested:
            yield from _of_layers({each: within[each]}, depth - 1, visits, read)


def _of_old_layers(weights: Any, read: set[int]) -> Iterator[tuple[str, Entry]]:
    for layer in _texts(weights, "layer_names"):
        group = _held(weights, layer)
        for place, name in enumerate(_texts(group, "weight_names")):
            yield f"{layer}/{place}", _entry(_held(group, name), read)


def _texts(group: Any, name: str) -> list[str]:
    """An attribute of texts, which Keras splits over several where it is long."""
    parts, number = [], 0
    if name in group.attrs:
        parts = list(group.attrs[name])
    while f"{name}{number}" in group.attrs:
        parts += list(group.attrs[f"{name}{number}"])
        number += 1
    return [part.decode() if isinstance(part, bytes) else str(part) for part in parts]


def _members(group: Any) -> Iterator[tuple[str, Any]]:
    for name in group:
        yield name, _held(group, name)


def _held(group: Any, name: str) -> Any:
    """A member that is in this very file, not linked in from another one."""
    if isinstance(group, h5py.Group):
        step, found = group, None
        for part in name.split("/"):
            if not isinstance(step.get(part, getlink=True), h5py.HardLink):
                raise DamagedError(f"{name!r} is no part of the file itself")
            step = found = step[part]
        return found
    return group[name]


def _entry(dataset: Any, read: set[int]) -> Entry:
    if not isinstance(dataset, h5py.Dataset):
        return Entry((), "a group", lambda: np.zeros(0))
    read.add(_place(dataset))
    if dataset.external or dataset.is_virtual:
        raise DamagedError(f"{dataset.name!r} lies in another file")
    return Entry(dataset.shape or (), str(dataset.dtype), lambda: np.asarray(dataset[()]))
