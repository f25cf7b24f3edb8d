"""Weight files as other libraries write them, made without these; and how a thousand damaged ones fare."""

import io
import pickle
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from implementations import weights
from implementations.formats import transfer
from implementations.formats.namings import NAMINGS
from implementations.network import Array
from implementations.processes import ChildFailedError, Launcher
from implementations.spec import Network

DAMAGED, TIMEOUT_S = 1000, 600.0
SEED = 3


def values(network: Network) -> dict[str, Array]:
    return weights.probe(network, SEED)


def ours(folder: Path, network: Network) -> Path:
    path = folder / "ours.safetensors"
    weights.save(path, values(network))
    return path


def pdparams(path: Path, arrays: Mapping[str, Array], protocol: int = 4) -> None:
    """As Paddle writes a layer's state: arrays, and a table of names."""
    content = {**arrays, "StructuredToParameterName@@": {key: f"{key}_0" for key in arrays}}
    path.write_bytes(pickle.dumps(content, protocol=protocol))


def weights_h5(file: Any, arrays: Mapping[str, Array]) -> None:
    """As Keras 3 writes: groups by class, the layer's name beside its variables, a dropout's seed."""
    numbers: Counter[str] = Counter()
    with h5py.File(file, "w") as made:
        for key, value in arrays.items():
            layer, _, place = key.rpartition("/")
            if place == "0":
                kind = "conv2d" if value.ndim == 4 else "dense"
                number = numbers[kind]
                numbers[kind] += 1
                group = made.create_group(f"layers/{kind}_{number}" if number else f"layers/{kind}")
                variables = group.create_group("vars")
                variables.attrs["name"] = layer
            variables.create_dataset(place, data=value)
        made.create_group("layers/flatten/vars").attrs["name"] = "flatten"
        made.create_dataset("layers/dropout/seed_generator/vars/0", data=np.zeros(2, np.uint32))
        made.create_dataset("optimizer/vars/0", data=np.int64(7))


def keras(path: Path, arrays: Mapping[str, Array], config: str = "{}") -> None:
    content = io.BytesIO()
    weights_h5(content, arrays)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", content.getvalue())


def named(network: Network, naming: str) -> dict[str, Array]:
    found = transfer.keyed(values(network), network, NAMINGS[naming])
    return {key: np.ascontiguousarray(value) for key, value in found.items()}


def require_same(path: Path, network: Network) -> None:
    """``path`` (ours) holds what ``values`` gives, bit for bit."""
    read = weights.load(path, network)
    for key, value in values(network).items():
        assert np.array_equal(read[key].view(np.uint32), value.view(np.uint32)), key


def fuzz(
    source: Path, network: Mapping[str, Any], folder: Path, framework: str | None, launcher: Launcher
) -> dict[str, Any]:
    """How ``DAMAGED`` damaged copies of ``source`` fared; a copy that crashes its process is counted."""
    total: dict[str, Any] = {"outcomes": Counter(), "escaped": [], "grown_bytes": 0, "crashed": []}
    waiting = [(first, DAMAGED // 4) for first in range(0, DAMAGED, DAMAGED // 4)]
    while waiting:
        first, count = waiting.pop()
        request = {"source": str(source), "network": dict(network), "folder": str(folder)}
        about = {"first": first, "count": count}
        try:
            found = launcher.ask(framework, "fuzz_tasks:damaged", {**request, **about}, TIMEOUT_S)
        except ChildFailedError as failure:
            if count == 1:
                total["crashed"].append(f"{first}: {failure}")
            else:
                waiting += [(first, count // 2), (first + count // 2, count - count // 2)]
            continue
        total["outcomes"] += Counter(found["outcomes"])
        total["escaped"] += found["escaped"]
        total["grown_bytes"] = max(total["grown_bytes"], found["grown_bytes"])
    return total
