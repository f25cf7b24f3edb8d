"""Parameters by path: seeded, saved, read back.

Weights are float32 in the specification's layout (``[out, in, height, width]``, ``[out, in]``,
``[out]``). Uniform families come bit for bit the same from any NumPy version, because they are made
from the raw words of a counter-based bit generator; normal ones pass through log and cos and may
differ in the last bit between C libraries. Files are safetensors: mapped, never executed.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from implementations.errors import UserError
from implementations.files import replacing
from implementations.spec import (
    BatchNorm,
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    LocalResponseNorm,
    Network,
    Node,
    Normal,
    Parameter,
)

Array = NDArray[Any]
Weights = Mapping[str, Array]

RULES = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]  # by which everything here is drawn
CHUNK = 1 << 22  # elements drawn at a time: bounds the float64 scratch of a 100-million-element array


# --- Seeded values ------------------------------------------------------------------------


def initial(network: Network, seed: int) -> dict[str, Array]:
    """Starting weights of a training: each parameter from its own initialiser, float32."""
    return {parameter.path: initial_value(parameter, seed) for parameter in network.parameters}


def initial_value(parameter: Parameter, seed: int) -> Array:
    """One parameter of ``initial``."""
    return _draw_initial(parameter, _key("initial", seed, parameter.path))


def probe(network: Network, seed: int) -> dict[str, Array]:
    """Weights that proofs run on, float32: continuous everywhere, activations keep their size.

    Biases are as wide as a third of the images, since zero biases hide slips; the heads shrink the
    images' scale away again, so that the loss stays soft.
    """
    scale = image_scale(network)
    heads = {head.path for head in network.heads}
    return {
        parameter.path: _draw_probe(node, parameter, scale, scale if node.path in heads else 1.0, seed)
        for node in network.nodes
        for parameter in node.parameters
    }


def _draw_probe(node: Node, parameter: Parameter, scale: float, shrink: float, seed: int) -> Array:
    key, shape = _key("probe", seed, parameter.path), parameter.shape
    if len(shape) > 1:
        return uniform(key, shape, math.sqrt(6 / parameter.fan_in) / shrink)
    if isinstance(node.layer, BatchNorm) and parameter.path.endswith((".weight", ".running_var")):
        return 1 + uniform(key, shape, 0.5)  # positive, and away from the 1 that would hide a slip
    return uniform(key, shape, 0.3 * scale / shrink)


def probe_images(network: Network, seed: int, count: int, scale: float | None = None) -> Array:
    """(count, channels, height, width) float32 images, uniform; standard deviation ``image_scale``."""
    limit = math.sqrt(3) * (image_scale(network) if scale is None else scale)
    return uniform(_key("images", seed, network.name), (count, *network.input_shape), limit)


def probe_labels(network: Network, seed: int, count: int) -> NDArray[Any]:
    """Labels as ``fed_labels`` gives them, never all alike for count > 1; 0 or 1 for one sigmoid unit."""
    classes = max(2, network.classes)
    first = int(raw_words(_key("labels", seed, network.name), 1)[0]) % classes
    return fed_labels(network, np.asarray((first + np.arange(count)) % classes, dtype=np.int64))


def fed_labels(network: Network, labels: NDArray[np.int64]) -> NDArray[Any]:
    """Classes (n,) as the network's loss takes them: themselves, or one-hot rows (n, classes) float32."""
    return labels if network.loss.labels == "classes" else np.eye(network.classes, dtype=np.float32)[labels]


def image_scale(network: Network) -> float:
    """Standard deviation of the proofs' images: 50 with local response normalisation, else 1.

    At unit variance the normalisation divides by 1.0001 and its slips drown in float32 rounding.
    """
    return 50.0 if any(isinstance(n.layer, LocalResponseNorm) for n in network.nodes) else 1.0


def raw_words(key: int, count: int) -> NDArray[np.uint64]:
    """``count`` 64-bit words of the Philox stream ``key``: part of NumPy's stable contract."""
    return np.asarray(np.random.Philox(key=key).random_raw(count))


def uniform(key: int, shape: tuple[int, ...], limit: float) -> Array:
    """float32 in (−limit, limit), 24 random bits an element."""
    return _filled(key, shape, lambda unit: (2 * unit - 1) * limit)


def normal(key: int, shape: tuple[int, ...], std: float) -> Array:
    """float32, mean 0, by Box and Muller's transform (one of the pair)."""

    def transform(unit: Array) -> Array:
        radius, angle = unit[0::2], unit[1::2]
        return np.asarray(std * np.sqrt(-2 * np.log(radius)) * np.cos(2 * np.pi * angle))

    return _filled(key, shape, transform, units_each=2)


def _filled(
    key: int,
    shape: tuple[int, ...],
    transform: Callable[[Array], Array],
    units_each: int = 1,
) -> Array:
    values = np.empty(math.prod(shape), np.float32)
    generator = np.random.Philox(key=key)
    for start in range(0, values.size, CHUNK):
        part = values[start : start + CHUNK]
        halves = generator.random_raw(math.ceil(part.size * units_each / 2)).astype("<u8").view("<u4")
        unit = ((halves[: part.size * units_each] >> 8) + 0.5) * 2.0**-24
        part[:] = transform(unit)
    return values.reshape(shape)


def _draw_initial(parameter: Parameter, key: int) -> Array:
    shape, rule = parameter.shape, parameter.initializer
    if isinstance(rule, Constant):
        return np.full(shape, rule.value, np.float32)
    if isinstance(rule, GlorotUniform):
        return uniform(key, shape, math.sqrt(6 / (parameter.fan_in + parameter.fan_out)))
    if isinstance(rule, GlorotNormal):
        return normal(key, shape, math.sqrt(2 / (parameter.fan_in + parameter.fan_out)))
    if isinstance(rule, HeNormal):
        return normal(key, shape, math.sqrt(2 / parameter.fan_in))
    if isinstance(rule, Normal):
        return normal(key, shape, rule.std)
    raise TypeError(f"no rule for {rule!r}")


def _key(purpose: str, seed: int, path: str) -> int:
    """A 128-bit stream of its own for every array, so that no array depends on its neighbours."""
    return int.from_bytes(hashlib.sha256(f"{purpose}/{seed}/{path}".encode()).digest()[:16], "little")


# --- Files --------------------------------------------------------------------------------


class WeightFile(Mapping[str, Array]):
    """A weight file as a mapping; each array is read from the mapped file when it is asked for."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = cast(Any, safe_open(path, framework="numpy"))
        except FileNotFoundError:
            raise _refused(path, "there is no such weight file") from None
        except (SafetensorError, OSError) as error:
            raise _refused(path, f"the weight file cannot be read ({error})") from None
        self.path = path
        self._keys = dict.fromkeys(self._file.keys())

    def __getitem__(self, key: str) -> Array:
        if key not in self._keys:
            raise KeyError(key)
        return np.asarray(self._file.get_tensor(key))

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def shape(self, key: str) -> tuple[int, ...]:
        return tuple(self._file.get_slice(key).get_shape())

    def dtype(self, key: str) -> str:
        return str(self._file.get_slice(key).get_dtype())


def save(path: Path, weights: Weights) -> None:
    """Write ``weights`` to a safetensors file."""
    with replacing(path, "the weights") as temporary:
        try:
            save_file({key: np.asarray(value, order="C") for key, value in weights.items()}, temporary)
        except SafetensorError as error:  # how safetensors reports a full disk
            raise OSError(str(error)) from error


def load(path: Path, network: Network) -> WeightFile:
    """The file's weights, checked against ``network``; ``UserError`` names the first wrong key."""
    file = WeightFile(path)
    expected = {parameter.path: parameter.shape for parameter in network.parameters}
    for key, shape in expected.items():
        if key not in file:
            raise _refused(path, f"the weight file lacks {key!r}, so it is not one of {network.name}")
        if file.shape(key) != shape or file.dtype(key) != "F32":
            found = f"{file.dtype(key)} {list(file.shape(key))}"
            raise _refused(path, f"{key!r} is {found} where {network.name} has F32 {list(shape)}")
    for key in file:
        if key not in expected:
            raise _refused(path, f"the weight file holds {key!r}, which {network.name} does not have")
    return file


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refused(path: Path, wrong: str) -> UserError:
    return UserError(
        wrong,
        given=path,
        allowed="a safetensors file of this network's float32 parameters",
        todo="delete the file so that it is made again, or name the right one",
    )
